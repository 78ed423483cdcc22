#include <condition_variable>
#include <deque>
#include <thread>
#include <vector>

#include "net/loop.h"

namespace levada::net {

class Workers::State {
 public:
  State(int threads, size_t waiting_max) : waiting_max_(waiting_max) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  }

  ~State() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  bool Submit(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() >= waiting_max_) {
        ++refused_;
        return false;
      }
      waiting_.push_back(std::move(work));
    }
    changed_.notify_one();
    return true;
  }

  Counts counts() const {
    const std::lock_guard lock(mutex_);
    return {threads_.size(), busy_, waiting_.size(), refused_};
  }

 private:
  void Work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      std::function<void()> work = std::move(waiting_.front());
      waiting_.pop_front();
      ++busy_;
      lock.unlock();
      work();
      work = nullptr;  // what it holds is gone before somebody sees this thread idle
      lock.lock();
      --busy_;
    }
  }

  const size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool ending_ = false;
  size_t busy_ = 0;
  uint64_t refused_ = 0;
  // Last: they use all of the above. tidy: allow this is where the daemon keeps its threads
  std::vector<std::thread> threads_;
};

Workers::Workers(int threads, size_t waiting_max)
    : state_(std::make_unique<State>(threads, waiting_max)) {}
Workers::~Workers() = default;

bool Workers::Submit(std::function<void()> work) { return state_->Submit(std::move(work)); }
Workers::Counts Workers::counts() const { return state_->counts(); }

}  // namespace levada::net
