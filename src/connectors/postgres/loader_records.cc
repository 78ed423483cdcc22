#include "connectors/postgres/loader_records.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "connectors/postgres/loader_session.h"

namespace levada::postgres {
namespace {

// Of what these tables hold and mean; another one is not read.
constexpr int kLayout = 1;
constexpr const char* kWriting = "cannot write the records of";
constexpr const char* kReading = "cannot read the records of";

int64_t Number(const std::optional<std::string>& text) {
  int64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

std::string NameIn(const TableName& table, const char* name) {
  return TableName{table.schema, name}.Quoted();
}

pq::Parameters Of(const RunKey& key, pq::Parameters more = {}) {
  pq::Parameters parameters{key.table.name, key.pipeline, key.label};
  parameters.insert(parameters.end(), more.begin(), more.end());
  return parameters;
}

constexpr const char* kOne = " where table_name = $1 and pipeline = $2 and label = $3";

Status Write(const Context& ctx, pq::Connection& connection, const RunKey& key,
             const std::string& sql, pq::Parameters more = {}) {
  return Ask(ctx, connection, key.table, kWriting, sql, Of(key, std::move(more))).status();
}

Status Damaged(const RunKey& key, const Status& why) {
  const Fault inner = FaultOf(why);
  Fault fault(FaultCode::kManifestCorrupt,
              fmt::format("records of run \"{}\" of {} in {}: {}", key.label, key.table.Written(),
                          key.Runs(), inner.message()));
  fault.With("table", key.table.Written());
  const std::string hint = inner.help().empty() ? "" : inner.help() + "; or ";
  return fault.Help(hint + "write the run anew with --replace");
}

Status CheckLayout(const RunKey& key, const std::optional<std::string>& layout) {
  if (Number(layout) == kLayout) return Status::OK();
  return Fault(FaultCode::kManifestCorrupt,
               fmt::format("{}: expected layout {}, got {}", key.Runs(), kLayout,
                           layout.value_or("none")))
      .Help("it was written by another version of levada; use that one");
}

Result<std::optional<elt::SplitRecord>> ParseSplit(const std::optional<std::string>& text) {
  if (!text) return std::optional<elt::SplitRecord>();
  ARROW_ASSIGN_OR_RAISE(elt::SplitRecord split, elt::SplitRecord::FromJson(*text));
  return std::optional<elt::SplitRecord>(std::move(split));
}

Status ParseRun(const RunKey& key, const pq::Row& row, RunState& state) {
  auto split = ParseSplit(row[5]);
  auto finished = ParseSplit(row[6]);
  if (split.ok()) state.split = *std::move(split);
  if (finished.ok()) state.finished = *std::move(finished);
  if (!finished.ok()) state.damage = Damaged(key, finished.status());
  if (!split.ok()) state.damage = Damaged(key, split.status());
  return Status::OK();
}

Status ReadRows(const Context& ctx, pq::Connection& connection, const RunKey& key,
                RunState& state) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      Ask(ctx, connection, key.table, kReading,
          "select layout, generation, holder, process, held_since, split, finished_split, "
          "finished_at from " +
              key.Runs() + kOne,
          Of(key)));
  if (rows.empty()) return Status::OK();
  const pq::Row& row = rows[0];
  ARROW_RETURN_NOT_OK(CheckLayout(key, row[0]));
  state.holder = {Number(row[1]), row[2].value_or(""), row[3].value_or(""), row[4].value_or("")};
  state.finished_at = row[7].value_or("");
  ARROW_RETURN_NOT_OK(ParseRun(key, row, state));
  const auto& shown = state.split ? state.split : state.finished;
  if (!shown) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const pq::Rows commits,
                        Ask(ctx, connection, key.table, kReading,
                            "select record from " + key.Commits() + kOne + " and revision = $4",
                            Of(key, {std::to_string(shown->revision)})));
  for (const pq::Row& commit : commits) {
    auto record = elt::PartitionRecord::FromJson(commit[0].value_or(""));
    if (record.ok()) {
      state.records.emplace(record->partition, *record);
    } else {
      state.damage = Damaged(key, record.status());
    }
  }
  return Status::OK();
}

}  // namespace

std::string RunKey::Runs() const { return NameIn(table, "_levada_runs"); }
std::string RunKey::Commits() const { return NameIn(table, "_levada_commits"); }

