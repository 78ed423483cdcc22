#pragma once
// What a terminal makes of bytes we did not write: one code point at a time, made harmless, with
// its width. Used by the diagnostics and the text log; not a Unicode library.

#include <cstddef>
#include <string>
#include <string_view>

namespace levada {

/// One step through arbitrary bytes.
struct ShownCharacter {
  size_t byte_count = 1;   ///< of the input, 1..4
  std::string_view bytes;  ///< what to print: the input's own bytes, a space, or U+FFFD; lives as
                           ///< long as the input
  int columns = 1;         ///< 0, 1 or 2 cells
};

/// Bytes of the UTF-8 character at the start of `text` (RFC 3629: shortest form, no surrogates, at
/// most U+10FFFF), 0 when there is none. Precondition: !text.empty().
size_t Utf8CharacterBytes(std::string_view text);

/// The character at the start of `text`. Control characters (C0, C1, DEL, tab and newline included)
/// and those that turn the direction of writing become one space, bytes that are no UTF-8 U+FFFD
/// one at a time. Precondition: !text.empty().
ShownCharacter NextShown(std::string_view text);

/// All of `text` through NextShown.
std::string ShownText(std::string_view text);

}  // namespace levada
