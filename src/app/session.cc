#include "app/session.h"

#include <csignal>

#include "app/register_all.h"
#include "app/version.h"
#include "controllers/threads/threads_controller.h"

namespace levada::app {
namespace {

ProgressMode ModeFor(const CommandLine& line, const Terminal& terminal, LogFormat format) {
  if (line.quiet) return ProgressMode::kNone;
  if (terminal.error_is_terminal && format == LogFormat::kText) return ProgressMode::kLive;
  return ProgressMode::kEvents;
}

}  // namespace

Session::Session(const CommandLine& line, const Terminal& terminal)
    : line_(line),
      terminal_(terminal),
      has_many_documents_(line.files.size() > 1),
      signals_(os::WatchSignals()),
      clock_(MakeSystemClock()),
      random_(MakeSystemRandom()),
      disk_(os::MakeSystemDisk()),
      environment_(std::make_shared<elt::Environment>(elt::ProcessEnvironment())),
      controller_(threads::MakeThreadsController()),
      pool_(0) {
  RegisterAll(catalog_);
}

Result<std::unique_ptr<Session>> Session::Open(const CommandLine& line, const Terminal& terminal) {
  std::unique_ptr<Session> session(new Session(line, terminal));
  const std::string points = ProcessVariable("LEVADA_FAILPOINTS").value_or("");
  ARROW_ASSIGN_OR_RAISE(session->failpoints_, Failpoints::Parse(points));
  session->UseLog(line.log_level, line.log_format);

  Context& context = session->context_;
  context.stop = session->signals_->token();
  context.clock = session->clock_.get();
  context.counters = &session->counters_;
  context.pool = &session->pool_;
  context.failpoints = session->failpoints_.get();
  return session;
}

void Session::UseLog(std::optional<LogLevel> level, std::optional<LogFormat> format) {
  const bool person = terminal_.error_is_terminal;
  if (!format) format = person ? LogFormat::kText : LogFormat::kJson;
  if (!level && line_.quiet) level = LogLevel::kError;
  if (!level) level = person ? LogLevel::kWarning : LogLevel::kInfo;
  progress_ = std::make_unique<Progress>(ModeFor(line_, terminal_, *format), terminal_, *clock_);
  logger_ = MakeLogger(*format, *level, terminal_.error_color, progress_->Hooks());
  progress_->Attach(*logger_);
  context_.log = logger_.get();
}

elt::StageInput Session::stage_input() const {
  elt::StageInput input;
  input.environment = environment_.get();
  input.disk = disk_.get();
  input.random = random_.get();
  input.clock = clock_.get();
  input.version = Version();
  return input;
}

Status Session::NameSignal(const Status& status) const {
  if (status.ok() || !stopped()) return status;
  const FaultCode code = CodeOf(status);
  if (code != FaultCode::kStopped && code != FaultCode::kInterrupted &&
      code != FaultCode::kTerminated) {
    return status;
  }
  const bool interrupted = signals_->signal() == SIGINT;
  return Fault(interrupted ? FaultCode::kInterrupted : FaultCode::kTerminated,
               interrupted ? "interrupted" : "terminated")
      .Help("run the same command again to go on; what is published stays");
}

}  // namespace levada::app
