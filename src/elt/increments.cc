#include "elt/increments.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/diagnostic.h"

namespace levada::elt {
namespace {

// Two records that speak of one increment, or of two neighbours, and do not agree.
Fault Disagree(const std::string& what) {
  return Fault(FaultCode::kManifestCorrupt, what)
      .Help(
          "rows between two increments may be missing or be there twice: restore the records of "
          "the target from a backup, or write the table anew to another path");
}

// By number. The same in all targets: the first one that knows an increment says what it is.
using Increments = std::map<int64_t, Increment>;

// Nothing that was begun has to be gone on with: its marks are forgotten with it.
bool IsGivenUp(const PublishedRun& run, const std::string& plan_hash) {
  return !run.finished && run.damage.ok() && run.SplitToGoOnWith(plan_hash) == nullptr;
}

Status CheckColumn(const PublishedRun& run, const std::string& column) {
  if (run.increment->column == column) return Status::OK();
  return Fault(FaultCode::kPlanChanged,
               fmt::format("increment \"{}\" was read by column \"{}\", and run: column is now "
                           "\"{}\": where the one ended the other does not begin",
                           run.label, run.increment->column, column))
      .With("window", run.label)
      .Help("undo the change, or write the table anew to another path");
}

Status Collect(const std::vector<PublishedRun>& runs, const Plan& plan, Increments& increments) {
  for (const PublishedRun& run : runs) {
    if (!run.increment || IsGivenUp(run, plan.hash)) continue;
    ARROW_RETURN_NOT_OK(CheckColumn(run, plan.increment->column));
    const auto [known, is_new] = increments.emplace(run.increment->number, *run.increment);
    if (known->second.position.empty()) known->second.position = run.increment->position;
    if (is_new || known->second == *run.increment) continue;
    return Disagree(fmt::format("increment \"{}\" ends at {} in one target and at {} in another",
                                run.label, known->second.high.value_or(""),
                                run.increment->high.value_or("")));
  }
  return Status::OK();
}

Status CheckWithoutGaps(const Increments& increments) {
  const Increment* before = nullptr;
  for (const auto& [number, increment] : increments) {
    const int64_t expected = before == nullptr ? 1 : before->number + 1;
    if (number != expected) {
      Increment missing;
      missing.number = expected;
      return Disagree(fmt::format("increment \"{}\" is not there, and \"{}\" is", missing.Label(),
                                  increment.Label()));
    }
    if (before != nullptr && increment.low != before->high) {
      return Disagree(fmt::format("increment \"{}\" begins at {} and the one before it ends at {}",
                                  increment.Label(), increment.low.value_or(""),
                                  before->high.value_or("")));
    }
    before = &increment;
  }
  return Status::OK();
}

Status NoSuchIncrement(const std::string& label, const Increments& increments) {
  std::vector<std::string> labels;
  for (const auto& [number, increment] : increments) labels.push_back(increment.Label());
  const std::string nearest = NearestName(label, labels);
  return Fault(FaultCode::kBadWindow,
               fmt::format("\"{}\" is not an increment of this pipeline: {}", label,
                           labels.empty()
                               ? "there is none yet"
                               : fmt::format("there are {} to {}", labels.front(), labels.back())))
      .Help(nearest.empty() ? "leave --window out" : fmt::format("did you mean \"{}\"?", nearest));
}

}  // namespace

Result<Mark> Consumer::FindMark(Context&, const MarkRequest&) const {
  return Fault(FaultCode::kInternal, "a consumer that finds no marks was asked for one");
}

Result<std::vector<RunInstance>> ListIncrements(Context& ctx, const Engine& engine,
                                                const RunOptions& options) {
  Increments increments;
  for (const auto& loader : engine.stages.loaders) {
    ARROW_ASSIGN_OR_RAISE(const auto runs, loader->Inventory(ctx, engine.plan.name, {}));
    ARROW_RETURN_NOT_OK(Collect(runs, engine.plan, increments));
  }
  ARROW_RETURN_NOT_OK(CheckWithoutGaps(increments));
  const auto is_asked_for = [&](const std::string& label) {
    return options.windows.empty() ||
           std::ranges::find(options.windows, label) != options.windows.end();
  };
  std::vector<RunInstance> runs;
  for (auto& [number, increment] : increments) {
    if (!is_asked_for(increment.Label())) continue;
    RunInstance run = RunOf(engine.plan, std::nullopt);
    run.increment = increment;
    run.replace = options.replace;
    runs.push_back(std::move(run));
  }
  for (const std::string& label : options.windows) {
    const auto has_label = [&](const RunInstance& run) { return run.Label() == label; };
    if (std::ranges::none_of(runs, has_label)) return NoSuchIncrement(label, increments);
  }
  return runs;
}

}  // namespace levada::elt
