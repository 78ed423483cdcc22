#include "controllers/threads/threads_controller.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

namespace levada::threads {
namespace {

class Job final : public elt::PartitionJob {
 public:
  explicit Job(std::function<Status(Context&, int)> body) : body_(std::move(body)) {}
  Status Run(Context& ctx, int index) const override { return body_(ctx, index); }

 private:
  std::function<Status(Context&, int)> body_;
};

std::vector<int> UpTo(int count) {
  std::vector<int> indexes;
  for (int i = 0; i < count; ++i) indexes.push_back(i);
  return indexes;
}

TEST(ThreadsController, RunsEveryIndexOnceAndNoMoreAtATimeThanSlots) {
  std::atomic<int> running{0}, most{0};
  Job job([&](Context&, int) {
    const int now = ++running;
    int seen = most;
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::yield();
    --running;
    return Status::OK();
  });
  Context ctx;
  auto handle = MakeThreadsController()->Start(ctx, job, UpTo(200), 3).ValueOrDie();
  std::set<int> done;
  while (auto result = handle->Next()) {
    EXPECT_TRUE(result->status.ok());
    EXPECT_TRUE(done.insert(result->index).second);
  }
  EXPECT_EQ(done.size(), 200u);
  EXPECT_LE(most, 3);
}

TEST(ThreadsController, NothingToDoEndsAtOnce) {
  Job job([](Context&, int) { return Status::OK(); });
  Context ctx;
  auto handle = MakeThreadsController()->Start(ctx, job, {}, 4).ValueOrDie();
  EXPECT_FALSE(handle->Next().has_value());
}

TEST(ThreadsController, AfterAFailureNothingMoreIsStarted) {
  std::atomic<int> started{0};
  Job job([&](Context&, int index) {
    ++started;
    return index == 2 ? Status::IOError("broken") : Status::OK();
  });
  Context ctx;
  auto handle = MakeThreadsController()->Start(ctx, job, UpTo(50), 1).ValueOrDie();
  int ended = 0;
  while (handle->Next()) ++ended;  // nobody drains
  EXPECT_EQ(started, 3);
  EXPECT_EQ(ended, 3);
}

TEST(ThreadsController, DrainLetsWhatRunsFinish) {
  std::atomic<bool> inside{false}, go{false};
  Job job([&](Context& ctx, int) {
    inside = true;
    while (!go) std::this_thread::yield();
    return ctx.stop.stop_requested() ? Status::Cancelled("stopped") : Status::OK();
  });
  Context ctx;
  auto handle = MakeThreadsController()->Start(ctx, job, UpTo(50), 1).ValueOrDie();
  while (!inside) std::this_thread::yield();
  handle->Drain();
  go = true;
  auto first = handle->Next();
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->status.ok());
  EXPECT_FALSE(handle->Next().has_value());
}

TEST(ThreadsController, CancelStopsWhatRuns) {
  std::atomic<bool> inside{false};
  Job job([&](Context& ctx, int) {
    inside = true;
    while (!ctx.stop.stop_requested()) std::this_thread::yield();
    return Status::Cancelled("stopped");
  });
  Context ctx;
  auto handle = MakeThreadsController()->Start(ctx, job, UpTo(50), 1).ValueOrDie();
  while (!inside) std::this_thread::yield();
  handle->Cancel();
  int results = 0;
  while (handle->Next()) ++results;
  EXPECT_EQ(results, 1);
}

TEST(ThreadsController, AnExceptionIsAFaultOfOurs) {
  Job job([](Context&, int) -> Status { throw std::runtime_error("boom"); });
  Context ctx;
  auto handle = MakeThreadsController()->Start(ctx, job, {7}, 1).ValueOrDie();
  auto result = handle->Next();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->index, 7);
  EXPECT_EQ(CodeOf(result->status), FaultCode::kInternal);
}

}  // namespace
}  // namespace levada::threads
