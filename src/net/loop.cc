#include "net/loop.h"

#include <boost/asio/post.hpp>

#include "net/loop_state.h"

namespace levada::net {

/// A coroutine that owns itself: it begins when it is resumed and frees its frame at its end.
struct Loop::State::Detached {
  struct promise_type {
    std::unordered_set<void*>* owners = nullptr;

    promise_type() = default;
    promise_type(const promise_type&) = delete;
    promise_type& operator=(const promise_type&) = delete;
    ~promise_type() { owners->erase(Handle::from_promise(*this).address()); }

    Detached get_return_object() noexcept { return {Handle::from_promise(*this)}; }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    // tidy: allow a spawned task has nobody who could take its exception
    void unhandled_exception() const noexcept { std::terminate(); }
  };
  using Handle = std::coroutine_handle<promise_type>;

  Handle handle;
};

Loop::State::Detached Loop::State::Detach(Task<void> task) { co_await std::move(task); }

// Others post, but only one thread runs: the hint spares the locks between threads that run.
Loop::State::State() : io_(1), work_(boost::asio::make_work_guard(io_)) {}

Loop::State::~State() {
  while (!detached_.empty()) std::coroutine_handle<>::from_address(*detached_.begin()).destroy();
}

void Loop::State::Start(Task<void> task) {
  const Detached::Handle handle = Detach(std::move(task)).handle;
  handle.promise().owners = &detached_;
  detached_.insert(handle.address());
  handle.resume();
}

// A queue of our own, since Asio's lets what the loop posts itself wait behind what others post
// later.
void Loop::State::Post(std::function<void()> work) {
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    is_first = posted_.empty();
    posted_.push_back(std::move(work));
  }
  if (is_first) boost::asio::post(io_, [this] { RunPosted(); });
}

void Loop::State::RunPosted() {
  {
    const std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  for (std::function<void()>& work : running_) {
    if (io_.stopped()) break;
    work();
  }
  running_.clear();
}

Loop::Loop() : state_(std::make_unique<State>()) {}
Loop::~Loop() = default;

void Loop::Run() { state_->io().run(); }
void Loop::Stop() { state_->io().stop(); }
void Loop::Post(std::function<void()> work) { state_->Post(std::move(work)); }

void Loop::Spawn(Task<void> task) {
  // A std::function copies, a Task does not.
  auto shared = std::make_shared<Task<void>>(std::move(task));
  State* state = state_.get();
  Post([state, shared] { state->Start(std::move(*shared)); });
}

Task<void> Loop::Sleep(std::chrono::nanoseconds duration) {
  Timer timer(state_->io().get_executor());
  timer.expires_after(std::chrono::duration_cast<Timer::duration>(duration));
  co_await TimerWait(timer);
}

}  // namespace levada::net
