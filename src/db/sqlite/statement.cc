#include <sqlite3.h>

#include <utility>

#include "db/sqlite/database.h"

namespace levada::db::sqlite {
namespace {

/// SQLite makes other characters of surrogates that stand alone, and says nothing.
bool IsValidUtf16(const char16_t* text, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    const bool is_first = (text[i] & 0xfc00) == 0xd800;
    const bool is_second = (text[i] & 0xfc00) == 0xdc00;
    if (is_second || (is_first && (++i == size || (text[i] & 0xfc00) != 0xdc00))) return false;
  }
  return true;
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      sql_(std::move(other.sql_)),
      pending_code_(other.pending_code_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(statement_, other.statement_);
  std::swap(sql_, other.sql_);
  std::swap(pending_code_, other.pending_code_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::NoteBind(int code) {
  if (pending_code_ == SQLITE_OK) pending_code_ = code;
}

Statement& Statement::Bind(int parameter, int64_t value) {
  NoteBind(sqlite3_bind_int64(statement_, parameter, value));
  return *this;
}

Statement& Statement::Bind(int parameter, double value) {
  NoteBind(sqlite3_bind_double(statement_, parameter, value));
  return *this;
}

Statement& Statement::Bind(int parameter, std::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  NoteBind(sqlite3_bind_text64(statement_, parameter, text.empty() ? "" : text.data(), text.size(),
                               SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::BindBlob(int parameter, std::span<const uint8_t> bytes) {
  NoteBind(bytes.empty() ? sqlite3_bind_zeroblob(statement_, parameter, 0)
                         : sqlite3_bind_blob64(statement_, parameter, bytes.data(), bytes.size(),
                                               SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::BindNull(int parameter) {
  NoteBind(sqlite3_bind_null(statement_, parameter));
  return *this;
}

int Statement::parameter_count() const { return sqlite3_bind_parameter_count(statement_); }

Result<bool> Statement::Step(const Context& ctx) {
  Database::Entered entered(*database_, ctx);
  int code = std::exchange(pending_code_, SQLITE_OK);
  if (code == SQLITE_OK) {
    if (ctx.stop.stop_requested()) {
      code = SQLITE_INTERRUPT;
    } else {
      code = sqlite3_step(statement_);
      if (code == SQLITE_ROW) return true;
    }
  }
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  Status failure = database_->Failure(code, ctx, sql_);
  sqlite3_reset(statement_);
  return failure;
}

Status Statement::Run(const Context& ctx) {
  while (true) {
    ARROW_ASSIGN_OR_RAISE(bool row, Step(ctx));
    if (!row) return Status::OK();
  }
}

void Statement::Reset() { sqlite3_reset(statement_); }

Cell Statement::At(int column) {
  Cell cell;
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      cell.type = CellType::kInteger;
      cell.integer = sqlite3_column_int64(statement_, column);
      break;
    case SQLITE_FLOAT:
      cell.type = CellType::kReal;
      cell.real = sqlite3_column_double(statement_, column);
      break;
    case SQLITE_TEXT: {
      cell.type = CellType::kText;
      if (database_->is_utf16_) {
        const auto* wide = static_cast<const char16_t*>(sqlite3_column_text16(statement_, column));
        const auto size = static_cast<size_t>(sqlite3_column_bytes16(statement_, column));
        if (wide != nullptr && !IsValidUtf16(wide, size / sizeof(char16_t))) {
          cell.bytes = "\xff";
          cell.is_lost = true;
          break;
        }
      }
      // Converts where the database is UTF-16, so it comes before the size; null when there was no
      // memory for that, which must not pass for an empty text.
      const unsigned char* text = sqlite3_column_text(statement_, column);
      if (text == nullptr) {
        NoteBind(SQLITE_NOMEM);
        break;
      }
      cell.bytes = std::string_view(reinterpret_cast<const char*>(text),
                                    static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
      break;
    }
    case SQLITE_BLOB: {
      cell.type = CellType::kBlob;
      const void* bytes = sqlite3_column_blob(statement_, column);
      const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
      if (bytes == nullptr && size > 0) {
        NoteBind(SQLITE_NOMEM);
        break;
      }
      cell.bytes = std::string_view(static_cast<const char*>(bytes), size);
      break;
    }
    default:
      break;
  }
  return cell;
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

int64_t Statement::Int64(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::Text(int column) {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return {};
  return std::string(reinterpret_cast<const char*>(text),
                     static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

int Statement::column_count() const { return sqlite3_column_count(statement_); }

std::string Statement::ColumnName(int column) const {
  const char* name = sqlite3_column_name(statement_, column);
  return name == nullptr ? std::string() : name;
}

std::string Statement::DeclaredType(int column) const {
  const char* type = sqlite3_column_decltype(statement_, column);
  return type == nullptr ? std::string() : type;
}

bool Statement::reads_only() const { return sqlite3_stmt_readonly(statement_) != 0; }

}  // namespace levada::db::sqlite
