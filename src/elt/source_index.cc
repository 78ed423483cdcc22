#include "elt/source_index.h"

#include <algorithm>

namespace levada::elt {

SourceIndex::SourceIndex(std::string_view text) : text_(text), starts_{0} {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts_.push_back(i + 1);
  }
}

size_t SourceIndex::LineNumber(size_t offset) const {
  return static_cast<size_t>(std::ranges::upper_bound(starts_, offset) - starts_.begin()) - 1;
}

size_t SourceIndex::LineStart(size_t offset) const { return starts_[LineNumber(offset)]; }

size_t SourceIndex::LineEnd(size_t offset) const {
  const size_t line = LineNumber(offset);
  size_t end = line + 1 < starts_.size() ? starts_[line + 1] - 1 : text_.size();
  if (end > starts_[line] && text_[end - 1] == '\r') --end;
  return end;
}

std::string_view SourceIndex::LineAt(size_t offset) const {
  const size_t start = LineStart(offset);
  return text_.substr(start, LineEnd(offset) - start);
}

Span SourceIndex::At(size_t offset, size_t length) const {
  if (offset >= text_.size()) {
    offset = text_.find_last_not_of(" \t\r\n");
    offset = offset == std::string_view::npos ? 0 : offset + 1;
    length = 1;
  }
  const size_t line = LineNumber(offset);
  const size_t end = std::max(LineEnd(offset), offset + 1);
  return Span{.line = static_cast<uint32_t>(line + 1),
              .column = static_cast<uint32_t>(offset - starts_[line] + 1),
              .length = static_cast<uint32_t>(std::clamp<size_t>(length, 1, end - offset))};
}

}  // namespace levada::elt
