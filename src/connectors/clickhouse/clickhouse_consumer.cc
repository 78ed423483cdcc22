#include "connectors/clickhouse/clickhouse_consumer.h"

#include <algorithm>
#include <mutex>
#include <string>

#include "base/failpoint.h"
#include "connectors/clickhouse/block_stream.h"
#include "connectors/clickhouse/relation.h"
#include "connectors/clickhouse/split.h"
#include "connectors/clickhouse/sql_text.h"

namespace levada::clickhouse {
namespace {

// The socket's and the frames' buffers, packed and not: ClickHouse's own frames are up to 1 MiB.
constexpr int64_t kSessionBytes = int64_t{3} << 20;

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

std::vector<std::string> NotesOf(const ReadySession& ready, const ConsumerOptions& options) {
  std::vector<std::string> notes = {
      "each partition sees the rows that are there when its query begins"};
  if (ready.plain_settings) {
    notes.push_back("the user may change no settings: rows come in any order");
  } else if (options.threads > 1) {
    notes.push_back("threads: " + std::to_string(options.threads) +
                    ": rows come in any order, and so other files of the same rows");
  }
  return notes;
}

class Reader final : public elt::PartitionReader {
 public:
  Reader(std::unique_ptr<Session> session, std::string doing, std::string sql,
         elt::SchemaPtr schema, const elt::BatchLimits& limits)
      : session_(std::move(session)),
        doing_(std::move(doing)),
        sql_(std::move(sql)),
        schema_(std::move(schema)),
        limits_(limits) {}

  Result<std::unique_ptr<elt::BatchStream>> Read(Context& ctx, int slice) override {
    const std::lock_guard lock(mutex_);
    if (slice != 0 || session_ == nullptr) {
      return Fault(FaultCode::kInternal, "clickhouse: no such slice, or one that was read");
    }
    ARROW_RETURN_NOT_OK(session_->Begin(ctx, doing_, sql_));
    LEVADA_FAILPOINT(ctx, "read.opened");
    return MakeBlockStream(ctx, std::move(session_), schema_, limits_);
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<Session> session_;
  const std::string doing_;
  const std::string sql_;
  const elt::SchemaPtr schema_;
  const elt::BatchLimits limits_;
};

}  // namespace

Result<elt::Source> ClickHouseConsumer::Describe(Context& ctx) const {
  ARROW_ASSIGN_OR_RAISE(const ReadySession ready, OpenSession(ctx, *options_, 0));
  Session& session = *ready.session;
  ARROW_ASSIGN_OR_RAISE(const Relation relation, FindRelation(ctx, session, *options_));
  ARROW_ASSIGN_OR_RAISE(const TableSize size, SizeOf(ctx, session, relation, *options_));
  elt::Source source;
  source.schema = relation.schema;
  for (const chnative::BlockColumn& column : relation.columns) {
    source.source_types.push_back(column.type);
  }
  source.hints.resize(relation.columns.size());
  source.description = "ClickHouse " + session.server().Version() + ", database \"" +
                       session.database() + "\", " + options_->What();
  source.estimated_rows = size.rows;
  source.estimated_bytes = size.bytes;
  source.memory_bytes_per_slice = kSessionBytes;
  source.repeatable = true;
  source.notes = NotesOf(ready, *options_);
  return source;
}

Result<std::vector<elt::Partition>> ClickHouseConsumer::Split(Context& ctx,
                                                              const elt::RunInstance& run,
                                                              const elt::Source& source,
                                                              const elt::SplitLimits&) const {
  ARROW_ASSIGN_OR_RAISE(const ReadySession ready, OpenSession(ctx, *options_, 0));
  ARROW_ASSIGN_OR_RAISE(const Relation relation, FindRelation(ctx, *ready.session, *options_));
  ARROW_RETURN_NOT_OK(CheckDrift(*source.schema, *relation.schema, *options_));
  return SplitRun(ctx, *ready.session, *options_, relation, run);
}

Result<std::unique_ptr<elt::PartitionReader>> ClickHouseConsumer::Open(
    Context& ctx, const elt::RunInstance& run, const elt::Partition& partition,
    const elt::Source& source, const elt::BatchLimits& limits) const {
  ARROW_ASSIGN_OR_RAISE(const PartitionBounds bounds, PartitionBounds::FromJson(partition.bounds));
  ARROW_ASSIGN_OR_RAISE(ReadySession ready, OpenSession(ctx, *options_, limits.rows));
  Session& session = *ready.session;
  ARROW_ASSIGN_OR_RAISE(const Relation relation, FindRelation(ctx, session, *options_));
  ARROW_RETURN_NOT_OK(CheckDrift(*source.schema, *relation.schema, *options_));
  ARROW_RETURN_NOT_OK(CheckBounds(ctx, session, relation, *options_, bounds));
  ARROW_ASSIGN_OR_RAISE(const std::string window,
                        WindowCondition(ctx, session, relation, *options_, run));
  // Of the whole relation, so once for a run is enough.
  if (partition.index == 0) {
    ARROW_RETURN_NOT_OK(CheckNoNulls(ctx, session, relation, *options_, run));
  }
  return std::make_unique<Reader>(
      std::move(ready.session), "cannot read " + options_->What(),
      SelectOf(relation, *options_, AllOf({window, bounds.Predicate()})), relation.schema, limits);
}

}  // namespace levada::clickhouse
