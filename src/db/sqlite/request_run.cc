#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "db/sqlite/request_connection.h"

namespace levada::db::sqlite {
namespace {

const char* NameOf(int code) {
  switch (code & 0xff) {
    case SQLITE_ABORT:
      return "SQLITE_ABORT";
    case SQLITE_AUTH:
      return "SQLITE_AUTH";
    case SQLITE_BUSY:
      return "SQLITE_BUSY";
    case SQLITE_CONSTRAINT:
      return "SQLITE_CONSTRAINT";
    case SQLITE_CORRUPT:
      return "SQLITE_CORRUPT";
    case SQLITE_FULL:
      return "SQLITE_FULL";
    case SQLITE_INTERRUPT:
      return "SQLITE_INTERRUPT";
    case SQLITE_LOCKED:
      return "SQLITE_LOCKED";
    case SQLITE_MISMATCH:
      return "SQLITE_MISMATCH";
    case SQLITE_NOMEM:
      return "SQLITE_NOMEM";
    case SQLITE_RANGE:
      return "SQLITE_RANGE";
    case SQLITE_READONLY:
      return "SQLITE_READONLY";
    case SQLITE_SCHEMA:
      return "SQLITE_SCHEMA";
    case SQLITE_TOOBIG:
      return "SQLITE_TOOBIG";
    default:
      return "SQLITE_ERROR";
  }
}

/// What may stand between two statements and is none.
const char* SkipBlank(const char* at) {
  while (true) {
    if (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r' || *at == '\f' || *at == ';') {
      ++at;
    } else if (at[0] == '-' && at[1] == '-') {
      while (*at != '\0' && *at != '\n') ++at;
    } else if (at[0] == '/' && at[1] == '*') {
      at += 2;
      while (*at != '\0' && !(at[0] == '*' && at[1] == '/')) ++at;
      if (*at != '\0') at += 2;
    } else {
      return at;
    }
  }
}

int BindValue(sqlite3_stmt* statement, int index, const SqlValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    return sqlite3_bind_int64(statement, index, *integer);
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return sqlite3_bind_double(statement, index, *real);
  }
  // The request outlives the statement.
  if (const auto* text = std::get_if<std::string>(&value)) {
    return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  }
  if (const auto* blob = std::get_if<Blob>(&value)) {
    return blob->empty()
               ? sqlite3_bind_zeroblob(statement, index, 0)
               : sqlite3_bind_blob64(statement, index, blob->data(), blob->size(), SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, index);
}

SqlValue ValueAt(sqlite3_stmt* statement, int column, int64_t& bytes) {
  bytes += static_cast<int64_t>(sizeof(SqlValue));
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      const auto size = static_cast<size_t>(sqlite3_column_bytes(statement, column));
      bytes += static_cast<int64_t>(size);
      return std::string(text == nullptr ? "" : text, size);
    }
    case SQLITE_BLOB: {
      const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(statement, column));
      const auto size = static_cast<size_t>(sqlite3_column_bytes(statement, column));
      bytes += static_cast<int64_t>(size);
      return size == 0 ? Blob() : Blob(data, data + size);
    }
    default:
      return std::monostate();
  }
}

int64_t RowsRead(sqlite3_stmt* statement) {
  int64_t rows = 0;
  sqlite3_int64 visited = 0;
  for (int i = 0;
       sqlite3_stmt_scanstatus_v2(statement, i, SQLITE_SCANSTAT_NVISIT, 0, &visited) == 0; ++i) {
    rows += std::max<sqlite3_int64>(visited, 0);
  }
  return rows;
}

/// Whether a request is one statement for sure: more of them are compiled before the first one
/// runs.
bool IsOneStatement(std::span<const SqlText> request) {
  if (request.size() != 1) return false;
  const std::string& sql = request[0].sql;
  const size_t end = sql.find_first_of(std::string_view(";\0", 2));
  return end == std::string::npos || *SkipBlank(sql.c_str() + end) == '\0';
}

