#pragma once
// RunningProgram: one start of a stage's program, from the command to what its end means.
//
// The exit status says whose fault it was (docs/guide/exec.md): 0 is success, 75 (EX_TEMPFAIL) and
// death by a signal can be mended by trying again, 65, 77 and 78 are data, permission and
// configuration, the rest is final. It knows bytes; what they mean is somebody else's.

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/context.h"
#include "os/child.h"
#include "programs/error_lines.h"
#include "programs/program_options.h"

namespace levada::programs {

/// Read and Write may be called by two threads at once, Stop by any; everything else by one.
class RunningProgram final {
 public:
  /// The faults of MakeCommand and os::Child::Start.
  static Result<std::unique_ptr<RunningProgram>> Start(const Context& ctx,
                                                       const ProgramOptions& options,
                                                       const Call& call);

  /// As of os::Child, under the stop, the deadline and the program's own timeout.
  Result<size_t> Read(std::span<uint8_t> out);
  Result<bool> Write(std::span<const uint8_t> bytes);
  void CloseInput();

  /// Waits for its end: OK for success, else the fault that its exit status stands for, with its
  /// last words.
  Status End();
  /// Why it failed, when something about it did: its own exit status if it has ended with one that
  /// is no success, and else `seen`, with its last words. It is gone then.
  Status Explain(const Status& seen);
  void Stop();

 private:
  RunningProgram(const Context& ctx, Role role, std::string name, std::vector<Secret> secrets);
  Status FaultOfEnd(const os::ChildEnd& end) const;
  Status WithLastWords(const Status& status) const;

  const Context ctx_;
  const Role role_;
  const std::string name_;
  ErrorLines errors_;
  std::unique_ptr<os::Child> child_;  // after errors_: it speaks to them until it is gone
};

}  // namespace levada::programs
