#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <thread>

#include "os/process.h"

namespace levada::os {
namespace {

int NewEvent(int flags) {
  const int fd = eventfd(0, EFD_CLOEXEC | flags);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return fd;
}

void Raise(int event) {
  const uint64_t one = 1;
  ssize_t written = 0;
  do {  // only EINTR can fail: the counter cannot overflow by ones
    written = write(event, &one, sizeof one);
  } while (written < 0 && errno == EINTR);
}

// All that the handler may touch. tidy: allow mutable globals: a signal handler has no argument to
// reach its owner by.
std::atomic<bool> watched{false};
std::atomic<int> first_signal{0};
std::atomic<int> signal_event{-1};
static_assert(std::atomic<int>::is_always_lock_free, "the handler may not lock");

void OnSignal(int number) {
  const int saved_errno = errno;
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) _exit(128 + number);
  Raise(signal_event.load());
  errno = saved_errno;
}

class ProcessSignals final : public SignalStop {
 public:
  ProcessSignals() : event_(NewEvent(0)) {
    if (watched.exchange(true)) {
      std::fputs("levada: signals are watched already\n", stderr);
      std::abort();
    }
    first_signal = 0;
    signal_event = event_;
    StartThread();
    struct sigaction action{};
    action.sa_handler = OnSignal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &old_interrupt_);
    sigaction(SIGTERM, &action, &old_terminate_);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, &old_pipe_);
  }

  ~ProcessSignals() override {
    sigaction(SIGINT, &old_interrupt_, nullptr);
    sigaction(SIGTERM, &old_terminate_, nullptr);
    sigaction(SIGPIPE, &old_pipe_, nullptr);
    ending_ = true;
    Raise(event_);
    thread_.join();
    close(event_);
    watched = false;
  }

  std::stop_token token() const override { return stop_.get_token(); }
  int signal() const override { return first_signal.load(); }

 private:
  // The thread takes no signals itself: a handler that interrupts it could only wake it up to wait
  // again.
  void StartThread() {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { Wait(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void Wait() {
    uint64_t count = 0;
    while (read(event_, &count, sizeof count) < 0 && errno == EINTR) {
    }
    if (!ending_ || first_signal != 0) stop_.request_stop();
  }

  const int event_;
  std::stop_source stop_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
  struct sigaction old_interrupt_{};
  struct sigaction old_terminate_{};
  struct sigaction old_pipe_{};
};

}  // namespace

std::unique_ptr<SignalStop> WatchSignals() { return std::make_unique<ProcessSignals>(); }

StopEvent::Descriptor::~Descriptor() { close(fd); }

void StopEvent::Signal::operator()() const noexcept { Raise(fd); }

StopEvent::StopEvent(const std::stop_token& stop)
    : descriptor_{NewEvent(EFD_NONBLOCK)}, callback_(stop, Signal{descriptor_.fd}) {}

Result<bool> WaitReady(int fd, short events, const StopEvent& stop, int timeout_ms) {
  using Steady = std::chrono::steady_clock;
  const auto until = Steady::now() + std::chrono::milliseconds(std::max(timeout_ms, 0));
  while (true) {
    pollfd polled[] = {{fd, events, 0}, {stop.fd(), POLLIN, 0}};
    const int ready = poll(polled, 2, timeout_ms);
    if (ready > 0) {
      if ((polled[0].revents & POLLNVAL) != 0) {
        return ErrnoFault(FaultCode::kInternal, EBADF, "cannot wait for a closed descriptor");
      }
      return polled[0].revents !=
             0;  // POLLERR and POLLHUP count: the next read tells what they are
    }
    if (ready == 0) return false;
    if (errno != EINTR) return ErrnoFault(FaultCode::kInternal, errno, "cannot poll");
    if (timeout_ms > 0) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now());
      timeout_ms = static_cast<int>(std::max<int64_t>(left.count(), 0));
    }
  }
}

}  // namespace levada::os
