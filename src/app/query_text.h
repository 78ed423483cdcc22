#pragma once
// QueryText: the answer to a statement of SQL (d1.query of services/d1/d1_admin.h) as a person or a
// program reads it. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/table.h"

namespace levada::app {

enum class QueryMode : uint8_t { kTable, kCsv, kJson, kLine };
/// "table", "csv", "json", "line".
std::optional<QueryMode> ParseQueryMode(std::string_view word);
std::string_view NameOf(QueryMode mode);

struct QueryStyle {
  QueryMode mode = QueryMode::kTable;
  bool has_headers = true;  ///< of table and csv
  TableStyle table;
};

/// Of one statement.
struct QueryText {
  /// Of JSON a line, {"results": [{column: value}], "meta", "truncated"}; else nothing for a
  /// statement without columns. A table cuts what is wider than its terminal, by an ellipsis; the
  /// others have each value whole. A blob is X'00ff', in JSON a list of bytes as in answers of the
  /// API.
  std::string rows;
  std::string summary;  ///< "3 rows; 12 rows read, 0 written; 0.4 ms"
  std::string cut;      ///< what is to be said of rows that are not there; empty: there are all
};

struct QueryAnswer {
  std::string error;  ///< what SQLite says against the statement; empty: it ran
  int64_t error_offset = -1;
  std::vector<QueryText> statements;
};
/// `answer` is JSON of d1.query.
QueryAnswer ReadQueryAnswer(std::string_view answer, const QueryStyle& style);

}  // namespace levada::app
