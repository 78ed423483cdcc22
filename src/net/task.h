#pragma once
// Task: a coroutine that ends with a T. What doors and services are written in.
//
// A Task starts when it is awaited, runs on the thread of whoever resumes it, and is awaited once.
// It knows nothing of sockets: what waits are the awaitables of net/loop.h and the server's own.
// There is no cancellation: a task that is waiting is resumed in the end, with an error if its
// socket or its daemon went away.
//
// Write coroutines short, take parameters by value or from an owner that outlives the await, and
// give lambdas that are coroutines no captures: a capture dies with the lambda, not with the Task.
// No aggregate in braces within an awaited expression: g++ 12 destroys it twice; name it before.

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace levada::net {

template <typename T>
class [[nodiscard]] Task;

namespace task_internal {

/// Goes on with whoever waits for the task, if somebody does.
struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
    return handle.promise().continuation;
  }
  void await_resume() const noexcept {}
};

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr exception;

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;

  Task<T> get_return_object() noexcept;
  template <typename U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T Take() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void Take() const {
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace task_internal

/// Owns the coroutine. One that is destroyed before its end takes its locals with it: only the
/// awaiting task's own frame may do that.
///
/// The awaiting task runs it in place until it first waits. So one that never waits leaves nothing
/// on the stack, and a loop over a million of them needs no tail calls of the compiler (g++ makes
/// none without optimisation).
template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = task_internal::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), started_(other.started_) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(started_, other.started_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  /// Runs it until it first waits; whether it has ended by then. It is awaited in either case, and
  /// something else may be awaited before: that is all that this is for.
  bool Start() {
    started_ = true;
    handle_.resume();
    return handle_.done();
  }

  bool await_ready() const noexcept { return handle_.done(); }
  bool await_suspend(std::coroutine_handle<> awaiting) {
    if (!started_ && Start()) return false;
    handle_.promise().continuation = awaiting;
    return true;
  }
  /// The value; or the exception that left the coroutine.
  T await_resume() { return handle_.promise().Take(); }

 private:
  std::coroutine_handle<promise_type> handle_;
  bool started_ = false;
};

namespace task_internal {

template <typename T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace task_internal
}  // namespace levada::net
