#include "connectors/postgres/postgres_consumer.h"

#include <arrow/type.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/glob.h"
#include "base/log.h"
#include "connectors/postgres/bounds.h"
#include "connectors/postgres/copy_out.h"
#include "connectors/postgres/marks.h"
#include "connectors/postgres/postgres_catalog.h"
#include "connectors/postgres/postgres_reader.h"
#include "connectors/postgres/run_predicate.h"
#include "connectors/postgres/session.h"
#include "connectors/postgres/split.h"
#include "connectors/postgres/subject.h"

namespace levada::postgres {
namespace {

// What libpq, a TLS session and a tuple that is split over two messages take, generously.
constexpr int64_t kSessionBytes = 256 << 10;

bool IsUnchecked(const pq::Connection& connection) {
  // Such a database stores and sends any bytes, whatever encoding a client asks for.
  return connection.Parameter("server_encoding") == "SQL_ASCII";
}

std::string DescriptionOf(const pq::Connection& connection, const ConsumerOptions& options) {
  const std::string version = connection.Parameter("server_version");
  return "PostgreSQL " + version.substr(0, version.find(' ')) + ", database \"" +
         connection.endpoint().database + "\", " +
         (options.table ? "table " + options.table->Written() : "a query");
}

/// What becomes of `connections:`, which must not be ignored without a word.
std::string ConnectionsNote(const pq::Connection& connection, const Subject& subject,
                            const ConsumerOptions& options) {
  const std::string one = "connections: each partition is read by one connection, because ";
  if (options.whole_partitions) return one + "a transformer compares its rows";
  if (connection.server_version() < kSliceVersionMin) {
    return one + "a server before PostgreSQL 14 cannot scan ranges of blocks";
  }
  if (!subject.relation) return one + "a query has no blocks to divide";
  if (!subject.relation->plain()) return one + "the table is not one file that can be divided";
  if (options.partition.rule != PartitionOptions::Rule::kDerived) {
    return one + "`partition:` has divided the table already; use parallel: { partitions }";
  }
  return "connections that read one partition share one snapshot; one more connection holds it";
}

bool IsFiltered(const Subject& subject) { return subject.relation && subject.relation->filtered; }

std::string FilteredNote(const pq::Connection& connection) {
  return "row security is on: only the rows that \"" + connection.endpoint().user +
         "\" may see are read";
}

std::vector<std::string> NotesOf(const pq::Connection& connection, bool standby,
                                 const Subject& subject, const ConsumerOptions& options) {
  std::vector<std::string> notes = {
      "each partition is read in one transaction: while it runs, vacuum keeps all rows that were "
      "deleted since it began"};
  if (options.connections != 1) notes.push_back(ConnectionsNote(connection, subject, options));
  if (IsFiltered(subject)) notes.push_back(FilteredNote(connection));
  if (standby) {
    notes.push_back(
        "the server is a standby: it may cancel a long read that conflicts with "
        "recovery; the read is then repeated");
  }
  if (IsUnchecked(connection)) {
    notes.push_back("the database's encoding is SQL_ASCII: every text is checked to be UTF-8");
  }
  if (subject.prints_names && !subject.relation) {
    notes.push_back(
        "names of tables, types and functions, read as text, stand without their schema where "
        "search_path finds them: another role may read another text");
  }
  if (options.partition.rule == PartitionOptions::Rule::kHash) {
    notes.push_back("partitions by hash: each of them reads the whole table");
  }
  return notes;
}

std::string Quoted(const std::string& name) { return "column \"" + name + "\""; }

Status CheckDrift(const arrow::Schema& expected, const arrow::Schema& live,
                  const ConsumerOptions& options) {
  const std::string difference =
      elt::SchemaDifference(elt::SchemaFingerprint(expected), elt::SchemaFingerprint(live));
  if (difference.empty()) return Status::OK();
  return Fault(FaultCode::kSchemaDrift,
               options.What() + " has changed since the run was planned: " + difference)
      .Help(
          "run it again to plan with the new schema; `columns:` keeps a schema while others are "
          "added");
}

/// The columns that partitions and windows were cut by need not be among those that are read, but
/// what their bounds mean follows from their types.
Status CheckOrder(const std::string& name, Order expected, const char* what, const Subject& subject,
                  const ConsumerOptions& options) {
  const pq::StatementColumn* column = subject.Find(name);
  const Order now = column == nullptr ? Order::kNone : OrderOf(column->type_oid, subject.types);
  if (column != nullptr && now == expected) return Status::OK();
  const std::string got = column == nullptr ? "no such column" : std::string(NameOf(now));
  return Fault(FaultCode::kSchemaDrift,
               options.What() + " has changed since the run was split: " + Quoted(name) +
                   ", which its " + what + " are cut by: expected order " +
                   std::string(NameOf(expected)) + ", got " + got)
      .With("column", name)
      .Help("run it again with --replace to cut it anew");
}

Status CheckBounds(const PartitionBounds& bounds, const elt::RunInstance& run,
                   const Subject& subject, const ConsumerOptions& options) {
  if (!run.Column().empty() && bounds.run_order != Order::kNone) {
    ARROW_RETURN_NOT_OK(CheckOrder(run.Column(), bounds.run_order,
                                   run.increment ? "increments" : "windows", subject, options));
  }
  if (bounds.kind == PartitionBounds::Kind::kAll) return Status::OK();
  return CheckOrder(bounds.by, bounds.order, "partitions", subject, options);
}

/// A row without a place among the others, if there is one: whether it is NULL.
Result<std::optional<bool>> FindUnplaced(const Context& ctx, pq::Connection& connection,
                                         const Subject& subject, const ConsumerOptions& options,
                                         const pq::StatementColumn& column) {
  constexpr const char* kDoing = "cannot look for rows without a place among the others";
  const Order order = OrderOf(column.type_oid, subject.types);
  const std::string unplaced = UnplacedPredicate(column.name, order, !subject.IsNotNull(column));
  if (unplaced.empty()) return std::nullopt;
  bool indexed = false;
  if (subject.relation) {
    ARROW_ASSIGN_OR_RAISE(indexed, HasIndexOn(ctx, connection, *subject.relation, column.name));
  }
  // Statistics do not say that no value is infinite: the planner expects a few, and to meet the
  // first of them soon by reading the table from its beginning.
  if (indexed) {
    ARROW_RETURN_NOT_OK(connection.Execute(ctx, kDoing, "set local enable_seqscan = off"));
  }
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      connection.Query(ctx, kDoing,
                       "select " + pq::QuoteIdentifier(column.name) + " is null from " +
                           FromOf(subject, options) + " where " + unplaced + " limit 1"));
  if (indexed) {
    ARROW_RETURN_NOT_OK(connection.Execute(ctx, kDoing, "set local enable_seqscan to default"));
  }
  if (rows.empty()) return std::nullopt;
  return rows[0][0] == "t";
}

std::string PlaceHelp(const elt::RunInstance& run, bool null) {
  if (run.increment) {
    return null ? "read a query: that gives them one: select *, coalesce(...) as mark from ..."
                : "read a query: that leaves them out, or gives them a time";
  }
  return std::string("say with run: { null: <window's label> } which window takes them") +
         (null ? "" : ", and with infinity: what they become");
}

/// Rows without a place are in no run, and without this nobody would miss them. Once per run, by
/// its first partition and in that partition's snapshot.
Status CheckAllPlaced(const Context& ctx, pq::Connection& connection, const Subject& subject,
                      const ConsumerOptions& options, const elt::RunInstance& run) {
  if (run.Column().empty() || run.null_window != elt::NullWindow::kError) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const pq::StatementColumn* column,
                        NeedColumn(subject, options, run.Column(), "run: column"));
  ARROW_ASSIGN_OR_RAISE(const std::optional<bool> null,
                        FindUnplaced(ctx, connection, subject, options, *column));
  if (!null) return Status::OK();
  return Fault(FaultCode::kNullInWindow, Quoted(column->name) + " of " + options.What() + " is " +
                                             (*null ? "NULL" : "infinite") +
                                             " in some rows: they belong to no " +
                                             (run.increment ? "increment" : "window"))
      .With("column", column->name)
      .Help(PlaceHelp(run, *null));
}

