#include "connectors/sqlite/sqlite_consumer.h"

#include <string>
#include <utility>

#include "connectors/sqlite/relation.h"
#include "connectors/sqlite/sqlite_faults.h"
#include "connectors/sqlite/sqlite_reader.h"
#include "connectors/sqlite/window_bounds.h"
#include "db/sqlite/database.h"
#include "elt/time_zone.h"

namespace levada::sqlite {
namespace {

using db::sqlite::Database;
using db::sqlite::OpenOptions;
using db::sqlite::QuoteName;
using db::sqlite::Statement;
using db::sqlite::Transaction;

// Counting further than this for an estimate would cost more than a progress bar is worth.
constexpr int64_t kCountMax = 1'000'000;
// The page cache, as much again where rows are sorted, and the statement.
constexpr int64_t kMemoryBytes = int64_t{6} << 20;

Result<std::unique_ptr<Database>> OpenDatabase(const Context& ctx, const elt::Options& options) {
  OpenOptions how;
  how.busy_timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(options.Duration("busy_timeout"));
  auto database = Database::Open(ctx, options.Text("path"), how, SourceFault);
  if (database.ok()) return database;
  const Fault fault = FaultOf(database.status());
  if (fault.kind().blame != Blame::kSource && fault.kind().blame != Blame::kAuth) return database;
  return Fault(fault).At({options.ErrorAt("path", fault.code(), fault.message(), fault.help())});
}

/// What is asked of the database. Also shown to people.
std::string SelectOf(const Relation& relation, const WindowBounds& bounds) {
  const std::string condition = Condition(bounds);
  if (!relation.statement.empty() && !relation.projected && condition.empty()) {
    return relation.statement;
  }
  std::string columns;
  for (const auto& field : relation.schema->fields()) {
    columns += (columns.empty() ? "" : ", ") + QuoteName(field->name());
  }
  if (!relation.row_id.empty()) columns += ", " + relation.row_id;
  std::string sql = "SELECT " + columns + " FROM " + relation.from;
  if (!condition.empty()) sql += " WHERE " + condition;
  // In the order of the window's column first, where an index on it has the rows already.
  std::string order = relation.order.empty() || condition.empty() ? "" : QuoteName(bounds.column);
  for (const std::string& column : relation.order) order += (order.empty() ? "" : ", ") + column;
  if (!order.empty()) sql += " ORDER BY " + order;
  return sql;
}

/// The first column of the first row; -1 when that is no count.
Result<int64_t> Count(const Context& ctx, Database& database, const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(Statement count, database.Prepare(ctx, sql));
  ARROW_ASSIGN_OR_RAISE(bool row, count.Step(ctx));
  if (!row || count.At(0).type != db::sqlite::CellType::kInteger) return -1;
  return count.Int64(0);
}

/// An upper bound where the database knows one at once, else -1.
Result<int64_t> EstimateRows(const Context& ctx, Database& database, const Relation& relation) {
  if (relation.row_id.empty()) return -1;
  const std::string from = " FROM " + relation.from + ")";
  return Count(ctx, database,
               "SELECT ifnull((SELECT max(" + relation.row_id + ")" + from + " - (SELECT min(" +
                   relation.row_id + ")" + from + " + 1, 0)");
}

/// The rows of a window, where an index can count them; else -1.
Result<int64_t> EstimateWindow(const Context& ctx, Database& database, const Relation& relation,
                               const WindowBounds& bounds) {
  const std::string rows = "SELECT 1 FROM " + relation.from + " WHERE " + Condition(bounds);
  ARROW_ASSIGN_OR_RAISE(Statement plan, database.Prepare(ctx, "EXPLAIN QUERY PLAN " + rows));
  ARROW_ASSIGN_OR_RAISE(bool row, plan.Step(ctx));
  const std::string detail = row ? plan.Text(3) : "";
  ARROW_ASSIGN_OR_RAISE(bool more, row ? plan.Step(ctx) : false);
  if (more || !detail.starts_with("SEARCH") || detail.find("INDEX") == std::string::npos) return -1;
  ARROW_ASSIGN_OR_RAISE(int64_t count, Count(ctx, database,
                                             "SELECT count(*) FROM (" + rows + " LIMIT " +
                                                 std::to_string(kCountMax) + ")"));
  return count < kCountMax ? count : -1;
}

Status CheckSchema(const arrow::Schema& live, const arrow::Schema& expected) {
  const std::string difference =
      elt::SchemaDifference(elt::SchemaFingerprint(expected), elt::SchemaFingerprint(live));
  if (difference.empty()) return Status::OK();
  return Fault(FaultCode::kSchemaDrift,
               "the source has changed since the run was planned: " + difference)
      .Help("run it again with --replace, under the new schema");
}

/// Whether the texts of the window column are only compared and never decoded.
bool IsUnread(const Relation& relation, const std::string& column) {
  for (const auto& field : relation.schema->fields()) {
    if (SameName(field->name(), column)) return field->type()->id() == arrow::Type::STRING;
  }
  return true;
}

/// Whether the clock of the window shows UTC from its start to its end.
Result<bool> ShowsUtc(const elt::Window& window) {
  ARROW_ASSIGN_OR_RAISE(elt::TimeZone zone, elt::TimeZone::Find(window.timezone));
  const elt::TimeZone::Period period = zone.At(window.start);
  return period.offset == 0 && period.end >= window.end;
}

Fault Stray(const std::string& type, const std::string& subject) {
  if (type == "null") {
    return Fault(FaultCode::kNullInWindow, subject + ": expected a time, got NULL")
        .Help("say which window takes such rows, run: { null: <window> }, or correct them");
  }
  return Fault(FaultCode::kValueRefused,
               subject + ": expected an ISO date or timestamp, got a value of type " + type +
                   (type == "text" ? " and another form, or with an offset from UTC" : ""))
      .Help("such rows have no place among windows: correct them, or convert the column in query:");
}

/// Rows that no window would ever take must not vanish, and none may be taken by a wrong one.
Status CheckNoStrays(const Context& ctx, Database& database, const Relation& relation,
                     const WindowBounds& bounds, const elt::RunInstance& run) {
  std::string condition = StrayCondition(bounds);
  if (condition.empty()) return Status::OK();
  if (run.window && IsUnread(relation, bounds.column)) {
    ARROW_ASSIGN_OR_RAISE(const bool is_utc, ShowsUtc(*run.window));
    condition += " OR (" + MisfitCondition(bounds, is_utc) + ")";
  }
  const std::string row_id = relation.row_id.empty() ? "NULL" : relation.row_id;
  ARROW_ASSIGN_OR_RAISE(
      Statement strays,
      database.Prepare(ctx, "SELECT typeof(" + QuoteName(bounds.column) + "), " + row_id +
                                " FROM " + relation.from + " WHERE " + condition + " LIMIT 1"));
  ARROW_ASSIGN_OR_RAISE(bool row, strays.Step(ctx));
  if (!row) return Status::OK();
  std::string subject = "window column \"" + bounds.column + "\"";
  if (!strays.IsNull(1)) subject += ", rowid " + strays.Text(1);
  Fault fault = Stray(strays.Text(0), subject);
  fault.With("column", bounds.column);
  if (!strays.IsNull(1)) fault.With("rowid", strays.Text(1));
  return fault;
}

}  // namespace

Result<elt::Source> SqliteConsumer::Describe(Context& ctx) const {
  ARROW_ASSIGN_OR_RAISE(auto database, OpenDatabase(ctx, options_));
  ARROW_ASSIGN_OR_RAISE(Relation relation, FindRelation(ctx, *database, options_));
  ARROW_ASSIGN_OR_RAISE(Statement version, database->Prepare(ctx, "SELECT sqlite_version()"));
  ARROW_RETURN_NOT_OK(version.Step(ctx).status());
  elt::Source source;
  source.schema = relation.schema;
  source.source_types = relation.source_types;
  source.hints.resize(relation.schema->num_fields());
  source.description = "SQLite " + version.Text(0) + ", \"" + options_.Text("path") + "\", " +
                       (relation.name.empty() ? "query" : "table " + relation.name);
  ARROW_ASSIGN_OR_RAISE(source.estimated_rows, EstimateRows(ctx, *database, relation));
  source.memory_bytes_per_slice = kMemoryBytes;
  source.repeatable = true;
  if (relation.order.empty()) {
    source.notes.push_back(
        "rows come in the order the query gives them; without ORDER BY another version of SQLite "
        "may give another, and so other files of the same rows");
  }
  return source;
}

Result<std::vector<elt::Partition>> SqliteConsumer::Split(Context& ctx, const elt::RunInstance& run,
                                                          const elt::Source& source,
                                                          const elt::SplitLimits&) const {
  ARROW_ASSIGN_OR_RAISE(auto database, OpenDatabase(ctx, options_));
  ARROW_ASSIGN_OR_RAISE(Relation relation, FindRelation(ctx, *database, options_));
  WindowBounds bounds;
  if (run.window) {
    ARROW_ASSIGN_OR_RAISE(auto type, TypeOfColumn(relation, run.window_column, options_));
    ARROW_ASSIGN_OR_RAISE(bounds, BoundsOf(run, *type));
  }
  elt::Partition partition;
  partition.id = "p0000";
  partition.meaning = Meaning(bounds);
  partition.bounds = bounds.ToJson();
  partition.query = SelectOf(relation, bounds);
  partition.estimated_rows = source.estimated_rows;
  if (run.window) {
    ARROW_ASSIGN_OR_RAISE(partition.estimated_rows,
                          EstimateWindow(ctx, *database, relation, bounds));
  }
  partition.slices = {elt::Slice{0, "{}"}};
  return std::vector<elt::Partition>{std::move(partition)};
}

Result<std::unique_ptr<elt::PartitionReader>> SqliteConsumer::Open(
    Context& ctx, const elt::RunInstance& run, const elt::Partition& partition,
    const elt::Source& source, const elt::BatchLimits& limits) const {
  ARROW_ASSIGN_OR_RAISE(WindowBounds bounds, WindowBounds::FromJson(partition.bounds));
  ARROW_ASSIGN_OR_RAISE(auto database, OpenDatabase(ctx, options_));
  ARROW_ASSIGN_OR_RAISE(auto snapshot,
                        Transaction::Begin(ctx, *database, Transaction::Kind::kRead));
  ARROW_ASSIGN_OR_RAISE(Relation relation, FindRelation(ctx, *database, options_));
  ARROW_RETURN_NOT_OK(CheckSchema(*relation.schema, *source.schema));
  ARROW_RETURN_NOT_OK(CheckNoStrays(ctx, *database, relation, bounds, run));
  OpenRelation open;
  open.sql = SelectOf(relation, bounds);
  open.has_row_id = !relation.row_id.empty();
  open.schema = relation.schema;
  open.limits = limits;
  open.database = std::move(database);
  open.snapshot = std::move(snapshot);
  return MakeReader(std::move(open));
}

}  // namespace levada::sqlite
