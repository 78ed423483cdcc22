#include "connectors/parquet/lake_loader.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "connectors/parquet/dataset.h"
#include "connectors/parquet/lake_binding.h"
#include "connectors/parquet/lake_run.h"
#include "connectors/parquet/lake_state.h"
#include "places/s3/open_place.h"

namespace levada::parquet {
namespace {

// A run that ends while it is looked at takes away the files it replaced.
constexpr int kInspectTries = 3;

class LakeLoader final : public elt::Loader {
 public:
  LakeLoader(LakeOptions options, std::shared_ptr<places::Place> place,
             const elt::StageInput& input)
      : options_(std::move(options)),
        place_(std::move(place)),
        random_(*input.random),
        created_by_(fmt::format("levada version {}", input.version)) {}

  Result<elt::BoundTarget> Bind(Context&, const elt::SchemaPtr& schema,
                                const std::vector<elt::ColumnHint>& hints,
                                const elt::RunInstance& run) const override {
    return BindLake(options_, *place_, created_by_, schema, hints, run);
  }

  Result<elt::PublishedRun> Inspect(Context& ctx, const elt::RunInstance& run) const override {
    const std::string label = run.Label();
    ARROW_RETURN_NOT_OK(CheckLabel(label));
    const LakeNames names(label);
    ARROW_RETURN_NOT_OK(CheckForeign(ctx, *place_, run.pipeline));
    for (int tries = 1;; ++tries) {
      ARROW_ASSIGN_OR_RAISE(const LakeState state,
                            ReadLakeState(ctx, *place_, names, run.pipeline, AllowedDamage(run)));
      const Status files = CheckFiles(ctx, state, names, run);
      if (files.ok()) return Seen(ctx, state, names, run);
      if (CodeOf(files) != FaultCode::kTargetFileMissing || tries == kInspectTries) return files;
    }
  }

  Result<std::vector<elt::PublishedRun>> Inventory(
      Context& ctx, const std::string& pipeline,
      const std::set<std::string>& known) const override {
    ARROW_RETURN_NOT_OK(CheckForeign(ctx, *place_, pipeline));
    ARROW_ASSIGN_OR_RAISE(const auto entries, place_->List(ctx, std::string(kRecordsRoot)));
    std::set<std::string> labels;
    for (const places::PlaceEntry& entry : entries) {
      const auto name = ParseRecordName(entry.name);
      const bool says_something = name && (name->kind == RecordName::Kind::kSplit ||
                                           name->kind == RecordName::Kind::kManifest);
      if (says_something && !known.contains(name->label)) labels.insert(name->label);
    }
    std::vector<elt::PublishedRun> runs;
    for (const std::string& label : labels) {
      const LakeNames names(label);
      const auto state = ReadLakeState(ctx, *place_, names, pipeline);
      if (state.ok()) {
        runs.push_back(Compose(*state, pipeline, names));
        continue;
      }
      if (CodeOf(state.status()) != FaultCode::kManifestCorrupt) return state.status();
      elt::PublishedRun& damaged = runs.emplace_back();
      damaged.pipeline = pipeline;
      damaged.label = label;
      damaged.damage = state.status();
      ARROW_RETURN_NOT_OK(FindVisibleRows(ctx, *place_, names, damaged));
    }
    return runs;
  }

  Result<std::unique_ptr<elt::TargetRun>> Begin(Context& ctx, const elt::RunInstance& run,
                                                const elt::BoundTarget& bound) const override {
    const std::string label = run.Label();
    ARROW_RETURN_NOT_OK(CheckLabel(label));
    return BeginLakeRun(ctx, {place_, LakeNames(label), run, bound, options_.threads}, random_);
  }

 private:
  Result<elt::PublishedRun> Seen(Context& ctx, const LakeState& state, const LakeNames& names,
                                 const elt::RunInstance& run) const {
    elt::PublishedRun seen = Compose(state, run.pipeline, names);
    if (!seen.damage.ok()) {
      ARROW_RETURN_NOT_OK(FindVisibleRows(ctx, *place_, names, seen));
    }
    return seen;
  }

  // Files that a record calls visible are where it says. A whole table that each run writes anew
  // needs no old file, and --replace is the way to heal the others.
  Status CheckFiles(Context& ctx, const LakeState& state, const LakeNames& names,
                    const elt::RunInstance& run) const {
    if (run.replace || state.abandon) return Status::OK();
    std::vector<elt::PartitionRecord> records;
    if (state.Pending()) {
      if (state.StagesAll() || state.switch_intent) return Status::OK();
      for (const auto& [id, record] : state.records) records.push_back(record);
    } else if (state.manifest && !run.IsWrittenEachTime()) {
      records = state.manifest->partitions;
    }
    ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(records));
    return CheckVisible(ctx, *place_, names, placements);
  }

  const LakeOptions options_;
  const std::shared_ptr<places::Place> place_;
  Random& random_;
  const std::string created_by_;
};

}  // namespace

Result<std::shared_ptr<places::Place>> PlaceOf(const std::string& path,
                                               const elt::StageInput& input) {
  return places::OpenPlace(
      path, {input.disk, input.random, input.environment->variable, input.environment->file});
}

std::unique_ptr<elt::Loader> MakeLakeLoader(LakeOptions options,
                                            std::shared_ptr<places::Place> place,
                                            const elt::StageInput& input) {
  return std::make_unique<LakeLoader>(std::move(options), std::move(place), input);
}

}  // namespace levada::parquet
