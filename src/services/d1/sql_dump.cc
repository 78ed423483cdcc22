#include "services/d1/sql_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "base/ascii.h"
#include "base/binary_text.h"
#include "db/sqlite/database.h"

namespace levada::services::d1 {
namespace {

using db::sqlite::Cell;
using db::sqlite::CellType;
using db::sqlite::Database;
using db::sqlite::QuoteName;
using db::sqlite::QuoteText;
using db::sqlite::Statement;

constexpr size_t kPieceBytes = 1 << 20;

struct Object {
  std::string type;
  std::string name;
  std::string sql;
};

std::string Literal(const Cell& cell) {
  switch (cell.type) {
    case CellType::kNull:
      return "NULL";
    case CellType::kInteger:
      // SQLite reads the smallest as a real when it is written as itself.
      return cell.integer == INT64_MIN ? "(-9223372036854775807-1)" : std::to_string(cell.integer);
    case CellType::kReal: {
      if (std::isinf(cell.real)) return cell.real > 0 ? "9.0e+999" : "-9.0e+999";
      std::string text = fmt::format("{}", cell.real);
      if (text.find_first_of(".e") == std::string::npos) text += ".0";
      return text;
    }
    case CellType::kText:
      // A literal ends at a NUL.
      return cell.bytes.find('\0') == std::string_view::npos
                 ? QuoteText(cell.bytes)
                 : "CAST(X'" + HexOf(cell.bytes) + "' AS TEXT)";
    case CellType::kBlob:
      break;
  }
  return "X'" + HexOf(cell.bytes) + "'";
}

class Dump final {
 public:
  Dump(const Context& ctx, Database& database, os::WritableFile& file, const DumpOptions& options)
      : ctx_(ctx), database_(database), file_(file), options_(options) {}

  Status Run() {
    ARROW_ASSIGN_OR_RAISE(const std::vector<Object> objects, Objects());
    out_ = "PRAGMA defer_foreign_keys=TRUE;\n";
    for (const Object& object : objects) {
      if (object.type != "table") continue;
      if (options_.has_schema) out_ += object.sql + ";\n";
      if (options_.has_data) ARROW_RETURN_NOT_OK(Rows(object.name));
    }
    if (options_.has_data) ARROW_RETURN_NOT_OK(Sequences(objects));
    for (const Object& object : objects) {
      if (object.type != "table" && options_.has_schema) out_ += object.sql + ";\n";
    }
    ARROW_RETURN_NOT_OK(Flush());
    return file_.Close();
  }

 private:
  Result<std::vector<Object>> Objects() {
    ARROW_ASSIGN_OR_RAISE(
        Statement select,
        database_.Prepare(ctx_,
                          "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT "
                          "NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"));
    std::vector<Object> objects;
    std::vector<std::string> missing = options_.tables;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const bool has_row, select.Step(ctx_));
      if (!has_row) break;
      const std::string table = select.Text(2);
      std::erase(missing, table);
      const bool is_asked_for = options_.tables.empty() ||
                                std::ranges::find(options_.tables, table) != options_.tables.end();
      if (!is_asked_for) continue;
      objects.push_back({select.Text(0), select.Text(1), select.Text(3)});
      if (StartsIgnoringCase(objects.back().sql, "create virtual table")) {
        return Fault(
            FaultCode::kBadValue,
            "cannot export databases with Virtual Tables (fts5): \"" + objects.back().name + "\"");
      }
    }
    if (!missing.empty()) {
      return Fault(FaultCode::kBadValue, "there is no table \"" + missing.front() + "\"");
    }
    return objects;
  }

  Status Rows(const std::string& table) {
    // Without the generated ones, which nobody may write.
    ARROW_ASSIGN_OR_RAISE(Statement info,
                          database_.Prepare(ctx_,
                                            "SELECT name FROM pragma_table_xinfo(?1) WHERE "
                                            "hidden = 0 ORDER BY cid"));
    info.Bind(1, table);
    std::string names;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const bool has_row, info.Step(ctx_));
      if (!has_row) break;
      names += (names.empty() ? "" : ",") + QuoteName(info.Text(0));
    }
    ARROW_ASSIGN_OR_RAISE(Statement select,
                          database_.Prepare(ctx_, "SELECT " + names + " FROM " + QuoteName(table)));
    const std::string begin = "INSERT INTO " + QuoteName(table) + " (" + names + ") VALUES(";
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const bool has_row, select.Step(ctx_));
      if (!has_row) return Status::OK();
      out_ += begin;
      for (int i = 0; i < select.column_count(); ++i) {
        if (i > 0) out_ += ",";
        out_ += Literal(select.At(i));
      }
      out_ += ");\n";
      if (out_.size() >= kPieceBytes) ARROW_RETURN_NOT_OK(Flush());
    }
  }

  /// The numbers that tables with AUTOINCREMENT have given. Only what has such a table has
  /// sqlite_sequence.
  Status Sequences(const std::vector<Object>& objects) {
    ARROW_ASSIGN_OR_RAISE(
        Statement find,
        database_.Prepare(ctx_, "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'"));
    ARROW_ASSIGN_OR_RAISE(const bool has_sequences, find.Step(ctx_));
    if (!has_sequences) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(
        Statement select,
        database_.Prepare(ctx_, "SELECT seq FROM sqlite_sequence WHERE name = ?1"));
    for (const Object& object : objects) {
      if (object.type != "table") continue;
      select.Reset();
      select.Bind(1, object.name);
      ARROW_ASSIGN_OR_RAISE(const bool has_number, select.Step(ctx_));
      if (!has_number) continue;
      const std::string name = QuoteText(object.name);
      out_ += "DELETE FROM sqlite_sequence WHERE name=" + name + ";\n";
      out_ += "INSERT INTO sqlite_sequence (name,seq) VALUES(" + name + "," +
              Literal(select.At(0)) + ");\n";
    }
    return Status::OK();
  }

  Status Flush() {
    ARROW_RETURN_NOT_OK(file_.Append({reinterpret_cast<const uint8_t*>(out_.data()), out_.size()}));
    out_.clear();
    return Status::OK();
  }

  const Context& ctx_;
  Database& database_;
  os::WritableFile& file_;
  const DumpOptions& options_;
  std::string out_;
};

Fault FaultOfSqlite(const db::sqlite::Error& error) {
  return db::sqlite::FaultFrom(
      error.kind == db::sqlite::ErrorKind::kFull ? FaultCode::kDiskFull : FaultCode::kInternal,
      "export of a database", error);
}

}  // namespace

Status DumpSql(const Context& ctx, const std::string& from, os::Disk& disk, const std::string& to,
               const DumpOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto database, Database::Open(ctx, from, {}, FaultOfSqlite));
  ARROW_ASSIGN_OR_RAISE(const auto file, disk.Create(to));
  return Dump(ctx, *database, *file, options).Run();
}

}  // namespace levada::services::d1
