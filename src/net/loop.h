#pragma once
// Loop: the one event loop of the daemon, and how other threads hand it what they have finished.
//
// Doors and services are coroutines (net/task.h) on the thread that runs Run(): between two awaits
// nothing else of theirs runs, so their state needs no locks. What blocks (a disk, a commit) is
// done by other threads, which come back by Post. It is a Boost.Asio io_context behind a wall: no
// header outside src/net sees Boost.

#include <chrono>
#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "net/task.h"

namespace levada::net {

class Loop {
 public:
  Loop();
  ~Loop();  // after Run has returned; tasks that never ended are dropped with their frames
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs what is posted and what sockets and timers bring, until Stop. On one thread.
  void Run();
  /// Lets Run return soon; what is still posted is not run. Any thread, also a signal-waiting one.
  void Stop();
  /// Runs `work` on the loop, in the order of posting. Any thread.
  void Post(std::function<void()> work);
  /// Starts a task that nobody awaits, on the loop. An exception that leaves it ends the process: a
  /// task that is spawned stops its own errors. Any thread.
  void Spawn(Task<void> task);
  /// Resumes after `duration`. On the loop.
  Task<void> Sleep(std::chrono::nanoseconds duration);

  class State;
  State& state() { return *state_; }  ///< for src/net

 private:
  std::unique_ptr<State> state_;
};

/// A value that another thread brings, awaited by one task of a loop. Copies are of one arrival.
///
///     net::Arrival<Status> committed(loop);
///     committer.Submit(batch, [committed](Status status) { committed.Set(std::move(status)); });
///     const Status status = co_await committed;
template <typename T>
class Arrival {
 public:
  explicit Arrival(Loop& loop) : shared_(std::make_shared<Shared>(loop)) {}

  /// Once, on any thread, before or after it is awaited.
  void Set(T value) const {
    std::coroutine_handle<> waiting;
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->value.emplace(std::move(value));
      waiting = std::exchange(shared_->waiting, nullptr);
    }
    if (waiting) shared_->loop.Post([waiting] { waiting.resume(); });
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> handle) const {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->value) return false;
    shared_->waiting = handle;
    return true;
  }
  T await_resume() const { return std::move(*shared_->value); }

 private:
  struct Shared {
    explicit Shared(Loop& owner) : loop(owner) {}
    Loop& loop;
    std::mutex mutex;
    std::optional<T> value;
    std::coroutine_handle<> waiting;
  };
  std::shared_ptr<Shared> shared_;
};

/// Threads for work that blocks. Destroying it finishes what was taken.
class Workers {
 public:
  Workers(int threads, size_t waiting_max);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// False, and `work` is not run, when `waiting_max` are waiting already. Any thread.
  [[nodiscard]] bool Submit(std::function<void()> work);

  struct Counts {
    size_t threads = 0;
    size_t busy = 0;  ///< threads that work
    size_t waiting = 0;
    uint64_t refused = 0;  ///< since they were made
  };
  /// For metrics. Any thread.
  Counts counts() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// Runs `work` on a thread of `workers` and resumes on the loop with what it returned; nullopt when
/// the workers have too much to do. `work` throws nothing, and the workers end before the loop.
template <typename Work, typename T = std::invoke_result_t<Work>>
Task<std::optional<T>> Blocking(Loop& loop, Workers& workers, Work work) {
  Arrival<T> done(loop);
  const bool taken = workers.Submit([done, &work] { done.Set(work()); });
  if (!taken) co_return std::nullopt;
  co_return co_await done;
}

}  // namespace levada::net
