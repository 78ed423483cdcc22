#include "connectors/postgres/loader_postgres.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "connectors/postgres/loader_records.h"
#include "connectors/postgres/loader_run.h"
#include "connectors/postgres/loader_session.h"
#include "connectors/postgres/loader_table.h"

namespace levada::postgres {
namespace {

// Two chunks of encoded rows, what libpq keeps of them, and a session.
constexpr int64_t kMemoryBytesPerSlice = 4 << 20;
// Goes into the split; a build that stages otherwise counts on.
constexpr const char* kFrozen = R"({"loader":"postgres","version":1})";

class PostgresLoader final : public elt::Loader {
 public:
  PostgresLoader(LoaderOptions options, Random& random)
      : options_(std::move(options)), random_(random) {}

  Result<elt::BoundTarget> Bind(Context& ctx, const elt::SchemaPtr& schema,
                                const std::vector<elt::ColumnHint>&,
                                const elt::RunInstance& run) const override {
    ARROW_ASSIGN_OR_RAISE(auto connection, OpenTarget(ctx, options_));
    ARROW_ASSIGN_OR_RAISE(const TargetTable table, FindTargetTable(ctx, *connection, options_));
    ARROW_ASSIGN_OR_RAISE(const LoadPlan plan, PlanLoad(options_, table, *schema, run));
    elt::BoundTarget bound;
    bound.schema = schema;
    for (const LoadedColumn& column : plan.columns)
      bound.target_types.push_back(column.target_type);
    bound.frozen = kFrozen;
    bound.memory_bytes_per_slice = kMemoryBytesPerSlice;
    const pq::Endpoint& endpoint = connection->endpoint();
    bound.description = fmt::format("PostgreSQL {}, database \"{}\", table {}, {}",
                                    connection->Parameter("server_version"), endpoint.database,
                                    table.name.Written(), Doing(plan));
    if (!table.exists) bound.notes.push_back("creates table " + table.name.Written());
    if (connection->Parameter("in_hot_standby") == "on") {
      return Fault(FaultCode::kTargetUnwritable, "the server is a standby, which only reads")
          .With("table", table.name.Written())
          .Help("name the primary in the dsn");
    }
    return bound;
  }

  Result<elt::PublishedRun> Inspect(Context& ctx, const elt::RunInstance& run) const override {
    ARROW_ASSIGN_OR_RAISE(auto connection, OpenTarget(ctx, options_));
    ARROW_ASSIGN_OR_RAISE(const TargetTable table, FindTargetTable(ctx, *connection, options_));
    const RunKey key{table.name, run.pipeline, run.Label()};
    ARROW_ASSIGN_OR_RAISE(const RunState state, ReadRunState(ctx, *connection, key));
    if (!state.damage.ok() && !run.replace) return state.damage;
    ARROW_RETURN_NOT_OK(CheckForeign(ctx, *connection, table, key, state, run));
    ARROW_RETURN_NOT_OK(CheckThere(table, state, run));
    return Compose(state, key);
  }

  Result<std::vector<elt::PublishedRun>> Inventory(
      Context& ctx, const std::string& pipeline,
      const std::set<std::string>& known) const override {
    ARROW_ASSIGN_OR_RAISE(auto connection, OpenTarget(ctx, options_));
    ARROW_ASSIGN_OR_RAISE(const TargetTable table, FindTargetTable(ctx, *connection, options_));
    ARROW_ASSIGN_OR_RAISE(const auto labels, ReadLabels(ctx, *connection, table.name, pipeline));
    std::vector<elt::PublishedRun> runs;
    for (const std::string& label : labels) {
      if (known.contains(label)) continue;
      const RunKey key{table.name, pipeline, label};
      ARROW_ASSIGN_OR_RAISE(const RunState state, ReadRunState(ctx, *connection, key));
      runs.push_back(Compose(state, key));
    }
    return runs;
  }

