#include "app/table.h"

#include <algorithm>
#include <numeric>

#include "base/text_columns.h"

namespace levada::app {
namespace {

constexpr int kGap = 2;          // cells between columns
constexpr int kShrunkenMin = 8;  // narrower than this a column says nothing

std::string Padded(std::string text, int width, Align align) {
  const std::string padding(static_cast<size_t>(std::max(0, width - DisplayWidth(text))), ' ');
  return align == Align::kRight ? padding + text : text + padding;
}

void TrimRight(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const ShownCharacter character = NextShown(text);
    width += character.columns;
    text.remove_prefix(character.byte_count);
  }
  return width;
}

std::string FitWidth(std::string_view text, int width, bool utf8) {
  const std::string_view ellipsis = utf8 ? "…" : "...";
  const int ellipsis_width = utf8 ? 1 : 3;
  if (DisplayWidth(text) <= width) return ShownText(text);
  std::string fitted;
  int used = 0;
  while (!text.empty()) {
    const ShownCharacter character = NextShown(text);
    if (used + character.columns > width - ellipsis_width) break;
    fitted += character.bytes;
    used += character.columns;
    text.remove_prefix(character.byte_count);
  }
  return width < ellipsis_width ? fitted : fitted.append(ellipsis);
}

void Table::AddRow(std::vector<std::string> cells, std::string_view mark) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), std::string(mark)});
}

std::string Table::Render(const TableStyle& style) const {
  if (rows_.empty()) return {};
  std::vector<size_t> shown;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto is_empty = [i](const Row& row) { return row.cells[i].empty(); };
    if (!columns_[i].may_vanish || !std::ranges::all_of(rows_, is_empty)) shown.push_back(i);
  }
  std::vector<int> widths(columns_.size(), 0);
  for (const size_t i : shown) {
    int width = DisplayWidth(columns_[i].title);
    for (const Row& row : rows_) width = std::max(width, DisplayWidth(row.cells[i]));
    widths[i] = width;
  }
  const int gaps = kGap * (static_cast<int>(shown.size()) - 1) + style.indent;
  const int total = std::accumulate(widths.begin(), widths.end(), gaps);
  if (style.width > 0 && total > style.width) {
    int excess = total - style.width;
    for (size_t i = columns_.size(); i-- > 0 && excess > 0;) {
      if (!columns_[i].may_shrink || widths[i] == 0) continue;
      const int cut = std::clamp(widths[i] - kShrunkenMin, 0, excess);
      widths[i] -= cut;
      excess -= cut;
    }
  }

  const auto line_of = [&](const std::vector<std::string>& cells) {
    std::string line(static_cast<size_t>(style.indent), ' ');
    for (const size_t i : shown) {
      if (i != shown.front()) line.append(kGap, ' ');
      line += Padded(FitWidth(cells[i], widths[i], style.utf8), widths[i], columns_[i].align);
    }
    TrimRight(line);
    return line;
  };
  const auto painted = [&](std::string line, std::string_view mark) {
    if (!style.color || mark.empty()) return line + "\n";
    return std::string(mark) + line + "\x1b[0m\n";
  };

  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  std::string out = painted(line_of(titles), "\x1b[2m");
  for (const Row& row : rows_) out += painted(line_of(row.cells), row.mark);
  return out;
}

}  // namespace levada::app
