#pragma once
// What a request to a database of a stranger consists of, and its answer: values, statements,
// limits. Who runs them is request_connection.h.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace levada::db::sqlite {

using Blob = std::vector<uint8_t>;
/// NULL, INTEGER, REAL, TEXT, BLOB.
using SqlValue = std::variant<std::monostate, int64_t, double, std::string, Blob>;

/// One or more statements of SQL, separated by semicolons. The parameters are those of the last
/// one; the others have none.
struct SqlText {
  std::string sql;
  std::vector<SqlValue> parameters;
};

struct SqlLimits {
  int64_t statement_bytes_max = 100'000;
  int64_t parameters_max = 100;
  int64_t columns_max = 100;
  int64_t value_bytes_max = 2'000'000;  ///< of a text, a blob or a row
  int64_t function_arguments_max = 32;
  int64_t like_pattern_bytes_max = 50;
  int64_t database_bytes_max = int64_t{10} * 1000 * 1000 * 1000;
  int64_t request_ms_max = 30'000;
  int64_t answer_bytes_max = int64_t{100} << 20;  ///< of all rows of a request: memory
  int64_t statements_max = 10'000;                ///< of a request: memory too
};

/// Of one statement.
struct SqlResult {
  size_t text = 0;  ///< which SqlText of the request it was in
  std::vector<std::string> columns;
  std::vector<std::vector<SqlValue>> rows;
  int64_t changes = 0;       ///< rows that it inserted, updated or deleted itself
  int64_t last_row_id = 0;   ///< of the newest INSERT of the request; 0: there was none
  int64_t rows_read = 0;     ///< rows that its loops looked at
  int64_t rows_written = 0;  ///< rows and their entries in indexes
  int64_t duration_us = 0;
};

/// What SQLite, or a limit, says against a statement.
struct SqlError {
  std::string message;  ///< `near "SELEC": syntax error at offset 0: SQLITE_ERROR`
  std::string code;     ///< "SQLITE_CONSTRAINT"
  int64_t offset = -1;  ///< byte of the statement; -1: unknown
  size_t text = 0;      ///< which SqlText
};

struct SqlAnswer {
  std::vector<SqlResult> results;  ///< empty with an error: nothing happened
  std::optional<SqlError> error;
  bool is_changed = false;  ///< a transaction was committed
  int64_t size_bytes = 0;   ///< of the database after it
};

}  // namespace levada::db::sqlite
