#include "app/table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "app/terminal.h"
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

/// The words of `text`: what stands between spaces.
std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

int WordWidth(std::string_view text) {
  int width = 0;
  for (const std::string_view word : Words(text)) width = std::max(width, DisplayWidth(word));
  return width;
}

/// `text` in lines of at most `width` cells, or of one word that is wider.
std::vector<std::string> Lines(std::string_view text, int width) {
  if (DisplayWidth(text) <= width) return {ShownText(text)};
  std::vector<std::string> lines;
  int used = 0;
  for (const std::string_view word : Words(text)) {
    const int more = DisplayWidth(word);
    if (!lines.empty() && used + 1 + more <= width) {
      lines.back() += ' ' + ShownText(word);
      used += 1 + more;
    } else {
      lines.push_back(ShownText(word));
      used = more;
    }
  }
  return lines;
}

std::string CutTime(const std::string& timestamp, size_t size) {
  constexpr size_t kWhole = std::string_view("2026-11-30T06:31:46.949109Z").size();
  if (timestamp.size() != kWhole || timestamp.back() != 'Z') return timestamp;
  return timestamp.substr(0, size) + "Z";
}

}  // namespace

TableStyle OutputStyle(const Terminal& terminal, int indent) {
  return {terminal.output_color, terminal.utf8, terminal.output_is_terminal ? terminal.width : 0,
          indent};
}

std::string TimeToSecond(const std::string& timestamp) { return CutTime(timestamp, 19); }

std::string TimeToMinute(const std::string& timestamp) { return CutTime(timestamp, 16); }

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

std::string FitWords(std::string_view text, int width, bool utf8) {
  const std::string shown = ShownText(text);
  const std::string fitted = FitWidth(shown, width, utf8);
  const std::string_view ellipsis = utf8 ? "…" : "...";
  if (fitted == shown || !fitted.ends_with(ellipsis)) return fitted;
  std::string kept = fitted.substr(0, fitted.size() - ellipsis.size());
  const bool between = shown.size() > kept.size() && shown[kept.size()] == ' ';
  const size_t space = kept.rfind(' ');
  if (!between && space != std::string::npos) {
    const std::string words = kept.substr(0, space);
    if (3 * DisplayWidth(words) >= width) kept = words;
  }
  TrimRight(kept);
  return kept.append(ellipsis);
}

void Table::AddRow(std::vector<std::string> cells, std::string_view mark) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), std::string(mark)});
}

/// Columns that may be cut give first, the last of them first; then those that may go on in the
/// next line, the widest first, each down to its longest word.
std::vector<int> Table::Narrowed(const std::vector<size_t>& shown, const TableStyle& style,
                                 std::vector<int> widths) const {
  const int gaps = kGap * (static_cast<int>(shown.size()) - 1) + style.indent;
  const int total = std::accumulate(widths.begin(), widths.end(), gaps);
  if (style.width == 0 || total <= style.width) return widths;
  int excess = total - style.width;
  for (size_t i = columns_.size(); i-- > 0 && excess > 0;) {
    if (!columns_[i].may_shrink || widths[i] == 0) continue;
    const int cut = std::clamp(widths[i] - kShrunkenMin, 0, excess);
    widths[i] -= cut;
    excess -= cut;
  }
  std::vector<int> words(columns_.size(), 0);
  for (const size_t i : shown) {
    words[i] = WordWidth(columns_[i].title);
    for (const Row& row : rows_) words[i] = std::max(words[i], WordWidth(row.cells[i]));
  }
  for (; excess > 0; --excess) {
    size_t widest = columns_.size();
    for (const size_t i : shown) {
      if (!columns_[i].may_wrap || widths[i] <= words[i]) continue;
      if (widest == columns_.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
  }
  return widths;
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
  widths = Narrowed(shown, style, std::move(widths));

  const auto lines_of = [&](const std::vector<std::string>& cells) {
    std::vector<std::vector<std::string>> parts(cells.size());
    size_t count = 1;
    for (const size_t i : shown) {
      if (columns_[i].may_wrap) {
        parts[i] = Lines(cells[i], widths[i]);
      } else {
        parts[i] = {FitWords(cells[i], widths[i], style.utf8)};
      }
      count = std::max(count, parts[i].size());
    }
    std::vector<std::string> lines;
    for (size_t at = 0; at < count; ++at) {
      std::string line(static_cast<size_t>(style.indent), ' ');
      for (const size_t i : shown) {
        if (i != shown.front()) line.append(kGap, ' ');
        line += Padded(at < parts[i].size() ? parts[i][at] : "", widths[i], columns_[i].align);
      }
      TrimRight(line);
      lines.push_back(std::move(line));
    }
    return lines;
  };
  const auto painted = [&](std::string line, std::string_view mark) {
    if (!style.color || mark.empty()) return line + "\n";
    return std::string(mark) + line + "\x1b[0m\n";
  };

  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  std::string out;
  for (std::string& line : lines_of(titles)) out += painted(std::move(line), "\x1b[2m");
  for (const Row& row : rows_) {
    for (std::string& line : lines_of(row.cells)) out += painted(std::move(line), row.mark);
  }
  return out;
}

}  // namespace levada::app
