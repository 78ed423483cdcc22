#pragma once
// What is behind the wall of loop.h: Asio's io_context, what other threads posted, and the tasks
// that nobody awaits. For src/net only.

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <coroutine>
#include <functional>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "net/loop.h"

namespace levada::net {

// Asio's own defaults erase the executor's type, at the price of a few calls an operation.
using Executor = boost::asio::io_context::executor_type;
using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

class Loop::State {
 public:
  State();
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  boost::asio::io_context& io() { return io_; }
  void Post(std::function<void()> work);
  /// Runs it until it first waits, and owns it from there. On the loop.
  void Start(Task<void> task);

 private:
  struct Detached;
  static Detached Detach(Task<void> task);
  void RunPosted();

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<Executor> work_;  // Run waits also when there is nothing to do
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  std::vector<std::function<void()>> running_;  // on the loop
  std::unordered_set<void*> detached_;          // addresses of their frames; on the loop
};

/// Resumes when the timer expires or is cancelled.
class TimerWait {
 public:
  explicit TimerWait(Timer& timer) : timer_(timer) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    timer_.async_wait([waiting](const boost::system::error_code&) { waiting.resume(); });
  }
  void await_resume() const noexcept {}

 private:
  Timer& timer_;
};

}  // namespace levada::net
