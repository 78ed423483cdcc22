#pragma once
// KeyLocks: one writer at a time for each key, as an await: what a write decides by is still true
// when it is committed. On the loop.

#include <coroutine>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "net/loop.h"

namespace levada::services {

class KeyLocks final {
  struct State;

 public:
  /// Held until it dies. Outliving the locks does no harm.
  class [[nodiscard]] Hold final {
   public:
    Hold(std::weak_ptr<State> state, std::string key)
        : state_(std::move(state)), key_(std::move(key)) {}
    Hold(Hold&& other) noexcept = default;
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (const std::shared_ptr<State> state = state_.lock()) state->Release(key_);
    }

   private:
    std::weak_ptr<State> state_;  // a moved-from one is empty
    std::string key_;
  };

  /// Awaited to a Hold, in the order of asking.
  class [[nodiscard]] Wait final {
   public:
    Wait(std::shared_ptr<State> state, std::string key)
        : state_(std::move(state)), key_(std::move(key)) {}
    bool await_ready() const { return state_->TryTake(key_); }
    void await_suspend(std::coroutine_handle<> waiting) const {
      state_->waiting[key_].push_back(waiting);
    }
    Hold await_resume() { return {state_, std::move(key_)}; }

   private:
    std::shared_ptr<State> state_;
    std::string key_;
  };

  explicit KeyLocks(net::Loop& loop) : state_(std::make_shared<State>(loop)) {}
  Wait Acquire(std::string key) { return {state_, std::move(key)}; }

 private:
  struct State {
    explicit State(net::Loop& owner) : loop(owner) {}
    bool TryTake(const std::string& key) { return waiting.try_emplace(key).second; }
    void Release(const std::string& key) {
      const auto at = waiting.find(key);
      if (at->second.empty()) {
        waiting.erase(at);
        return;
      }
      const std::coroutine_handle<> next = at->second.front();
      at->second.pop_front();
      loop.Post([next] { next.resume(); });
    }
    net::Loop& loop;
    std::unordered_map<std::string, std::deque<std::coroutine_handle<>>> waiting;  // of held keys
  };
  std::shared_ptr<State> state_;
};

}  // namespace levada::services