std::string RunKey::Identity() const {
  // No two of them are alike, whatever the parts hold.
  return fmt::format("levada {} {}{}:{}:{}:{}", table.schema.size(), table.schema,
                     table.name.size(), table.name, pipeline.size(), pipeline + label);
}

Result<bool> HasRecordTables(const Context& ctx, pq::Connection& connection,
                             const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      Ask(ctx, connection, table, kReading,
          "select pg_catalog.to_regclass($1) is not null and pg_catalog.to_regclass($2) is not "
          "null",
          {NameIn(table, "_levada_runs"), NameIn(table, "_levada_commits")}));
  return !rows.empty() && rows[0][0] == "t";
}

Status CreateRecordTables(const Context& ctx, pq::Connection& connection, const TableName& table) {
  const RunKey key{table, "", ""};
  const std::string sql = "create table if not exists " + key.Runs() +
                          " (table_name text not null, pipeline text not null, label text not "
                          "null, layout int4 not null, generation int8 not null, holder text not "
                          "null, process text not null, held_since text not null, split text, "
                          "finished_split text, finished_at text, rows int8, "
                          "primary key (table_name, pipeline, label))";
  ARROW_RETURN_NOT_OK(Ask(ctx, connection, table, kWriting, sql));
  const std::string commits =
      "create table if not exists " + key.Commits() +
      " (table_name text not null, pipeline text not null, label text not null, revision int4 not "
      "null, partition text not null, attempt text not null, generation int8 not null, rows int8 "
      "not null, record text not null, committed_at timestamptz not null default now(), "
      "primary key (table_name, pipeline, label, revision, partition))";
  return Ask(ctx, connection, table, kWriting, commits).status();
}

Result<RunState> ReadRunState(const Context& ctx, pq::Connection& connection, const RunKey& key) {
  RunState state;
  ARROW_RETURN_NOT_OK(InTransaction(ctx, connection, key.table, [&]() -> Status {
    ARROW_RETURN_NOT_OK(Ask(ctx, connection, key.table, kReading,
                            "set transaction isolation level repeatable read, read only"));
    ARROW_ASSIGN_OR_RAISE(const bool there, HasRecordTables(ctx, connection, key.table));
    return there ? ReadRows(ctx, connection, key, state) : Status::OK();
  }));
  return state;
}

Result<std::vector<std::string>> ReadLabels(const Context& ctx, pq::Connection& connection,
                                            const TableName& table, const std::string& pipeline) {
  std::vector<std::string> labels;
  ARROW_ASSIGN_OR_RAISE(const bool there, HasRecordTables(ctx, connection, table));
  if (!there) return labels;
  ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                        Ask(ctx, connection, table, kReading,
                            "select label from " + RunKey{table, "", ""}.Runs() +
                                " where table_name = $1 and pipeline = $2 and (split is not null "
                                "or finished_split is not null) order by label collate \"C\"",
                            {table.name, pipeline}));
  for (const pq::Row& row : rows) labels.push_back(row[0].value_or(""));
  return labels;
}

Result<std::string> OtherPipeline(const Context& ctx, pq::Connection& connection,
                                  const RunKey& key) {
  ARROW_ASSIGN_OR_RAISE(const bool there, HasRecordTables(ctx, connection, key.table));
  if (!there) return std::string();
  ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                        Ask(ctx, connection, key.table, kReading,
                            "select pipeline from " + key.Runs() +
                                " where table_name = $1 and pipeline <> $2 and (split is not null "
                                "or finished_split is not null) limit 1",
                            {key.table.name, key.pipeline}));
  return rows.empty() ? std::string() : rows[0][0].value_or("");
}

Result<int64_t> RaiseGeneration(const Context& ctx, pq::Connection& connection, const RunKey& key,
                                const Holder& holder) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      Ask(ctx, connection, key.table, kWriting,
          "insert into " + key.Runs() +
              " as r (table_name, pipeline, label, layout, generation, holder, process, "
              "held_since) values ($1, $2, $3, " +
              std::to_string(kLayout) +
              ", 1, $4, $5, $6) on conflict (table_name, pipeline, label) do update set "
              "generation = r.generation + 1, holder = excluded.holder, process = "
              "excluded.process, held_since = excluded.held_since returning layout, generation",
          Of(key, {holder.id, holder.process, holder.since})));
  if (rows.empty()) return Fault(FaultCode::kInternal, "no generation was written");
  ARROW_RETURN_NOT_OK(CheckLayout(key, rows[0][0]));
  return Number(rows[0][1]);
}

