#include <fmt/format.h>

#include "app/commands.h"
#include "app/json_output.h"
#include "app/status_line.h"
#include "app/table.h"
#include "base/json.h"
#include "base/quantity.h"
#include "elt/target_check.h"

namespace levada::app {
namespace {

std::string TextOf(const std::string& target, const elt::CheckProgress& progress) {
  return fmt::format("{}: {} of {} files, {} of {}", target, FormatCount(progress.files_done),
                     FormatCount(progress.files_total), FormatBytes(progress.bytes_done),
                     FormatBytes(progress.bytes_total));
}

// Today every target that can be checked is a path.
Result<elt::TargetCheck> CheckTarget(Session& session, const std::string& target) {
  const auto found = session.disk().Stat(target);
  if (found.ok() && *found && !(*found)->is_directory) {
    return Fault(FaultCode::kBadValue, fmt::format("\"{}\" is a file, expected a dataset", target))
        .Help("name the directory that path: of the loader says");
  }
  for (const auto& [kind, entry] : session.catalog().loaders()) {
    if (!entry.check_target) continue;
    StatusLine line(session);
    return entry.check_target(
        session.context(), target, session.stage_input(), [&](const auto& progress) {
          line.Show([&target, &progress] { return TextOf(target, progress); });
        });
  }
  return Fault(FaultCode::kInternal, "no loader can check its target");
}

std::string TextOf(const std::string& target, const elt::TargetCheck& check,
                   const Terminal& terminal) {
  const Paint paint(terminal.output_color);
  std::string text =
      fmt::format("{}{}{}, of pipeline {}\n", paint.bold, target, paint.reset, check.pipeline);
  Table table({{"run"},
               {"files", Align::kRight},
               {"rows", Align::kRight},
               {"size", Align::kRight},
               {"finished"}});
  for (const elt::CheckedRun& run : check.runs) {
    table.AddRow({run.label, FormatCount(run.files), FormatCount(run.rows), FormatBytes(run.bytes),
                  run.finished ? run.finished_at : "no"});
  }
  text += table.Render(OutputStyle(terminal, 2));
  for (const elt::TargetProblem& problem : check.problems) {
    text += fmt::format("{}{}{}: {}\n", paint.red, problem.path, paint.reset, problem.what);
    if (!problem.help.empty()) text += fmt::format("  {}\n", problem.help);
  }
  if (check.problems.empty()) {
    text += fmt::format("{}ok{}: every file is what its record says\n", paint.green, paint.reset);
  } else {
    text += FormatCount(static_cast<int64_t>(check.problems.size()), "problem") + "\n";
  }
  return text;
}

Json JsonOf(const std::string& target, const elt::TargetCheck& check) {
  Json runs = Json::array();
  for (const elt::CheckedRun& run : check.runs) {
    runs.push_back({{"run", run.label},
                    {"finished", run.finished},
                    {"finished_at", run.finished ? Json(run.finished_at) : Json(nullptr)},
                    {"rows", run.rows},
                    {"files", run.files},
                    {"bytes", run.bytes}});
  }
  Json problems = Json::array();
  for (const elt::TargetProblem& problem : check.problems) {
    problems.push_back({{"run", problem.label.empty() ? Json(nullptr) : Json(problem.label)},
                        {"path", problem.path},
                        {"problem", problem.what},
                        {"help", problem.help}});
  }
  return {{"levada_verify", kJsonVersion}, {"target", target},
          {"pipeline", check.pipeline},    {"ok", check.problems.empty()},
          {"runs", std::move(runs)},       {"problems", std::move(problems)}};
}

Status VerifyTarget(Session& session, const std::string& target, bool& any_problem) {
  ARROW_ASSIGN_OR_RAISE(const elt::TargetCheck check, CheckTarget(session, target));
  any_problem |= !check.problems.empty();
  if (session.line().json) return PrintJson(session, Dump(JsonOf(target, check), 2));
  if (session.line().quiet && check.problems.empty()) return Status::OK();
  return WriteOutput(TextOf(target, check, session.terminal()));
}

}  // namespace

Outcome VerifyTargets(Session& session) {
  Outcome outcome;
  bool any_problem = false;
  for (const std::string& target : session.line().files) {
    outcome.Note(session.NameSignal(VerifyTarget(session, target, any_problem)));
    if (session.stopped()) break;
  }
  if (any_problem) outcome.exit_status = kDataCheckFailed;
  return outcome;
}

}  // namespace levada::app