/// Of the disk, or of the file's content: nothing that the request could be to blame for.
bool IsOfTheFiles(int code) {
  const int primary = code & 0xff;
  return primary == SQLITE_IOERR || primary == SQLITE_CORRUPT || primary == SQLITE_FULL ||
         primary == SQLITE_NOTADB || primary == SQLITE_CANTOPEN || primary == SQLITE_PROTOCOL;
}

}  // namespace

int RequestConnection::OnProgress(void* self) {
  const auto& connection = *static_cast<RequestConnection*>(self);
  const Context* ctx = connection.context_;
  if (ctx != nullptr && connection.pulse_) connection.pulse_();
  return ctx != nullptr && !ctx->Check().ok() ? 1 : 0;
}

void RequestConnection::OnRow(void* self, sqlite3*, int, const char*, const char* table, long long,
                              long long) {
  ++static_cast<RequestConnection*>(self)->rows_of_table_[table];
}

void RequestConnection::Changes(sqlite3_context* context, int, sqlite3_value**) {
  auto& self = *static_cast<RequestConnection*>(sqlite3_user_data(context));
  const bool has_changed = sqlite3_total_changes64(self.connection_) != self.total_changes_before_;
  sqlite3_result_int64(context, has_changed ? sqlite3_changes64(self.connection_) : 0);
}

void RequestConnection::TotalChanges(sqlite3_context* context, int, sqlite3_value**) {
  auto& self = *static_cast<RequestConnection*>(sqlite3_user_data(context));
  sqlite3_result_int64(context,
                       sqlite3_total_changes64(self.connection_) - self.total_changes_before_);
}

int64_t RequestConnection::IndexesOf(const std::string& table) {
  const StatementRules::Trusted trusted(*rules_);
  sqlite3_stmt* const statement = Find(Own::kIndexes);
  if (statement == nullptr) return 0;
  sqlite3_bind_text64(statement, 1, table.data(), table.size(), SQLITE_STATIC, SQLITE_UTF8);
  const bool has_row = sqlite3_step(statement) == SQLITE_ROW;
  const int64_t count = has_row ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return count;
}

void RequestConnection::Refuse(std::string message, const char* code, size_t text,
                               SqlAnswer& answer) {
  SqlError error;
  error.code = code == nullptr ? "" : code;
  error.message = code == nullptr ? std::move(message) : message + ": " + code;
  error.text = text;
  answer.error = std::move(error);
}

Status RequestConnection::Refused(int code, size_t text, SqlAnswer& answer) {
  const std::string said = sqlite3_errmsg(connection_);
  const int offset = sqlite3_error_offset(connection_);
  if (IsOfTheFiles(code)) {
    if (auto failure = files_.TakeFailure()) return *failure;
    if ((code & 0xff) != SQLITE_FULL && (code & 0xff) != SQLITE_CORRUPT) return Blamed(code);
  }
  if ((code & 0xff) == SQLITE_NOMEM) return Blamed(code);
  if ((code & 0xff) == SQLITE_INTERRUPT) {
    Refuse(fmt::format("the request ran for longer than {} ms", limits_.request_ms_max),
           "SQLITE_INTERRUPT", text, answer);
    return Status::OK();
  }
  Refuse(offset >= 0 ? fmt::format("{} at offset {}", said, offset) : said, NameOf(code), text,
         answer);
  answer.error->offset = offset;
  return Status::OK();
}

bool RequestConnection::Bind(sqlite3_stmt* statement, const SqlText& text, size_t index,
                             SqlAnswer& answer) {
  if (text.parameters.size() != static_cast<size_t>(sqlite3_bind_parameter_count(statement))) {
    Refuse("Wrong number of parameter bindings for SQL query.", nullptr, index, answer);
    return false;
  }
  for (size_t i = 0; i < text.parameters.size(); ++i) {
    const int code = BindValue(statement, static_cast<int>(i + 1), text.parameters[i]);
    if (code == SQLITE_OK) continue;
    Refuse(sqlite3_errstr(code), NameOf(code), index, answer);
    return false;
  }
  return true;
}

