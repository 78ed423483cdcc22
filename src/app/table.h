#pragma once
// Table: rows of short texts in aligned columns, for people. Widths are counted in terminal cells,
// and nothing a cell holds can move the cursor.

#include <string>
#include <string_view>
#include <vector>

namespace levada::app {

struct Terminal;

enum class Align : uint8_t { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
  bool may_shrink = false;  ///< cut with an ellipsis when the table is wider than the terminal
  bool may_vanish = false;  ///< left out when no row has anything in it
  bool may_wrap = false;    ///< continued in the next line when cutting others was not enough
};

struct TableStyle {
  bool color = false;
  bool utf8 = true;
  int width = 0;   ///< cells of a line; 0: no limit
  int indent = 0;  ///< cells before each line
};

/// Of tables on standard output.
TableStyle OutputStyle(const Terminal& terminal, int indent = 0);

class Table final {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell for each column; missing ones are empty. `mark` (an escape sequence, or empty)
  /// colours the row's cells.
  void AddRow(std::vector<std::string> cells, std::string_view mark = {});
  /// Lines without trailing spaces, each ended by a newline: the titles, then the rows. Empty
  /// without rows.
  std::string Render(const TableStyle& style) const;
  size_t row_count() const { return rows_.size(); }

 private:
  struct Row {
    std::vector<std::string> cells;
    std::string mark;
  };
  std::vector<int> Narrowed(const std::vector<size_t>& shown, const TableStyle& style,
                            std::vector<int> widths) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

/// A timestamp with microseconds ("2026-11-30T06:31:46.949109Z") cut for a narrow column:
/// "2026-11-30T06:31:46Z", "2026-11-30T06:31Z". Other texts stay as they are.
std::string TimeToSecond(const std::string& timestamp);
std::string TimeToMinute(const std::string& timestamp);

/// Cells that `text` takes in a terminal.
int DisplayWidth(std::string_view text);
/// `text` made harmless, cut to at most `width` cells; the cut is shown by an ellipsis.
std::string FitWidth(std::string_view text, int width, bool utf8);
/// The same, cut between words unless that would leave less than a third.
std::string FitWords(std::string_view text, int width, bool utf8);

}  // namespace levada::app
