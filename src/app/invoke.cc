#include "app/invoke.h"

#include <exception>
#include <string>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "app/version.h"
#include "base/diagnostic.h"

namespace levada::app {
namespace {

Status Dispatch(const CommandLine& line, const Terminal& terminal) {
  switch (line.verb) {
    case Verb::kHelp:
      return WriteOutput(line.help);
    case Verb::kVersion:
      return WriteOutput(line.json ? VersionJson() : VersionText());
    case Verb::kExplain:
      return Explain(line, terminal);
    default:
      return Fault(FaultCode::kInternal, "this command is not built yet");
  }
}

void PrintFailure(const Status& status, ErrorFormat format, bool color) {
  const Fault fault = FaultOf(status);
  WriteError(format == ErrorFormat::kJson ? RenderJson(fault) + "\n"
                                          : Render(fault, RenderStyle{color}));
}

}  // namespace

int Invoke(std::span<const std::string> arguments) {
  const ErrorWishes wishes = FindErrorWishes(arguments);
  const Terminal terminal = DetectTerminal(ProcessVariable, wishes.no_color);
  Status status;
  ErrorFormat format = wishes.format;
  try {
    Result<CommandLine> line = ParseCommandLine(arguments, terminal.width);
    status = line.status();
    if (line.ok()) {
      format = line->error_format;
      status = Dispatch(*line, terminal);
    }
  } catch (const std::exception& error) {
    status = Fault(FaultCode::kInternal, std::string("unexpected exception: ") + error.what());
  }
  if (!status.ok()) PrintFailure(status, format, terminal.error_color);
  return ExitStatusOf(status);
}

}  // namespace levada::app