Status RequestConnection::RunStatement(sqlite3_stmt* statement, SqlAnswer& answer,
                                       SqlResult& result) {
  const int64_t changes_before = sqlite3_total_changes64(connection_);
  const SteadyTime begin = context_->clock->Steady();
  rows_of_table_.clear();
  const int columns = sqlite3_column_count(statement);
  for (int i = 0; i < columns; ++i) {
    const char* name = sqlite3_column_name(statement, i);
    result.columns.emplace_back(name == nullptr ? "" : name);
  }
  int code;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    std::vector<SqlValue> row;
    row.reserve(static_cast<size_t>(columns));
    for (int i = 0; i < columns; ++i) row.push_back(ValueAt(statement, i, answer_bytes_));
    answer_bytes_ += static_cast<int64_t>(sizeof(row));
    if (answer_bytes_ > limits_.answer_bytes_max) {
      Refuse(fmt::format("the answer is larger than {} bytes", limits_.answer_bytes_max),
             "SQLITE_TOOBIG", result.text, answer);
      return Status::OK();
    }
    result.rows.push_back(std::move(row));
  }
  if (code != SQLITE_DONE) return Refused(code, result.text, answer);
  result.rows_read = RowsRead(statement);
  if (sqlite3_total_changes64(connection_) != changes_before) {
    result.changes = sqlite3_changes64(connection_);
  }
  result.last_row_id = sqlite3_last_insert_rowid(connection_);
  for (const auto& [table, rows] : std::exchange(rows_of_table_, {})) {
    result.rows_written += rows * (1 + IndexesOf(table));
  }
  result.duration_us =
      std::chrono::duration_cast<std::chrono::microseconds>(context_->clock->Steady() - begin)
          .count();
  return Status::OK();
}

Status RequestConnection::RunText(size_t index, const SqlText& text, SqlAnswer& answer) {
  if (text.sql.find('\0') != std::string::npos) {
    Refuse("a statement with a NUL character", "SQLITE_ERROR", index, answer);
    return Status::OK();
  }
  const char* at = SkipBlank(text.sql.c_str());
  while (*at != '\0') {
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v2(connection_, at, -1, &raw, &rest);
    const OwnedStatement statement(raw);
    if (only_reads_ && (code != SQLITE_OK || (raw != nullptr && sqlite3_stmt_readonly(raw) == 0))) {
      has_declined_ = true;
      return Status::OK();
    }
    if (code != SQLITE_OK) return Refused(code, index, answer);
    at = SkipBlank(rest);
    if (statement == nullptr) continue;
    if (++statements_ > limits_.statements_max) {
      Refuse(fmt::format("more than {} statements", limits_.statements_max), "SQLITE_TOOBIG", index,
             answer);
      return Status::OK();
    }
    if (*at != '\0' && sqlite3_bind_parameter_count(raw) > 0) {
      Refuse(
          "When executing multiple SQL statements in a single call, only the last statement can "
          "have parameters.",
          nullptr, index, answer);
      return Status::OK();
    }
    if (*at == '\0' && !Bind(raw, text, index, answer)) return Status::OK();
    SqlResult result;
    result.text = index;
    ARROW_RETURN_NOT_OK(RunStatement(raw, answer, result));
    if (answer.error) return Status::OK();
    answer.results.push_back(std::move(result));
  }
  return Status::OK();
}

Status RequestConnection::RunTexts(std::span<const SqlText> request, SqlAnswer& answer) {
  if (only_reads_ && !IsOneStatement(request)) {
    has_declined_ = !CompilesToReads(request);
    ResetSession();  // some settings are changed by compiling alone
  }
  for (size_t i = 0; i < request.size() && !answer.error && !has_declined_; ++i) {
    ARROW_RETURN_NOT_OK(RunText(i, request[i], answer));
  }
  if (!answer.error && !has_declined_ && answer.results.empty()) {
    Refuse("No SQL statements detected.", nullptr, 0, answer);
  }
  return Status::OK();
}

