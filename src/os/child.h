#pragma once
// Child: another program, run beside this process and never beyond it.
//
// A thread of its own starts the program, listens to what it says on standard error, ends it when
// told to, and takes its exit status. The program leads a process group: whatever it starts and
// leaves behind ends with it. What detaches itself from that group (setsid) is out of reach.
//
// There is no shell: arguments are what the program gets. It inherits no file but the three
// standard ones, no ignored signal, and no variable that is not in `environment`.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"

namespace levada::os {

struct ChildCommand {
  std::vector<std::string> arguments;    ///< argv, at least one
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string search_path;  ///< as PATH: where a program without "/" in its name is looked for
  bool has_input = false;   ///< it is written to; otherwise its standard input is empty
  bool has_output = true;   ///< it is read from; otherwise standard output goes where errors go
};

/// How a program ended.
struct ChildEnd {
  int status = 0;            ///< of exit(3); 0 when a signal ended it
  int signal = 0;            ///< that ended it; 0 when it ended by itself
  bool was_stopped = false;  ///< we had told it to end
};

/// Takes a line of standard error, without its line break; on the thread of the child. Bytes are as
/// they came; what a line has beyond kErrorLineBytesMax is left out.
using ErrorLineSink = std::function<void(std::string_view line)>;

/// Read and Write may be called by two threads at once; everything else by one. Every wait ends
/// with the stop and the deadline of its Context.
class Child final {
 public:
  static constexpr size_t kErrorLineBytesMax = 4096;
  /// Between being asked to end and being killed: half of the second that a stop may take.
  static constexpr std::chrono::milliseconds kGrace{500};

  /// Once the program runs. It is told to end as soon as `ctx` is stopped. kBadValue when there is
  /// no such program or it is none, kPermissionDenied, kSourceBusy when this machine has no process
  /// or file left.
  static Result<std::unique_ptr<Child>> Start(const Context& ctx, ChildCommand command,
                                              ErrorLineSink errors);
  /// Stops it.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Some of what it writes to standard output; 0 at the end of it.
  Result<size_t> Read(const Context& ctx, std::span<uint8_t> out);
  /// All of `bytes` to its standard input. False when it no longer reads.
  Result<bool> Write(const Context& ctx, std::span<const uint8_t> bytes);
  /// The end of its standard input. Idempotent; after the last Write.
  void CloseInput();
  /// Waits until it has ended, and all that it said has been given to the sink.
  Result<ChildEnd> Wait(const Context& ctx);
  /// Ends it, if need be by force, and returns when it is gone; idempotent.
  void Stop();

 private:
  class Supervisor;
  explicit Child(std::unique_ptr<Supervisor> supervisor);

  const std::unique_ptr<Supervisor> supervisor_;
};

}  // namespace levada::os