Result<std::string> SnapshotText(const Context& ctx, pq::Connection& connection) {
  ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                        connection.Query(ctx, "cannot read the snapshot",
                                         "select pg_catalog.txid_current_snapshot()::text"));
  return rows.empty() ? std::string() : "snapshot " + rows[0][0].value_or("");
}

}  // namespace

Result<elt::Source> PostgresConsumer::Describe(Context& ctx) const {
  ARROW_ASSIGN_OR_RAISE(const auto connection, BeginSession(ctx, *options_));
  ARROW_ASSIGN_OR_RAISE(const Subject subject, FindSubject(ctx, *connection, *options_));
  ARROW_ASSIGN_OR_RAISE(const Estimate estimate,
                        EstimateOf(ctx, *connection, "cannot read " + options_->What(),
                                   SelectOf(subject, *options_, {})));
  ARROW_ASSIGN_OR_RAISE(const auto statistics, FindStatistics(ctx, *connection, subject.selected));
  elt::Source source;
  source.schema = subject.schema;
  source.source_types = subject.SourceTypes();
  for (const ColumnStatistics& column : statistics) {
    source.hints.push_back({column.distinct, column.average_bytes, column.null_fraction});
  }
  source.description = DescriptionOf(*connection, *options_);
  source.estimated_rows = estimate.rows;
  source.estimated_bytes = estimate.rows >= 0 && estimate.row_bytes >= 0
                               ? estimate.rows * std::min<int64_t>(estimate.row_bytes, 1 << 20)
                               : -1;
  if (subject.relation && subject.relation->bytes >= 0) {
    source.estimated_bytes = subject.relation->bytes;
  }
  source.memory_bytes_per_slice = CopyOut::kBufferBytes + kSessionBytes;
  source.repeatable = true;
  ARROW_ASSIGN_OR_RAISE(const bool standby, IsStandby(ctx, *connection));
  source.notes = NotesOf(*connection, standby, subject, *options_);
  return source;
}

