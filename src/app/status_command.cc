#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "app/commands.h"
#include "app/json_output.h"
#include "app/pipeline_file.h"
#include "app/table.h"
#include "base/json.h"
#include "base/quantity.h"
#include "elt/ledger.h"

namespace levada::app {
namespace {

using elt::LedgerRun;

constexpr size_t kWindowsMax = 100'000;  // of one pipeline, when looking for those not yet run

/// One ledger, or nothing when it was never made: asking must not make one. A place that cannot be
/// read or written is not levada's fault.
Result<std::unique_ptr<elt::Ledger>> OpenExisting(Session& session, const std::string& directory,
                                                  bool make) {
  const std::string path = os::JoinPath(directory, "ledger.db");
  const auto found = session.disk().Stat(path);
  if (found.ok() && !*found && !make) return nullptr;
  Result<std::unique_ptr<elt::Ledger>> ledger =
      elt::Ledger::Open(session.context(), session.disk(), directory);
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

Status Rebuild(Session& session, const Pipeline& pipeline, elt::Ledger& ledger) {
  // Of several targets the last one is published last: what it has, all have.
  const elt::Loader& loader = *pipeline.stages.loaders.back();
  ARROW_ASSIGN_OR_RAISE(const auto runs,
                        loader.Inventory(session.context(), pipeline.plan.name, {}));
  // A ledger that leaves one out would call it pending.
  for (const elt::PublishedRun& run : runs) ARROW_RETURN_NOT_OK(run.damage);
  return ledger.Rebuild(session.context(), pipeline.plan.name, runs);
}

/// Closed windows that the ledger does not know, as runs of `state`.
Status AddOthers(Session& session, const elt::Plan& plan, const std::string& state,
                 std::vector<LedgerRun>& runs) {
  std::vector<std::string> labels;
  if (plan.window) {
    ARROW_ASSIGN_OR_RAISE(const auto windows,
                          elt::ClosedWindows(*plan.window, session.clock().Now(), kWindowsMax));
    for (const elt::Window& window : windows) labels.push_back(window.label);
  } else {
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

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string JsonText(const std::string& pipeline, const std::vector<LedgerRun>& runs) {
  Json json;
  json["levada_status"] = kJsonVersion;
  json["pipeline"] = TextOrNull(pipeline);
  json["runs"] = Json::array();
  for (const LedgerRun& run : runs) {
    json["runs"].push_back({{"pipeline", run.pipeline},
                            {"window", run.label},
                            {"state", run.state},
                            {"rows", run.rows},
                            {"files", run.files},
                            {"bytes", run.bytes},
                            {"partitions_done", run.partitions_done},
                            {"partitions_total", run.partitions_total},
                            {"revision", run.revision},
                            {"plan_hash", TextOrNull(run.plan_hash)},
                            {"started_at", TextOrNull(run.started_at)},
                            {"finished_at", TextOrNull(run.finished_at)},
                            {"error", TextOrNull(run.error)}});
  }
  return Dump(json, 2) + "\n";
}

/// "2026-11-22T16:04:52.123456Z" to the second.
std::string ToTheSecond(const std::string& timestamp) {
  const size_t point = timestamp.find('.');
  return point == std::string::npos ? timestamp : timestamp.substr(0, point) + "Z";
}

std::string PlainText(const std::vector<LedgerRun>& runs, const Terminal& terminal) {
  const Paint paint(terminal.output_color);
  std::map<std::string, int64_t> counts;
  Table table({{"pipeline"},
               {"window"},
               {"state"},
               {"rows", Align::kRight},
               {"files", Align::kRight},
               {"size", Align::kRight},
               {"partitions", Align::kRight},
               {"finished", Align::kLeft, false, true},
               {"error", Align::kLeft, true, true}});
  for (const LedgerRun& run : runs) {
    ++counts[run.state];
    const std::string_view mark = run.state == "failed"        ? paint.red
                                  : run.state == "begun"       ? paint.yellow
                                  : run.state == "interrupted" ? paint.yellow
                                  : run.state == "pending"     ? paint.dim
                                  : run.state == "unknown"     ? paint.dim
                                                               : std::string_view();
    if (run.state == "pending" || run.state == "unknown") {
      table.AddRow({run.pipeline, run.label, run.state}, mark);
      continue;
    }
    table.AddRow(
        {run.pipeline, run.label, run.state, FormatCount(run.rows), FormatCount(run.files),
         FormatBytes(run.bytes), fmt::format("{}/{}", run.partitions_done, run.partitions_total),
         ToTheSecond(run.finished_at), run.error},
        mark);
  }
  std::string text = table.Render(OutputStyle(terminal));
  std::string sum;
  for (const char* state : {"published", "begun", "interrupted", "failed", "pending", "unknown"}) {
    if (counts[state] == 0) continue;
    sum += fmt::format("{}{} {}", sum.empty() ? "" : ", ", FormatCount(counts[state]), state);
  }
  return text + (sum.empty() ? "nothing was run yet\n" : "\n" + sum + "\n");
}

/// The ledger says "running" of a run that was killed too, and cannot know better.
void NameBegun(std::vector<LedgerRun>& runs) {
  for (LedgerRun& run : runs) {
    if (run.state == "running") run.state = "begun";
  }
}

Status ShowPipeline(Session& session, const Pipeline& pipeline) {
  const bool rebuild = session.line().rebuild;
  ARROW_ASSIGN_OR_RAISE(auto ledger, OpenExisting(session, pipeline.state_directory, rebuild));
  if (rebuild) ARROW_RETURN_NOT_OK(Rebuild(session, pipeline, *ledger));
  std::vector<LedgerRun> runs;
  if (ledger != nullptr) {
    ARROW_ASSIGN_OR_RAISE(runs, ledger->Runs(pipeline.plan.name));
  } else if (!session.line().quiet) {
    WriteError(fmt::format("there is no ledger in {} yet; --rebuild asks the targets\n",
                           pipeline.state_directory));
  }
  NameBegun(runs);
  // Without a ledger nobody here knows whether they are published.
  const char* others = ledger == nullptr ? "unknown" : "pending";
  ARROW_RETURN_NOT_OK(AddOthers(session, pipeline.plan, others, runs));
  if (session.line().json) return PrintJson(session, JsonText(pipeline.plan.name, runs));
  return WriteOutput(PlainText(runs, session.terminal()));
}

Status ShowLedger(Session& session) {
  const std::string& directory = session.line().state_directory;
  ARROW_ASSIGN_OR_RAISE(auto ledger, OpenExisting(session, directory, false));
  if (ledger == nullptr) {
    return Fault(FaultCode::kBadCommandLine, fmt::format("there is no ledger in \"{}\"", directory))
        .Help("name a pipeline file, or the directory that holds ledger.db");
  }
  ARROW_ASSIGN_OR_RAISE(auto runs, ledger->Runs(""));
  NameBegun(runs);
  if (session.line().json) return PrintJson(session, JsonText("", runs));
  return WriteOutput(PlainText(runs, session.terminal()));
}

}  // namespace

Outcome ShowStatus(Session& session) {
  Outcome outcome;
  if (session.line().files.empty()) {
    outcome.Note(ShowLedger(session));
    return outcome;
  }
  for (const Pipeline& pipeline : OpenPipelines(session, outcome.failures)) {
    outcome.Note(session.NameSignal(ShowPipeline(session, pipeline)));
    if (session.stopped()) break;
  }
  return outcome;
}

}  // namespace levada::app
