#include <fmt/format.h>

#include <algorithm>

#include "app/commands.h"
#include "app/json_output.h"
#include "app/pipeline_runs.h"
#include "app/pipeline_set.h"
#include "app/pipelines_text.h"
#include "app/report_text.h"
#include "app/run_reports.h"
#include "base/quantity.h"
#include "elt/runner.h"

namespace levada::app {
namespace {

constexpr size_t kFailuresShownMax = 20;  // the rest is in the report

/// Every failure of a run but the one that the invocation itself reports.
void PrintRunFailures(const Session& session, const elt::RunReport& report) {
  size_t shown = 0;
  for (const elt::RunInstanceReport& run : report.runs) {
    if (run.status.ok() || run.outcome == elt::RunOutcome::kInterrupted) continue;
    if (run.status.message() == report.status.message()) continue;
    if (shown++ == kFailuresShownMax) return;
    PrintFailure(run.status, session.line().error_format, session.terminal());
    if (session.line().error_format == ErrorFormat::kText) WriteError("\n");
  }
}

/// Says what was done on standard output; where the report is, too. Of a directory all is said at
/// the end.
Status PrintReport(Session& session, const Pipeline& pipeline, const elt::RunReport& report,
                   const std::string& report_path, bool is_summed) {
  if (session.line().json) return PrintJson(session, report.ToJson());
  if (session.line().quiet || is_summed) return Status::OK();
  return WriteOutput(
      SummaryText(report, pipeline.plan.run_word(), report_path, OutputStyle(session.terminal())));
}

/// Whatever is wrong with the state directory is a fault of the ledger: no data depends on it.
Result<std::shared_ptr<elt::Ledger>> OpenLedger(Session& session, const std::string& directory) {
  Result<std::shared_ptr<elt::Ledger>> ledger = KeptLedger(session, directory);
  if (ledger.ok() || CodeOf(ledger.status()) == FaultCode::kLedgerUnusable ||
      !session.context().Check().ok()) {
    return ledger;
  }
  return Fault(FaultCode::kLedgerUnusable,
               fmt::format("the state directory \"{}\" cannot be used", directory))
      .Help("give a writable directory with --state DIR")
      .Because(ledger.status());
}

void Tell(const elt::RunReport& report, PipelineLine& line) {
  line.runs = std::ranges::count(report.runs, elt::RunOutcome::kPublished,
                                 &elt::RunInstanceReport::outcome);
  line.rows = report.rows;
  line.files = report.files;
  line.bytes = report.bytes;
  line.elapsed_ns = report.elapsed_ns;
}

/// Whether the last time it was run nothing of it could begin: then all that is due is what a retry
/// is of.
bool CouldNotBegin(Session& session, const Pipeline& pipeline) {
  const auto ledger = OpenLedgerOf(session, pipeline.state_directory, false);
  if (!ledger.ok() || *ledger == nullptr) return false;
  const auto runs = (*ledger)->Runs(pipeline.plan.name);
  return runs.ok() && std::ranges::find(*runs, "", &elt::LedgerRun::label) != runs->end();
}

/// The ledger has runs that no target knows: the target was removed, or it is another directory.
Status WarnOfOtherPlace(elt::Ledger& ledger, const Pipeline& pipeline, elt::Prepared& prepared) {
  if (!prepared.is_first || pipeline.is_ad_hoc) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto runs, ledger.Runs(pipeline.plan.name));
  const auto published =
      static_cast<int64_t>(std::ranges::count(runs, "published", &elt::LedgerRun::state));
  if (published == 0) return Status::OK();
  Diagnostic warning;
  warning.severity = Severity::kWarning;
  warning.message = fmt::format("the ledger knows {} of \"{}\", and no target has {}",
                                FormatCount(published, "published run"), pipeline.plan.name,
                                published == 1 ? "it" : "them");
  warning.help =
      "all is written again; if nobody removed it, levada was started from another directory "
      "before: a relative path: begins where levada is started";
  prepared.warnings.push_back(std::move(warning));
  return Status::OK();
}

/// `has_begun`: what fails from there on is told of the runs themselves.
Status RunPipeline(Session& session, Pipeline& pipeline, bool is_summed, PipelineLine& line,
                   bool& has_begun) {
  elt::RunOptions options = RunOptionsOf(session.line());
  if (options.only_begun && CouldNotBegin(session, pipeline)) options.only_begun = false;
  const elt::Engine engine = EngineOf(session, pipeline);
  Context context = session.context();
  ARROW_ASSIGN_OR_RAISE(elt::Prepared prepared, elt::Prepare(context, engine, options, false));
  ARROW_RETURN_NOT_OK(prepared.Refusal());
  line.state = prepared.AnyPending() ? "published" : "nothing to do";
  if (!prepared.AnyPending() && !session.line().json) {
    ShowWarnings(session, prepared.warnings);
    if (session.line().quiet || is_summed) return Status::OK();
    return WriteOutput(NothingToDoText(pipeline.plan, prepared, options.only_begun));
  }
  ARROW_ASSIGN_OR_RAISE(auto ledger, OpenLedger(session, pipeline.state_directory));
  ARROW_RETURN_NOT_OK(WarnOfOtherPlace(*ledger, pipeline, prepared));
  ShowWarnings(session, prepared.warnings);
  ARROW_RETURN_NOT_OK(ledger->PutBeginning(context, pipeline.plan.name, Status::OK()));
  has_begun = true;
  const int64_t budget = prepared.memory.budget_bytes;
  BudgetPool pool(budget > 0 ? std::max<int64_t>(1, budget - prepared.memory.fixed_bytes) : 0);
  context.pool = &pool;
  elt::RunReport report = elt::RunPlan(context, engine, prepared, ledger.get(), session.progress());
  session.progress().InvocationEnds();
  report.status = session.NameSignal(report.status);
  Tell(report, line);
  LEVADA_FAILPOINT(context, "run.before_report");
  Result<std::string> path = SaveReport(session.disk(), pipeline.state_directory, report);
  PrintRunFailures(session, report);
  const Status printed = PrintReport(session, pipeline, report, path.ok() ? *path : "", is_summed);
  ARROW_RETURN_NOT_OK(report.status);
  ARROW_RETURN_NOT_OK(path.status());
  return printed;
}

}  // namespace

