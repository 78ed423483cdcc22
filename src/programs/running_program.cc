#include "programs/running_program.h"

#include <signal.h>

#include <chrono>
#include <string_view>
#include <utility>

namespace levada::programs {
namespace {

// The statuses of sysexits.h that say whose fault it was.
constexpr int kDataError = 65;
constexpr int kTemporaryFailure = 75;
constexpr int kNoPermission = 77;
constexpr int kConfigError = 78;
// As shells have it for what they could not start.
constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;

// A program that closed its output early is given as long to say with its exit status why.
constexpr std::chrono::milliseconds kExplainLimit{300};

FaultCode CodeOfStatus(Role role, int status) {
  const bool is_target = role == Role::kLoader;
  switch (status) {
    case kDataError:
      return FaultCode::kValueRefused;
    case kTemporaryFailure:
      return is_target ? FaultCode::kTargetIo : FaultCode::kSourceBusy;
    case kNoPermission:
      return FaultCode::kAuthFailed;
    case kConfigError:
      return FaultCode::kBadValue;
    default:
      return is_target ? FaultCode::kTargetUnwritable : FaultCode::kProgramFailed;
  }
}

std::string HelpOfStatus(int status) {
  switch (status) {
    case kDataError:
      return "65 (EX_DATAERR) is what a program says of data that it cannot use";
    case kNoPermission:
      return "77 (EX_NOPERM) is what a program says when it may not do what it was asked";
    case kConfigError:
      return "78 (EX_CONFIG) is what a program says of its own settings";
    case kNotExecutable:
    case kNotFound:
      return "it could not start what it wanted to; its environment is just PATH, HOME, LANG, "
             "TMPDIR and what environment: and secrets: name";
    default:
      return {};
  }
}

std::string_view SignalName(int number) {
  const char* name = sigabbrev_np(number);
  return name == nullptr ? "?" : name;
}

/// What is wrong with a command that cannot be started is shown where it is written.
Status AtCommand(const Status& status, const ProgramOptions& options) {
  const Fault fault = FaultOf(status);
  if (fault.kind().retryable || fault.kind().blame == Blame::kSignal || !options.written) {
    return status;
  }
  return Fault(fault).At(
      {options.written->ErrorAt("command", fault.code(), fault.message(), fault.help())});
}

}  // namespace

RunningProgram::RunningProgram(const Context& ctx, Role role, std::string name,
                               std::vector<Secret> secrets)
    : ctx_(ctx), role_(role), name_(std::move(name)), errors_(ctx, name_, std::move(secrets)) {}

Result<std::unique_ptr<RunningProgram>> RunningProgram::Start(const Context& ctx,
                                                              const ProgramOptions& options,
                                                              const Call& call) {
  ARROW_ASSIGN_OR_RAISE(StartCommand command, MakeCommand(options, call));
  const Context limited = options.timeout ? ctx.Within(*options.timeout) : ctx;
  std::unique_ptr<RunningProgram> program(
      new RunningProgram(limited, options.role, options.Name(), std::move(command.secrets)));
  ErrorLines& errors = program->errors_;
  auto child = os::Child::Start(limited, std::move(command.child),
                                [&errors](std::string_view line) { errors.Add(line); });
  if (!child.ok()) return AtCommand(child.status(), options);
  program->child_ = *std::move(child);
  return program;
}

Result<size_t> RunningProgram::Read(std::span<uint8_t> out) { return child_->Read(ctx_, out); }

Result<bool> RunningProgram::Write(std::span<const uint8_t> bytes) {
  return child_->Write(ctx_, bytes);
}

void RunningProgram::CloseInput() { child_->CloseInput(); }

void RunningProgram::Stop() { child_->Stop(); }

Status RunningProgram::End() {
  ARROW_ASSIGN_OR_RAISE(const os::ChildEnd end, child_->Wait(ctx_));
  errors_.End();
  return FaultOfEnd(end);
}

Status RunningProgram::Explain(const Status& seen) {
  // Of a stop and of a deadline the program is not the cause.
  if (!ctx_.Check().ok() || CodeOf(seen) == FaultCode::kStopped) {
    Stop();
    return seen;
  }
  Result<os::ChildEnd> end = child_->Wait(ctx_.Within(kExplainLimit));
  if (!end.ok()) {
    Stop();
    Context patient = ctx_;  // it is gone already
    patient.stop = {};
    patient.deadline = SteadyTime::max();
    end = child_->Wait(patient);
  }
  errors_.End();
  if (end.ok() && !end->was_stopped) {
    const Status failed = FaultOfEnd(*end);
    // It may have been us who made it fail, by no longer reading.
    const bool is_ours = end->signal == SIGPIPE;
    if (!failed.ok() && !is_ours) return failed;
  }
  return WithLastWords(seen);
}

Status RunningProgram::FaultOfEnd(const os::ChildEnd& end) const {
  const std::string subject = "program \"" + name_ + "\"";
  if (end.was_stopped) {
    ARROW_RETURN_NOT_OK(ctx_.Check());
    return Fault(FaultCode::kStopped, subject + " was told to stop");
  }
  if (end.signal != 0) {
    return WithLastWords(
        Fault(role_ == Role::kLoader ? FaultCode::kTargetIo : FaultCode::kSourceConnectionLost,
              subject + ": a signal ended it, SIG" + std::string(SignalName(end.signal)))
            .With("signal", std::to_string(end.signal))
            .Help(end.signal == SIGKILL ? "nobody but the system or a person sends it; was memory "
                                          "short?"
                                        : ""));
  }
  if (end.status == 0) return Status::OK();
  return WithLastWords(Fault(CodeOfStatus(role_, end.status),
                             subject + ": it ended with exit status " + std::to_string(end.status))
                           .With("exit_status", std::to_string(end.status))
                           .Help(HelpOfStatus(end.status)));
}

Status RunningProgram::WithLastWords(const Status& status) const {
  const std::string tail = errors_.Tail();
  return tail.empty() ? status : WithDetail(status, "stderr", tail);
}

}  // namespace levada::programs