  Result<std::unique_ptr<elt::TargetRun>> Begin(Context& ctx, const elt::RunInstance& run,
                                                const elt::BoundTarget& bound) const override {
    return BeginTableRun(ctx, options_, run, bound, random_);
  }

 private:
  static std::string Doing(const LoadPlan& plan) {
    switch (plan.mode) {
      case LoadMode::kAppend:
        return "rows appended";
      case LoadMode::kUpsert:
        return "rows upserted by key";
      case LoadMode::kReplace:
        return plan.slice->empty() ? "all rows replaced" : "replaced where " + *plan.slice;
    }
    return {};
  }

  // Nothing is deleted that levada did not write, unless --replace says so.
  Status CheckForeign(Context& ctx, pq::Connection& connection, const TargetTable& table,
                      const RunKey& key, const RunState& state, const elt::RunInstance& run) const {
    if (options_.mode != LoadMode::kReplace) {
      const bool taken_back = run.replace && state.finished && !run.IsWrittenEachTime() &&
                              options_.mode == LoadMode::kAppend;
      if (!taken_back) return Status::OK();
      return Fault(FaultCode::kImpossiblePlan,
                   fmt::format("run \"{}\" was appended to {}: which rows are its own is not known "
                               "there, so it cannot be replaced",
                               key.label, table.name.Written()))
          .With("table", table.name.Written())
          .Help("say mode: replace, or mode: upsert with a key:");
    }
    if (!table.exists || run.replace) return Status::OK();
    const bool whole = !run.window && !run.increment;
    if (whole) {
      ARROW_ASSIGN_OR_RAISE(const std::string other, OtherPipeline(ctx, connection, key));
      if (!other.empty()) return Foreign(table, "of pipeline \"" + other + "\"");
    }
    if (state.split || state.finished) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto slice, SliceOf(table, run));
    if (!slice) return Status::OK();  // Bind says what is missing
    ARROW_ASSIGN_OR_RAISE(const pq::Rows rows,
                          Ask(ctx, connection, table.name, "cannot look for rows of",
                              "select exists (select from " + table.name.Quoted() +
                                  (slice->empty() ? ")" : " where " + *slice + ")")));
    if (rows.empty() || rows[0][0] != "t") return Status::OK();
    // Another run of this pipeline, cut otherwise, is named by the engine.
    ARROW_ASSIGN_OR_RAISE(const auto labels, ReadLabels(ctx, connection, table.name, run.pipeline));
    const bool cut_otherwise =
        whole ? !labels.empty() : std::ranges::find(labels, "all") != labels.end();
    if (cut_otherwise) return Status::OK();
    return Foreign(table, slice->empty() ? "that no run of this pipeline wrote"
                                         : "where " + *slice + ", that this run did not write");
  }

  Status Foreign(const TargetTable& table, const std::string& whose) const {
    return Fault(FaultCode::kForeignTarget,
                 fmt::format("table {} has rows {}", table.name.Written(), whose))
        .With("table", table.name.Written())
        .Help(
            "run with --replace to have them replaced, say mode: append or mode: upsert, or load "
            "another table");
  }

  Status CheckThere(const TargetTable& table, const RunState& state,
                    const elt::RunInstance& run) const {
    const bool needed = state.split ? !state.records.empty() && state.split->revision == 0
                                    : state.finished && !run.IsWrittenEachTime();
    if (table.exists || !needed || run.replace) return Status::OK();
    return Fault(FaultCode::kTargetFileMissing,
                 fmt::format("table {}: run \"{}\" was published, and the table is not there",
                             table.name.Written(), run.Label()))
        .With("table", table.name.Written())
        .Help("restore it, or write the run anew with --replace");
  }

  const LoaderOptions options_;
  Random& random_;
};

}  // namespace

std::unique_ptr<elt::Loader> MakePostgresLoader(LoaderOptions options,
                                                const elt::StageInput& input) {
  return std::make_unique<PostgresLoader>(std::move(options), *input.random);
}

}  // namespace levada::postgres
