#include "app/pipeline_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/log.h"

namespace levada::app {
namespace {

using elt::LedgerRun;

constexpr size_t kWindowsMax = 100'000;  // of one pipeline, when looking for those not yet run

/// Closed windows that the ledger does not know, as runs of `state`.
Status AddOthers(Session& session, const elt::Plan& plan, const std::string& state,
                 std::vector<LedgerRun>& runs) {
  // Which tables there are only the source knows.
  if (plan.has_tables) return Status::OK();
  std::vector<std::string> labels;
  if (plan.window) {
    ARROW_ASSIGN_OR_RAISE(const auto windows,
                          elt::ClosedWindows(*plan.window, session.clock().Now(), kWindowsMax));
    for (const elt::Window& window : windows) labels.push_back(window.label);
  } else if (!plan.increment) {
    labels.emplace_back("all");
  }
  std::map<std::string, LedgerRun> by_label;
  for (LedgerRun& run : runs) by_label[run.label] = std::move(run);
  for (const std::string& label : labels) {
    LedgerRun other;
    other.pipeline = plan.name;
    other.label = label;
    other.state = state;
    by_label.try_emplace(label, std::move(other));
  }
  runs.clear();
  for (auto& [label, run] : by_label) runs.push_back(std::move(run));
  return Status::OK();
}

}  // namespace

Result<std::shared_ptr<elt::Ledger>> KeptLedger(Session& session, const std::string& directory) {
  std::shared_ptr<elt::Ledger>& kept = session.ledgers()[directory];
  if (kept == nullptr) {
    ARROW_ASSIGN_OR_RAISE(kept, elt::Ledger::Open(session.context(), session.disk(), directory));
  }
  return kept;
}

Result<std::shared_ptr<elt::Ledger>> OpenLedgerOf(Session& session, const std::string& directory,
                                                  bool make) {
  const std::string path = os::JoinPath(directory, "ledger.db");
  const auto found = session.disk().Stat(path);
  if (found.ok() && !*found && !make) return nullptr;
  Result<std::shared_ptr<elt::Ledger>> ledger = KeptLedger(session, directory);
  if (ledger.ok() || KindOf(CodeOf(ledger.status())).blame != Blame::kTarget) return ledger;
  if (make) {
    return Fault(FaultCode::kTargetUnwritable,
                 fmt::format("the state directory \"{}\" cannot be written", directory))
        .Help("give a writable directory with --state DIR")
        .Because(ledger.status());
  }
  return Fault(FaultCode::kFileUnreadable, fmt::format("cannot read the ledger \"{}\"", path))
      .Help(
          "ask as a user who can write its directory, or ask the targets: --rebuild with "
          "--state DIR, a directory of your own")
      .Because(ledger.status());
}

Result<std::vector<LedgerRun>> KnownRuns(Session& session, const elt::Plan& plan,
                                         elt::Ledger* ledger) {
  std::vector<LedgerRun> runs;
  if (ledger != nullptr && plan.has_tables) {
    ARROW_ASSIGN_OR_RAISE(runs, ledger->Runs(""));
    std::erase_if(runs, [&](const LedgerRun& run) {
      return run.pipeline != plan.name && !run.pipeline.starts_with(plan.name + ".");
    });
  } else if (ledger != nullptr) {
    ARROW_ASSIGN_OR_RAISE(runs, ledger->Runs(plan.name));
  }
  NameBegun(runs);
  // Without a ledger nobody here knows whether they are published.
  ARROW_RETURN_NOT_OK(AddOthers(session, plan, ledger == nullptr ? "unknown" : "pending", runs));
  return runs;
}

void NoteBeginning(Session& session, const Pipeline& pipeline, const Status& status) {
  if (session.stopped() || CodeOf(status) == FaultCode::kLeaseHeld) return;
  const auto ledger = OpenLedgerOf(session, pipeline.state_directory, !status.ok());
  Status noted = ledger.status();
  if (ledger.ok() && *ledger != nullptr) {
    noted = (*ledger)->PutBeginning(session.context(), pipeline.plan.name, status);
  }
  if (!noted.ok()) {
    session.context().log->Warning("the ledger is behind: what became of the pipeline is not in it",
                                   {{"pipeline", pipeline.plan.name}, {"error", noted.message()}});
  }
}

void NameBegun(std::vector<LedgerRun>& runs) {
  for (LedgerRun& run : runs) {
    if (run.state == "running") run.state = "begun";
  }
}

}  // namespace levada::app
