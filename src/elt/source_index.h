#pragma once
// SourceIndex: from byte offsets of a source text to the spans that diagnostics point with.

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"

namespace levada::elt {

/// Of one text, which it does not own.
class SourceIndex {
 public:
  explicit SourceIndex(std::string_view text);

  /// `length` bytes from `offset`, cut at the end of the line. An offset at or past the end points
  /// behind the last character of the last line that has any.
  Span At(size_t offset, size_t length) const;

  /// The line that holds `offset`, without its line break (also without the `\r` of `\r\n`).
  std::string_view LineAt(size_t offset) const;
  /// Offset of the first byte of that line.
  size_t LineStart(size_t offset) const;
  /// Offset behind the last byte of that line, before its line break.
  size_t LineEnd(size_t offset) const;

 private:
  size_t LineNumber(size_t offset) const;

  std::string_view text_;
  std::vector<size_t> starts_;
};

}  // namespace levada::elt