Status RequestConnection::EndRequest(bool commit, SqlAnswer& answer) {
  const StatementRules::Trusted trusted(*rules_);
  if (commit) {
    const int code = Do(Own::kCommit);
    if (code == SQLITE_OK) return Status::OK();
    // A constraint that was deferred, or the disk.
    const Status blamed = Refused(code, 0, answer);
    (void)sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
    return blamed;
  }
  if (sqlite3_get_autocommit(connection_) == 0) {
    (void)sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  return Status::OK();
}

void RequestConnection::ResetSession() {
  if (rules_->has_changed_settings()) {
    (void)Execute(kDefaultSettings);
    rules_->ForgetSettings();
  }
  rows_of_table_.clear();
}

Result<SqlAnswer> RequestConnection::Run(const Context& ctx, std::span<const SqlText> request) {
  only_reads_ = has_declined_ = false;
  return RunWhole(ctx, request);
}

Result<std::optional<SqlAnswer>> RequestConnection::RunIfReading(const Context& ctx,
                                                                 std::span<const SqlText> request) {
  only_reads_ = true;
  has_declined_ = false;
  ARROW_ASSIGN_OR_RAISE(SqlAnswer answer, RunWhole(ctx, request));
  if (has_declined_) return std::nullopt;
  return std::optional<SqlAnswer>(std::move(answer));
}

Result<SqlAnswer> RequestConnection::RunWhole(const Context& ctx,
                                              std::span<const SqlText> request) {
  ARROW_RETURN_NOT_OK(ctx.Check());
  const Context limited = ctx.Within(std::chrono::milliseconds(limits_.request_ms_max));
  SqlAnswer answer;
  answer_bytes_ = statements_ = 0;
  sqlite3_set_last_insert_rowid(connection_, 0);
  total_changes_before_ = sqlite3_total_changes64(connection_);
  ARROW_RETURN_NOT_OK(Begin(ctx));
  context_ = &limited;
  Status status = RunTexts(request, answer);
  // Past its time nothing is committed, whatever it got done.
  if (status.ok() && !answer.error && !limited.Check().ok()) {
    status = Refused(SQLITE_INTERRUPT, 0, answer);
  }
  context_ = nullptr;
  const bool commit = status.ok() && !answer.error;
  // A reader's size is that of what it saw.
  if (kind_ == ConnectionKind::kReader) answer.size_bytes = PageCount() * int64_t{kPageBytes};
  const bool changes = commit && sqlite3_txn_state(connection_, "main") == SQLITE_TXN_WRITE;
  const Status ended = EndRequest(commit, answer);
  ResetSession();
  ARROW_RETURN_NOT_OK(status);
  ARROW_RETURN_NOT_OK(ended);
  if (answer.error) {
    answer.results.clear();
    if (answer.error->code == "SQLITE_INTERRUPT") ARROW_RETURN_NOT_OK(ctx.Check());
  }
  answer.is_changed = changes && !answer.error;
  if (kind_ == ConnectionKind::kWriter) answer.size_bytes = PageCount() * int64_t{kPageBytes};
  return answer;
}

bool RequestConnection::CompilesToReads(std::span<const SqlText> request) {
  for (const SqlText& text : request) {
    if (text.sql.find('\0') != std::string::npos) return false;
    const char* at = SkipBlank(text.sql.c_str());
    while (*at != '\0') {
      sqlite3_stmt* raw = nullptr;
      const char* rest = nullptr;
      const int code = sqlite3_prepare_v2(connection_, at, -1, &raw, &rest);
      const OwnedStatement statement(raw);
      if (code != SQLITE_OK) return false;
      if (raw != nullptr && sqlite3_stmt_readonly(raw) == 0) return false;
      at = SkipBlank(rest);
    }
  }
  return true;
}

}  // namespace levada::db::sqlite
