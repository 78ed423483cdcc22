#include "controllers/threads/threads_controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "elt/stop_scope.h"

namespace levada::threads {
namespace {

using elt::JobResult;

class ThreadsHandle final : public elt::JobHandle {
 public:
  ThreadsHandle(const Context& ctx, const elt::PartitionJob& job, std::vector<int> indexes,
                int slots)
      : job_(job),
        scope_(ctx.stop),
        ctx_(scope_.Enter(ctx)),
        waiting_(indexes.begin(), indexes.end()) {
    const auto count = std::min<size_t>(waiting_.size(), static_cast<size_t>(std::max(1, slots)));
    running_ = count;
    for (size_t i = 0; i < count; ++i) threads_.emplace_back([this] { Work(); });
  }
  ~ThreadsHandle() override { Cancel(); }

  std::optional<JobResult> Next() override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !results_.empty() || running_ == 0; });
    if (results_.empty()) return std::nullopt;
    JobResult result = std::move(results_.front());
    results_.pop_front();
    return result;
  }

  void Drain() override {
    std::lock_guard lock(mutex_);
    waiting_.clear();
  }

  void Cancel() override {
    Drain();
    scope_.Request();
  }

 private:
  void Work() {
    while (true) {
      int index = 0;
      {
        std::lock_guard lock(mutex_);
        if (waiting_.empty() || ctx_.stop.stop_requested()) break;
        index = waiting_.front();
        waiting_.pop_front();
      }
      Status status = Guarded(index);
      std::lock_guard lock(mutex_);
      // Before a sibling takes the next one: nobody can drain us as soon as that.
      if (!status.ok()) waiting_.clear();
      results_.push_back({index, std::move(status)});
      changed_.notify_all();
    }
    std::lock_guard lock(mutex_);
    --running_;
    changed_.notify_all();
  }

  Status Guarded(int index) {
    try {
      Context ctx = ctx_;
      return job_.Run(ctx, index);
    } catch (const std::exception& error) {
      return Fault(FaultCode::kInternal,
                   fmt::format("an exception ended partition {}: {}", index, error.what()));
    }
  }

  const elt::PartitionJob& job_;
  elt::StopScope scope_;
  Context ctx_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<int> waiting_;
  std::deque<JobResult> results_;
  size_t running_ = 0;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

class ThreadsController final : public elt::JobController {
 public:
  Result<std::unique_ptr<elt::JobHandle>> Start(Context& ctx, const elt::PartitionJob& job,
                                                std::vector<int> indexes, int slots) override {
    return std::make_unique<ThreadsHandle>(ctx, job, std::move(indexes), slots);
  }
};

}  // namespace

std::unique_ptr<elt::JobController> MakeThreadsController() {
  return std::make_unique<ThreadsController>();
}

}  // namespace levada::threads
