#pragma once
// What the engine needs to know of and do with its own process and machine.

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/fault.h"

namespace levada::os {

/// Resident set of this process now and at its highest, in bytes, from /proc/self/status.
struct ResidentMemory {
  int64_t now_bytes = 0;
  int64_t peak_bytes = 0;
};
ResidentMemory ReadResidentMemory();

/// Processors this process may use: affinity and cgroup quota (v1 and v2) considered, at least 1.
int ProcessorCount();
/// Memory this process may use: the machine's, or its cgroup's limit (v1 or v2) where that is
/// lower.
int64_t MemoryLimitBytes();

/// User + system CPU time of this process so far.
int64_t CpuTimeNs();

/// Lets this process open as many files as its hard limit allows. Best effort. The soft limit is
/// low for programs that use select(2), which this one does not.
void RaiseOpenFileLimit();

std::string HostName();
/// The file of this program, as it was when it was started; empty when nobody says.
std::string ProgramPath();
int64_t ProcessId();

/// Turns the first SIGINT or SIGTERM into a stop request and the second into an immediate exit
/// (130, 143). One per process, made before any thread starts; SIGPIPE is ignored as long as it
/// lives.
class SignalStop {
 public:
  virtual ~SignalStop() = default;
  virtual std::stop_token token() const = 0;
  /// 0, SIGINT or SIGTERM.
  virtual int signal() const = 0;
};
std::unique_ptr<SignalStop> WatchSignals();

/// A file descriptor that becomes readable when `stop` is requested: poll it beside a socket.
class StopEvent {
 public:
  /// Throws std::system_error when the process has no descriptor left.
  explicit StopEvent(const std::stop_token& stop);
  ~StopEvent() = default;
  StopEvent(const StopEvent&) = delete;
  StopEvent& operator=(const StopEvent&) = delete;
  int fd() const { return descriptor_.fd; }

 private:
  struct Descriptor {
    explicit Descriptor(int opened) : fd(opened) {}
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    const int fd;
  };
  struct Signal {
    int fd;
    void operator()() const noexcept;
  };
  Descriptor descriptor_;  // closed after the callback is gone: it may be running until then
  std::stop_callback<Signal> callback_;
};

/// Waits until `fd` is ready for `events` (POLLIN, POLLOUT), `stop`, or the timeout. True when the
/// descriptor is ready.
Result<bool> WaitReady(int fd, short events, const StopEvent& stop, int timeout_ms);

}  // namespace levada::os