elt::RunOptions RunOptionsOf(const CommandLine& line) {
  elt::RunOptions options;
  for (const std::string& label : line.windows) {
    if (std::ranges::find(options.windows, label) == options.windows.end()) {
      options.windows.push_back(label);  // said twice is meant once
    }
  }
  options.first_window = line.from;
  options.last_window = line.to;
  options.windows_parallel = line.parallel;
  options.replace = line.replace;
  options.only_begun = line.verb == Verb::kRetry;
  options.memory_bytes = line.memory_bytes;
  // A slip in a URL must not replace the dataset of another table.
  options.keep_other_plans = line.ad_hoc.has_value();
  options.patient = line.verb != Verb::kPlan;
  return options;
}

Outcome Run(Session& session) {
  Outcome outcome;
  PipelineSet set = OpenPipelines(session, outcome.failures);
  // Of a directory of many people's files one that is wrong does not stop the others.
  if (!set.is_whole) return outcome;
  std::vector<PipelineLine> lines;
  for (Pipeline& pipeline : set.pipelines) {
    PipelineLine& line = lines.emplace_back();
    line.name = pipeline.plan.name;
    line.file = pipeline.file;
    bool has_begun = false;
    line.status =
        session.NameSignal(RunPipeline(session, pipeline, set.is_summed, line, has_begun));
    // A slip in a URL is worth no ledger.
    if (!has_begun && !pipeline.is_ad_hoc) NoteBeginning(session, pipeline, line.status);
    if (!line.status.ok()) line.state = session.stopped() ? "interrupted" : "failed";
    outcome.Note(set.pipelines.size() > 1 && !line.status.ok()
                     ? WithDetail(line.status, "pipeline", pipeline.plan.name)
                     : line.status);
    if (session.stopped()) break;
  }
  if (!set.is_summed || (lines.empty() && !outcome.failures.empty())) return outcome;
  if (session.line().json) {
    outcome.Note(PrintJson(session, PipelinesJson(lines)));
  } else if (!session.line().quiet) {
    outcome.Note(WriteOutput(PipelinesText(lines, OutputStyle(session.terminal()))));
  }
  return outcome;
}

}  // namespace levada::app