Result<std::vector<elt::Partition>> PostgresConsumer::Split(Context& ctx,
                                                            const elt::RunInstance& run,
                                                            const elt::Source& source,
                                                            const elt::SplitLimits& limits) const {
  ARROW_ASSIGN_OR_RAISE(const auto connection, BeginSession(ctx, *options_));
  ARROW_ASSIGN_OR_RAISE(const Subject subject, FindSubject(ctx, *connection, *options_));
  ARROW_RETURN_NOT_OK(CheckDrift(*source.schema, *subject.schema, *options_));
  return SplitRun(ctx, *connection, *options_, subject, run, limits);
}

Result<std::unique_ptr<elt::PartitionReader>> PostgresConsumer::Open(
    Context& ctx, const elt::RunInstance& run, const elt::Partition& partition,
    const elt::Source& source, const elt::BatchLimits& limits) const {
  ReaderInput input;
  input.options = options_;
  input.limits = limits;
  ARROW_ASSIGN_OR_RAISE(const PartitionBounds bounds, PartitionBounds::FromJson(partition.bounds));
  for (const elt::Slice& slice : partition.slices) {
    ARROW_ASSIGN_OR_RAISE(const SliceBounds slice_bounds, SliceBounds::FromJson(slice.bounds));
    input.slices.push_back(slice_bounds);
  }
  SessionView view;
  if (run.increment) view.position = run.increment->position;
  ARROW_ASSIGN_OR_RAISE(auto session, BeginSession(ctx, *options_, view));
  ARROW_ASSIGN_OR_RAISE(input.subject, FindSubject(ctx, *session, *options_));
  ARROW_RETURN_NOT_OK(CheckDrift(*source.schema, *input.subject.schema, *options_));
  ARROW_RETURN_NOT_OK(CheckBounds(bounds, run, input.subject, *options_));
  ARROW_ASSIGN_OR_RAISE(const std::string rows, RunPredicate(input.subject, *options_, run));
  input.condition = AllOf({rows, bounds.Predicate()});
  ARROW_RETURN_NOT_OK(
      CheckSeenBySnapshot(ctx, *session, input.subject, *options_, input.condition));
  if (partition.index == 0) {
    // Nobody need have looked at the plan's notes.
    if (IsFiltered(input.subject)) {
      ctx.log->Warning(FilteredNote(*session), {{"table", options_->What()}});
    }
    ARROW_RETURN_NOT_OK(CheckAllPlaced(ctx, *session, input.subject, *options_, run));
  }
  input.validate_utf8 = IsUnchecked(*session);
  ARROW_ASSIGN_OR_RAISE(input.position, SnapshotText(ctx, *session));
  std::optional<Snapshot> snapshot;
  if (input.slices.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(snapshot, ExportSnapshot(ctx, *session));
  }
  return std::make_unique<PostgresReader>(std::move(input), std::move(session),
                                          std::move(snapshot));
}

Result<std::vector<elt::FoundTable>> FindTablesLike(Context& ctx, const ConsumerOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto connection, BeginSession(ctx, options));
  ARROW_ASSIGN_OR_RAISE(const std::vector<TableName> all, ListTables(ctx, *connection));
  std::vector<elt::FoundTable> tables;
  for (const TableName& table : all) {
    const std::string name = table.schema + "." + table.name;
    const auto is_like = [&](const std::string& pattern) { return MatchesGlob(pattern, name); };
    if (!is_like(options.tables) || std::ranges::any_of(options.exclude, is_like)) continue;
    tables.push_back({table.schema, table.name, table.Written()});
  }
  return tables;
}

Result<elt::Mark> PostgresConsumer::FindMark(Context& ctx, const elt::MarkRequest& request) const {
  ARROW_ASSIGN_OR_RAISE(const auto connection, BeginSession(ctx, *options_));
  ARROW_ASSIGN_OR_RAISE(const Subject subject, FindSubject(ctx, *connection, *options_));
  return MarkOf(ctx, *connection, *options_, subject, request);
}

}  // namespace levada::postgres
