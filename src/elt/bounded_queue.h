#pragma once
// BoundedQueue: hands values from producing threads to one consuming thread, holding at most
// `capacity` of them.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace levada::elt {

/// Thread-safe. Every wait ends at once when its stop is requested or the queue is closed.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  /// Waits for room. False when stopped or closed; the value is then dropped.
  bool Push(T value, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return closed_ || values_.size() < capacity_; })) {
      return false;
    }
    if (closed_) return false;
    values_.push_back(std::move(value));
    changed_.notify_all();
    return true;
  }

  /// Waits for a value. nullopt when stopped, or closed and empty.
  std::optional<T> Pop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return closed_ || !values_.empty(); })) {
      return std::nullopt;
    }
    if (values_.empty()) return std::nullopt;
    T value = std::move(values_.front());
    values_.pop_front();
    changed_.notify_all();
    return value;
  }

  /// No more values: pushes fail, pops drain what is there. Idempotent.
  void Close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  const size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<T> values_;
  bool closed_ = false;
};

}  // namespace levada::elt
