#pragma once
// Glob: patterns of names, as shells have them, without character classes.

#include <string_view>

namespace levada {

/// Whether `pattern` stands for all of `text`: "*" for any characters or none, "?" for one byte,
/// every other character for itself. Takes at most as many steps as both lengths multiplied.
bool MatchesGlob(std::string_view pattern, std::string_view text);

}  // namespace levada