Status CheckHolder(const Context& ctx, pq::Connection& connection, const RunKey& key,
                   const Holder& holder) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      Ask(ctx, connection, key.table, kReading,
          "select generation, holder, process from " + key.Runs() + kOne + " for update", Of(key)));
  const bool ours =
      !rows.empty() && Number(rows[0][0]) == holder.generation && rows[0][1] == holder.id;
  if (ours) return Status::OK();
  Fault fault(FaultCode::kFenced,
              fmt::format("generation {} of this run is no longer the one that may write",
                          holder.generation));
  if (!rows.empty()) {
    fault.With("generation", rows[0][0].value_or("")).With("process", rows[0][2].value_or(""));
  }
  return std::move(fault).Help("another process has taken the run over; let it finish");
}

Status PutSplit(const Context& ctx, pq::Connection& connection, const RunKey& key,
                const elt::SplitRecord& split) {
  return Write(ctx, connection, key, "update " + key.Runs() + " set split = $4" + kOne,
               {split.ToJson()});
}

Status PutCommit(const Context& ctx, pq::Connection& connection, const RunKey& key,
                 const elt::PartitionRecord& record) {
  return Write(ctx, connection, key,
               "insert into " + key.Commits() +
                   " (table_name, pipeline, label, revision, partition, attempt, generation, rows, "
                   "record) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
               {std::to_string(record.revision), record.partition, record.attempt_id,
                std::to_string(record.generation), std::to_string(record.Rows()), record.ToJson()});
}

Result<std::optional<std::string>> CommittedAttempt(const Context& ctx, pq::Connection& connection,
                                                    const RunKey& key, int revision,
                                                    const std::string& partition) {
  ARROW_ASSIGN_OR_RAISE(const pq::Rows rows, Ask(ctx, connection, key.table, kReading,
                                                 "select attempt from " + key.Commits() + kOne +
                                                     " and revision = $4 and partition = $5",
                                                 Of(key, {std::to_string(revision), partition})));
  return rows.empty() ? std::optional<std::string>() : rows[0][0];
}

Status DropCommit(const Context& ctx, pq::Connection& connection, const RunKey& key, int revision,
                  const std::string& partition) {
  return Write(ctx, connection, key,
               "delete from " + key.Commits() + kOne + " and revision = $4 and partition = $5",
               {std::to_string(revision), partition});
}

Status PutFinished(const Context& ctx, pq::Connection& connection, const RunKey& key,
                   const elt::SplitRecord& split, int64_t rows, const std::string& finished_at) {
  ARROW_RETURN_NOT_OK(Write(ctx, connection, key,
                            "update " + key.Runs() +
                                " set split = null, finished_split = $4, finished_at = $5, rows = "
                                "$6" +
                                kOne,
                            {split.ToJson(), finished_at, std::to_string(rows)}));
  return Write(ctx, connection, key, "delete from " + key.Commits() + kOne + " and revision <> $4",
               {std::to_string(split.revision)});
}

Status DropSplit(const Context& ctx, pq::Connection& connection, const RunKey& key, int revision) {
  ARROW_RETURN_NOT_OK(
      Write(ctx, connection, key, "update " + key.Runs() + " set split = null" + kOne));
  return Write(ctx, connection, key, "delete from " + key.Commits() + kOne + " and revision = $4",
               {std::to_string(revision)});
}

elt::PublishedRun Compose(const RunState& state, const RunKey& key) {
  elt::PublishedRun run;
  run.pipeline = key.pipeline;
  run.label = key.label;
  run.damage = state.damage;
  run.generation = state.holder.generation;
  if (state.finished) {
    run.finished = true;
    run.ShowRowsOf(*state.finished);
    run.plan_hash = state.finished->plan_hash;
    run.schema = state.finished->schema;
    run.revision = state.finished->revision;
    run.begun_at = state.finished->created_at;
    run.finished_at = state.finished_at;
  }
  for (const auto& [id, record] : state.records) {
    run.partitions.push_back(record);
    if (!state.split) run.rows += record.Rows();
  }
  if (state.split) {
    run.ShowRowsOf(*state.split);
    run.pending = state.split;
  }
  return run;
}

}  // namespace levada::postgres
