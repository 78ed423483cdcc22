#include "connectors/sqlite/sqlite_consumer.h"

#include <string>
#include <utility>

#include "connectors/sqlite/relation.h"
#include "connectors/sqlite/row_range.h"
#include "connectors/sqlite/select_text.h"
#include "connectors/sqlite/source_file.h"
#include "connectors/sqlite/split.h"
#include "connectors/sqlite/sqlite_reader.h"
#include "db/sqlite/database.h"
#include "db/sqlite/snapshot.h"
#include "elt/time_zone.h"

namespace levada::sqlite {
namespace {

using db::sqlite::Database;
using db::sqlite::QuoteName;
using db::sqlite::Statement;
using db::sqlite::Transaction;

// The page cache, as much again where rows are sorted, and the statement.
constexpr int64_t kMemoryBytes = int64_t{6} << 20;

Status CheckSchema(const arrow::Schema& live, const arrow::Schema& expected) {
  const std::string difference =
      elt::SchemaDifference(elt::SchemaFingerprint(expected), elt::SchemaFingerprint(live));
  if (difference.empty()) return Status::OK();
  return Fault(FaultCode::kSchemaDrift,
               "the source has changed since the run was planned: " + difference)
      .Help("run it again with --replace, under the new schema");
}

/// Whether there may be texts in the window column that nothing decodes, or of which nobody hears
/// when they cannot be.
bool IsUnread(const Relation& relation, const std::string& column) {
  for (int c = 0; c < relation.schema->num_fields(); ++c) {
    const arrow::Field& field = *relation.schema->field(c);
    if (!SameName(field.name(), column)) continue;
    return field.type()->id() == arrow::Type::STRING ||
           relation.mixed[static_cast<size_t>(c)] != Mixed::kError;
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

/// The connections of an attempt: one for each slice, and the watcher that proves them to see one
/// state of several connections or files.
struct Connections {
  std::vector<std::unique_ptr<Database>> slices;
  std::unique_ptr<Database> watcher;
};

Result<Connections> Connect(const Context& ctx, const ConsumerOptions& options, size_t slices) {
  Connections connections;
  for (size_t i = 0; i < slices; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto database, OpenFiles(ctx, options));
    connections.slices.push_back(std::move(database));
  }
  const bool needs_proof = slices > 1 || !options.attached.empty();
  if (needs_proof && !options.immutable) {
    ARROW_ASSIGN_OR_RAISE(connections.watcher, OpenFiles(ctx, options));
  }
  return connections;
}

Result<std::vector<FileHeader>> HeadersOf(Database& database) {
  std::vector<FileHeader> headers;
  for (const std::string& schema : database.schemas()) {
    ARROW_ASSIGN_OR_RAISE(db::sqlite::FileState state, db::sqlite::ReadFileState(database, schema));
    // With a write-ahead log others move pages into the file while we read.
    if (state.is_wal) continue;
    headers.push_back({schema, std::move(state.header)});
  }
  return headers;
}

}  // namespace

Result<elt::Source> SqliteConsumer::Describe(Context& ctx) const {
  ARROW_ASSIGN_OR_RAISE(auto database, OpenFiles(ctx, *options_));
  ARROW_ASSIGN_OR_RAISE(Relation relation, FindRelation(ctx, *database, *options_));
  ARROW_ASSIGN_OR_RAISE(Statement version, database->Prepare(ctx, "SELECT sqlite_version()"));
  ARROW_RETURN_NOT_OK(version.Step(ctx).status());
  elt::Source source;
  source.schema = relation.schema;
  source.source_types = relation.source_types;
  source.hints.resize(static_cast<size_t>(relation.schema->num_fields()));
  const std::string file = options_->schema == "main" ? "" : options_->schema + ".";
  source.description = "SQLite " + version.Text(0) + ", \"" + options_->path + "\", " +
                       (relation.name.empty() ? "query" : "table " + file + relation.name);
  ARROW_ASSIGN_OR_RAISE(source.estimated_rows, RowsAtMost(ctx, *database, relation));
  source.memory_bytes_per_slice = kMemoryBytes;
  source.repeatable = true;
  ARROW_ASSIGN_OR_RAISE(source.notes, NotesOfRelation(ctx, *database, relation, *options_));
  ARROW_ASSIGN_OR_RAISE(const auto of_files, NotesOfFiles(*database, *options_));
  source.notes.insert(source.notes.end(), of_files.begin(), of_files.end());
  return source;
}

Result<std::vector<elt::Partition>> SqliteConsumer::Split(Context& ctx, const elt::RunInstance& run,
                                                          const elt::Source& source,
                                                          const elt::SplitLimits& limits) const {
  ARROW_ASSIGN_OR_RAISE(auto database, OpenFiles(ctx, *options_));
  ARROW_ASSIGN_OR_RAISE(const auto snapshot,
                        Transaction::Begin(ctx, *database, Transaction::Kind::kRead));
  ARROW_ASSIGN_OR_RAISE(const Relation relation, FindRelation(ctx, *database, *options_));
  ARROW_RETURN_NOT_OK(CheckSchema(*relation.schema, *source.schema));
  return SplitRun(ctx, *database, *options_, relation, run, limits);
}

Result<std::unique_ptr<elt::PartitionReader>> SqliteConsumer::Open(
    Context& ctx, const elt::RunInstance& run, const elt::Partition& partition,
    const elt::Source& source, const elt::BatchLimits& limits) const {
  ARROW_ASSIGN_OR_RAISE(const PartitionBounds bounds, PartitionBounds::FromJson(partition.bounds));
  std::vector<RowRange> slices;
  for (const elt::Slice& slice : partition.slices) {
    ARROW_ASSIGN_OR_RAISE(RowRange range, RowRange::FromJson(slice.bounds));
    slices.push_back(std::move(range));
  }
  ARROW_ASSIGN_OR_RAISE(Connections connections, Connect(ctx, *options_, slices.size()));
  std::vector<Database*> readers;
  for (const auto& database : connections.slices) readers.push_back(database.get());
  ARROW_ASSIGN_OR_RAISE(
      auto snapshot,
      db::sqlite::TakeSnapshot(ctx, readers, connections.watcher.get(), options_->busy_timeout));
  connections.watcher.reset();
  Database& first = *readers.front();
  ARROW_ASSIGN_OR_RAISE(Relation relation, FindRelation(ctx, first, *options_));
  ARROW_RETURN_NOT_OK(CheckSchema(*relation.schema, *source.schema));
  ARROW_RETURN_NOT_OK(CheckBounds(bounds, relation, *options_));
  // Of the whole relation, so once for a run is enough.
  if (partition.index == 0) {
    ARROW_RETURN_NOT_OK(CheckNoStrays(ctx, first, relation, bounds.window, run));
  }
  OpenPartition open;
  open.position = snapshot.moment;
  open.limits = limits;
  ARROW_ASSIGN_OR_RAISE(open.headers, HeadersOf(first));
  for (size_t i = 0; i < slices.size(); ++i) {
    open.slices.push_back({std::move(connections.slices[i]), std::move(snapshot.transactions[i]),
                           SelectOf(relation, bounds, slices[i])});
  }
  open.relation = std::make_shared<const Relation>(std::move(relation));
  return MakeReader(std::move(open));
}

}  // namespace levada::sqlite
