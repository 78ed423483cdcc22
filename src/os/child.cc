#include "os/child.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "os/descriptor.h"
#include "os/process.h"
#include "os/spawn.h"

namespace levada::os {
namespace {

using Steady = std::chrono::steady_clock;

// As much as an unprivileged process may ask for: fewer switches between the two sides.
constexpr int kPipeBytes = 1 << 20;

int RetryOnInterrupt(const auto& call) {
  while (true) {
    const int result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

Status OutOfDescriptors(std::string_view what) {
  return ErrnoFault(FaultCode::kSourceBusy, errno, "cannot make " + std::string(what))
      .Help("raise the limit of open files (ulimit -n), or run less at once");
}

struct Pipe {
  Descriptor reader;
  Descriptor writer;
};

Result<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return OutOfDescriptors("a pipe");
  (void)fcntl(ends[0], F_SETPIPE_SZ, kPipeBytes);  // only speed depends on it
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

void MakeNonBlocking(const Descriptor& descriptor) {
  (void)fcntl(descriptor.fd(), F_SETFL, fcntl(descriptor.fd(), F_GETFL) | O_NONBLOCK);
}

void Raise(const Descriptor& event) {
  const uint64_t one = 1;
  (void)RetryOnInterrupt([&] { return static_cast<int>(write(event.fd(), &one, sizeof one)); });
}

// A write to a pipe that nobody reads raises SIGPIPE, which would end a process that does not
// ignore it.
class BrokenPipeGuard {
 public:
  BrokenPipeGuard() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~BrokenPipeGuard() {
    const timespec at_once{};
    while (sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  BrokenPipeGuard(const BrokenPipeGuard&) = delete;
  BrokenPipeGuard& operator=(const BrokenPipeGuard&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
};

// Cuts bytes into lines.
class LineCutter {
 public:
  explicit LineCutter(ErrorLineSink sink) : sink_(std::move(sink)) {}

  void Add(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, end);
      line_ += piece.substr(0, Child::kErrorLineBytesMax - line_.size());
      if (end == std::string_view::npos) return;
      Flush();
      bytes.remove_prefix(end + 1);
    }
  }
  /// Also the last line, which may lack its break.
  void End() {
    if (!line_.empty()) Flush();
  }

 private:
  void Flush() {
    if (line_.ends_with('\r')) line_.pop_back();
    if (sink_ != nullptr) sink_(line_);
    line_.clear();
  }

  const ErrorLineSink sink_;
  std::string line_;
};

}  // namespace

class Child::Supervisor {
 public:
  Supervisor(const Context& ctx, ErrorLineSink errors)
      : stop_(ctx.stop), lines_(std::move(errors)) {}
  ~Supervisor() {
    if (!thread_.joinable()) return;
    Stop();
    thread_.join();
  }

  // The program is started by the thread that outlives it: Linux ends a child with the thread that
  // made it, where it was asked to end it with the process.
  Status Start(ChildCommand command) {
    ARROW_RETURN_NOT_OK(Open(command.has_input));
    std::promise<Status> started;
    std::future<Status> outcome = started.get_future();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for other threads
    thread_ =
        std::thread([this, command = std::move(command), started = std::move(started)]() mutable {
          Supervise(command, started);
        });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return outcome.get();
  }

  Result<size_t> Read(const Context& ctx, std::span<uint8_t> out) {
    while (true) {
      ARROW_RETURN_NOT_OK(ctx.Check());
      const int count = RetryOnInterrupt(
          [&] { return static_cast<int>(read(output_.reader.fd(), out.data(), out.size())); });
      // A stop ends the program as well, and its end may be seen first.
      if (count == 0) ARROW_RETURN_NOT_OK(ctx.Check());
      if (count >= 0) return static_cast<size_t>(count);
      if (errno != EAGAIN) {
        return ErrnoFault(FaultCode::kInternal, errno, "cannot read a program's output");
      }
      // Whoever still holds the pipe when the program is gone is nobody we know.
      ARROW_ASSIGN_OR_RAISE(const bool ready, Await(ctx, output_.reader.fd(), POLLIN));
      if (ready || !HasEnded()) continue;
      ARROW_RETURN_NOT_OK(ctx.Check());
      return size_t{0};
    }
  }

  Result<bool> Write(const Context& ctx, std::span<const uint8_t> bytes) {
    const BrokenPipeGuard guard;
    while (!bytes.empty()) {
      ARROW_RETURN_NOT_OK(ctx.Check());
      const int chunk = static_cast<int>(std::min<size_t>(bytes.size(), 1 << 30));
      const int count = RetryOnInterrupt(
          [&] { return static_cast<int>(write(input_.writer.fd(), bytes.data(), chunk)); });
      if (count >= 0) {
        bytes = bytes.subspan(static_cast<size_t>(count));
        continue;
      }
      if (errno == EPIPE) {
        ARROW_RETURN_NOT_OK(ctx.Check());
        return false;
      }
      if (errno != EAGAIN) {
        return ErrnoFault(FaultCode::kInternal, errno, "cannot write to a program");
      }
      ARROW_ASSIGN_OR_RAISE(const bool ready, Await(ctx, input_.writer.fd(), POLLOUT));
      if (ready || !HasEnded()) continue;
      ARROW_RETURN_NOT_OK(ctx.Check());
      return false;
    }
    return true;
  }

  void CloseInput() { input_.writer.Close(); }

  Result<ChildEnd> Wait(const Context& ctx) {
    while (true) {
      if (HasEnded()) {
        std::lock_guard lock(mutex_);
        return *end_;
      }
      ARROW_RETURN_NOT_OK(ctx.Check());
      ARROW_RETURN_NOT_OK(Await(ctx, -1, 0).status());
    }
  }

  void Stop() {
    Raise(told_to_stop_);
    pollfd ended{ended_.fd(), POLLIN, 0};
    (void)RetryOnInterrupt([&] { return poll(&ended, 1, -1); });
  }

 private:
  Status Open(bool has_input) {
    if (has_input) {
      ARROW_ASSIGN_OR_RAISE(input_, MakePipe());
      MakeNonBlocking(input_.writer);
    } else {
      input_.reader = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (!input_.reader.is_open()) return OutOfDescriptors("an empty input");
    }
    ARROW_ASSIGN_OR_RAISE(output_, MakePipe());
    MakeNonBlocking(output_.reader);
    ARROW_ASSIGN_OR_RAISE(errors_, MakePipe());
    MakeNonBlocking(errors_.reader);
    ended_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    told_to_stop_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!ended_.is_open() || !told_to_stop_.is_open()) return OutOfDescriptors("an event");
    return Status::OK();
  }

  bool HasEnded() const {
    std::lock_guard lock(mutex_);
    return end_.has_value();
  }

  // True when `fd` is ready; false when the program has ended, at a stop and at the deadline.
  Result<bool> Await(const Context& ctx, int fd, short events) {
    constexpr int kLookAgainMs = 10'000;  // a deadline may be on a clock that poll does not know
    std::array<pollfd, 3> polled = {
        pollfd{fd, events, 0}, {stop_.fd(), POLLIN, 0}, {ended_.fd(), POLLIN, 0}};
    if (poll(polled.data(), polled.size(), ctx.PollTimeoutMs(kLookAgainMs)) < 0 && errno != EINTR) {
      return ErrnoFault(FaultCode::kInternal, errno, "cannot poll");
    }
    return polled[0].revents != 0;
  }

  // The thread.
  void Supervise(ChildCommand& command, std::promise<Status>& started) {
    const Descriptor& output = command.has_output ? output_.writer : errors_.writer;
    Result<pid_t> spawned = Spawn(command, {input_.reader.fd(), output.fd(), errors_.writer.fd()});
    // Only the program holds its ends from here on, so that their end is seen.
    input_.reader.Close();
    output_.writer.Close();
    errors_.writer.Close();
    if (!spawned.ok()) {
      End(ChildEnd{});
      started.set_value(spawned.status());
      return;
    }
    pid_ = *spawned;
    process_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    started.set_value(Status::OK());
    while (!TurnOnce()) {
    }
    Reap();
  }

  // One wait and what follows from it. True when the program has ended.
  bool TurnOnce() {
    std::array<pollfd, 4> polled = {pollfd{errors_.reader.fd(), POLLIN, 0},
                                    {process_.fd(), POLLIN, 0},
                                    {kill_at_ ? -1 : told_to_stop_.fd(), POLLIN, 0},
                                    {kill_at_ ? -1 : stop_.fd(), POLLIN, 0}};
    if (poll(polled.data(), polled.size(), WaitMs()) < 0 && errno != EINTR) {
      (void)kill(-pid_, SIGKILL);  // blind, we cannot supervise anything
      return true;
    }
    if (polled[0].revents != 0 && !DrainErrors()) errors_.reader.Close();
    if (!kill_at_ && (polled[2].revents != 0 || polled[3].revents != 0)) {
      was_stopped_ = true;
      kill_at_ = Steady::now() + kGrace;
      (void)kill(-pid_, SIGTERM);
      (void)kill(-pid_, SIGCONT);  // one that stands still hears nothing
    }
    if (kill_at_ && Steady::now() >= *kill_at_) (void)kill(-pid_, SIGKILL);
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == pid_;
  }

  int WaitMs() const {
    if (!process_.is_open()) return 10;  // a kernel that cannot tell us
    if (!kill_at_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*kill_at_ - Steady::now());
    return static_cast<int>(std::max<int64_t>(left.count(), 1));
  }

  // False at the end of it.
  bool DrainErrors() {
    std::array<char, 16 * 1024> bytes;
    while (errors_.reader.is_open()) {
      const int count = RetryOnInterrupt(
          [&] { return static_cast<int>(read(errors_.reader.fd(), bytes.data(), bytes.size())); });
      if (count < 0) return true;  // nothing now
      if (count == 0) return false;
      lines_.Add({bytes.data(), static_cast<size_t>(count)});
      if (static_cast<size_t>(count) < bytes.size()) return true;
    }
    return false;
  }

  void Reap() {
    // While it is not waited for, its number names no other group.
    (void)kill(-pid_, SIGKILL);
    ChildEnd end{.status = 255};  // of a child that somebody else waited for: not success
    int status = 0;
    if (RetryOnInterrupt([&] { return waitpid(pid_, &status, 0); }) == pid_) {
      end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    }
    end.was_stopped = was_stopped_;
    // A survivor outside of the group could write for ever.
    for (int i = 0; i < kLastDrainsMax && DrainErrors(); ++i) {
      pollfd more{errors_.reader.fd(), POLLIN, 0};
      if (poll(&more, 1, 0) <= 0) break;
    }
    lines_.End();
    End(end);
  }

  void End(const ChildEnd& end) {
    {
      std::lock_guard lock(mutex_);
      end_ = end;
    }
    Raise(ended_);
  }

  // A full pipe of it, and as much again.
  static constexpr int kLastDrainsMax = 2 * kPipeBytes / (16 * 1024);

  StopEvent stop_;
  Pipe input_;   // of it the reader is the program's
  Pipe output_;  // the writer is
  Pipe errors_;
  Descriptor ended_;         // readable when end_ is set
  Descriptor told_to_stop_;  // readable when Stop was called
  mutable std::mutex mutex_;
  std::optional<ChildEnd> end_;

  // Of the thread alone.
  LineCutter lines_;
  Descriptor process_;
  pid_t pid_ = 0;
  bool was_stopped_ = false;
  std::optional<Steady::time_point> kill_at_;

  std::thread thread_;  // last: it uses all of the above
};

Child::Child(std::unique_ptr<Supervisor> supervisor) : supervisor_(std::move(supervisor)) {}
Child::~Child() = default;

Result<std::unique_ptr<Child>> Child::Start(const Context& ctx, ChildCommand command,
                                            ErrorLineSink errors) {
  ARROW_RETURN_NOT_OK(ctx.Check());
  auto supervisor = std::make_unique<Supervisor>(ctx, std::move(errors));
  ARROW_RETURN_NOT_OK(supervisor->Start(std::move(command)));
  return std::unique_ptr<Child>(new Child(std::move(supervisor)));
}

Result<size_t> Child::Read(const Context& ctx, std::span<uint8_t> out) {
  return supervisor_->Read(ctx, out);
}
Result<bool> Child::Write(const Context& ctx, std::span<const uint8_t> bytes) {
  return supervisor_->Write(ctx, bytes);
}
void Child::CloseInput() { supervisor_->CloseInput(); }
Result<ChildEnd> Child::Wait(const Context& ctx) { return supervisor_->Wait(ctx); }
void Child::Stop() { supervisor_->Stop(); }

}  // namespace levada::os
