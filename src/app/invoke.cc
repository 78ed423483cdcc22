#include "app/invoke.h"

#include <exception>
#include <string>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/completions.h"
#include "app/manual.h"
#include "app/session.h"
#include "app/terminal.h"
#include "app/version.h"
#include "base/diagnostic.h"
#include "os/process.h"
#include "services/analytics/engine_process.h"

namespace levada::app {
namespace {

Outcome Say(const Status& printed) {
  Outcome outcome;
  outcome.Note(printed);
  return outcome;
}

/// The commands that need more than words.
Outcome DispatchInSession(const CommandLine& line, const Terminal& terminal) {
  os::RaiseOpenFileLimit();
  Result<std::unique_ptr<Session>> session = Session::Open(line, terminal);
  if (!session.ok()) return Say(session.status());
  switch (line.verb) {
    case Verb::kRun:
    case Verb::kRetry:
    case Verb::kBackfill:
      return Run(**session);
    case Verb::kPlan:
      return ShowPlan(**session);
    case Verb::kCheck:
      return Check(**session);
    case Verb::kSchema:
      return ShowSchema(**session);
    case Verb::kStatus:
      return ShowStatus(**session);
    case Verb::kInit:
      return Init(**session);
    case Verb::kPreview:
      return Preview(**session);
    case Verb::kTest:
      return Test(**session);
    case Verb::kDiff:
      return Diff(**session);
    case Verb::kVerify:
      return VerifyTargets(**session);
    case Verb::kSelfCheck:
      return SelfCheck(**session);
    case Verb::kServe:
      return Serve(**session);
    case Verb::kToken:
    case Verb::kAccount:
      return Administer(**session);
    case Verb::kAudit:
      return ShowAudit(**session);
    case Verb::kD1:
      return AdministerD1(**session);
    case Verb::kFsck:
      return Fsck(**session);
    case Verb::kBackup:
      return Backup(**session);
    case Verb::kRestore:
      return RestoreBackup(**session);
    case Verb::kExplain:
    case Verb::kCompletions:
    case Verb::kManual:
    case Verb::kVersion:
    case Verb::kHelp:
      break;
  }
  return {};
}

Outcome Dispatch(const CommandLine& line, const Terminal& terminal) {
  switch (line.verb) {
    case Verb::kHelp:
      return Say(WriteOutput(line.help));
    case Verb::kVersion:
      return Say(WriteOutput(line.json ? VersionJson() : VersionText()));
    case Verb::kCompletions:
      return Say(WriteOutput(Completions(line.shell)));
    case Verb::kManual:
      return Say(WriteOutput(ManualPage()));
    case Verb::kExplain:
      return Explain(line, terminal);
    default:
      return DispatchInSession(line, terminal);
  }
}

}  // namespace

void PrintFailure(const Status& status, ErrorFormat format, const Terminal& terminal) {
  const Fault fault = FaultOf(status);
  WriteError(format == ErrorFormat::kJson ? RenderJson(fault) + "\n"
                                          : Render(fault, RenderStyle{terminal.error_color}));
}

int Invoke(std::span<const std::string> arguments) {
  // No command: what the daemon starts itself as.
  if (!arguments.empty() && arguments.front() == services::analytics::kEngineCommand) {
    return services::analytics::RunEngineProcess(arguments.subspan(1));
  }
  const ErrorWishes wishes = FindErrorWishes(arguments);
  const Terminal terminal = DetectTerminal(ProcessVariable, wishes.no_color);
  ErrorFormat format = wishes.format;
  Outcome outcome;
  try {
    const Result<CommandLine> line = ParseCommandLine(arguments, terminal.width);
    if (line.ok()) {
      format = line->error_format;
      outcome = Dispatch(*line, terminal);
    } else {
      outcome.Note(line.status());
    }
  } catch (const std::exception& error) {
    outcome.Note(Fault(FaultCode::kInternal, std::string("unexpected exception: ") + error.what()));
  }
  for (size_t i = 0; i < outcome.failures.size(); ++i) {
    if (i > 0 && format == ErrorFormat::kText) WriteError("\n");
    PrintFailure(outcome.failures[i], format, terminal);
  }
  if (outcome.failures.empty()) return outcome.exit_status;
  return ExitStatusOf(outcome.failures[MostImportant(outcome.failures)]);
}

}  // namespace levada::app
