#include "connectors/exec/exec_loader.h"

#include <set>
#include <utility>

#include "connectors/exec/exec_run.h"
#include "connectors/exec/run_records.h"
#include "elt/type_name.h"

namespace levada::exec {
namespace {

// Of a batch on its way through the pipe.
constexpr int64_t kMemoryBytes = int64_t{2} << 20;

class ExecLoader final : public elt::Loader {
 public:
  explicit ExecLoader(LoaderOptions options) : options_(std::move(options)) {}

  Result<elt::BoundTarget> Bind(Context&, const elt::SchemaPtr& schema,
                                const std::vector<elt::ColumnHint>&,
                                const elt::RunInstance&) const override {
    elt::BoundTarget bound;
    bound.schema = schema;
    for (const auto& field : schema->fields()) {
      bound.target_types.push_back(elt::TypeName(*field->type()));
    }
    bound.frozen = "{}";
    bound.memory_bytes_per_slice = kMemoryBytes;
    bound.description = "program " + programs::ShownCommand(options_.program.command) +
                        ", its runs recorded in " + options_.state;
    bound.notes.push_back(
        "the program gets each row at least once: whether its target has it exactly once is up to "
        "the program, by the attempt id");
    return bound;
  }

  Result<elt::PublishedRun> Inspect(Context&, const elt::RunInstance& run) const override {
    ARROW_ASSIGN_OR_RAISE(const RunState state, RecordsOf(run.pipeline, run.Label()).Read());
    return state.Seen(run.pipeline, run.Label());
  }

  Result<std::vector<elt::PublishedRun>> Inventory(
      Context&, const std::string& pipeline, const std::set<std::string>& known) const override {
    ARROW_ASSIGN_OR_RAISE(const auto labels, LabelsOf(*options_.disk, options_.state, pipeline));
    std::vector<elt::PublishedRun> runs;
    for (const std::string& label : labels) {
      if (known.contains(label)) continue;
      const auto state = RecordsOf(pipeline, label).Read();
      if (state.ok()) {
        runs.push_back(state->Seen(pipeline, label));
        continue;
      }
      if (CodeOf(state.status()) != FaultCode::kManifestCorrupt) return state.status();
      elt::PublishedRun& damaged = runs.emplace_back();
      damaged.pipeline = pipeline;
      damaged.label = label;
      damaged.damage = state.status();
    }
    return runs;
  }

  Result<std::unique_ptr<elt::TargetRun>> Begin(Context& ctx, const elt::RunInstance& run,
                                                const elt::BoundTarget&) const override {
    return BeginExecRun(ctx, options_, RecordsOf(run.pipeline, run.Label()), run);
  }

 private:
  RunRecords RecordsOf(const std::string& pipeline, const std::string& label) const {
    return {options_.disk, options_.state, pipeline, label};
  }

  const LoaderOptions options_;
};

}  // namespace

std::unique_ptr<elt::Loader> MakeExecLoader(LoaderOptions options) {
  return std::make_unique<ExecLoader>(std::move(options));
}

}  // namespace levada::exec
