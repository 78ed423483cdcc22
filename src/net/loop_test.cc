#include "net/loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "net/client_fixture.h"

namespace levada::net {
namespace {

using std::chrono::milliseconds;

Task<int> Number(int number) { co_return number; }

Task<int> Fails() {
  throw std::runtime_error("no number");
  co_return 1;
}

TEST(Task, HandsItsValueOrItsExceptionToWhoeverAwaitsIt) {
  LoopThread running;
  int sum = 0;
  std::string error;
  running.Await([](int& sum, std::string& error) -> Task<void> {
    const int first = co_await Number(1);
    const int second = co_await Number(2);
    sum = first + second;
    try {
      co_await Fails();
    } catch (const std::exception& thrown) {  // tidy: allow this is the test
      error = thrown.what();
    }
  }(sum, error));
  EXPECT_EQ(sum, 3);
  EXPECT_EQ(error, "no number");
}

Task<void> CountTo(int limit, int& count) {
  while (count < limit) count += co_await Number(1);
}

TEST(Task, ThatNeverWaitsNeedsNoStack) {
  LoopThread running;
  int count = 0;
  running.Await(CountTo(300'000, count));
  EXPECT_EQ(count, 300'000);
}

Task<void> StartThenAwait(Loop& loop, std::vector<std::string>& steps) {
  Task<void> sleep = loop.Sleep(milliseconds(1));
  steps.push_back(sleep.Start() ? "ended" : "waits");
  Task<int> number = Number(7);
  steps.push_back(number.Start() ? "ended" : "waits");
  co_await std::move(sleep);
  const int value = co_await std::move(number);
  steps.push_back(std::to_string(value));
}

TEST(Task, CanBeStartedBeforeItIsAwaited) {
  LoopThread running;
  std::vector<std::string> steps;
  running.Await(StartThenAwait(running.loop(), steps));
  EXPECT_EQ(steps, (std::vector<std::string>{"waits", "ended", "7"}));
}

TEST(Loop, RunsWhatIsPostedInOrderFromEveryThread) {
  LoopThread running;
  std::vector<int> seen;
  // Posted by the loop itself before another thread posts: first.
  running.Do([&] {
    running.loop().Post([&] { seen.push_back(1); });
    std::thread([&] { running.loop().Post([&] { seen.push_back(2); }); }).join();
    running.loop().Post([&] { seen.push_back(3); });
  });
  running.Do([&] { seen.push_back(4); });
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3, 4}));
}

TEST(Loop, StopLeavesWhatIsPosted) {
  Loop loop;
  int ran = 0;
  loop.Post([&] {
    ++ran;
    loop.Stop();
  });
  loop.Post([&] { ++ran; });
  loop.Run();
  EXPECT_EQ(ran, 1);
}

TEST(Loop, StoppedBeforeItRunsReturnsAtOnce) {
  Loop loop;
  loop.Stop();
  loop.Run();
}

/// Says that it is gone.
class Witness {
 public:
  explicit Witness(int& gone) : gone_(gone) {}
  ~Witness() { ++gone_; }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

 private:
  int& gone_;
};

Task<void> SleepForever(Loop& loop, int& gone) {
  const Witness witness(gone);
  co_await loop.Sleep(std::chrono::hours(24));
}

Task<void> WaitForever(Loop& loop, int& gone) {
  const Witness witness(gone);
  const Arrival<int> never(loop);
  co_await never;
}

TEST(Loop, DropsTasksThatNeverEnded) {
  int gone = 0;
  {
    Loop loop;
    loop.Spawn(SleepForever(loop, gone));
    loop.Spawn(WaitForever(loop, gone));
    loop.Post([&] { loop.Stop(); });
    loop.Spawn(SleepForever(loop, gone));  // does not even begin
    loop.Run();
    EXPECT_EQ(gone, 0);
  }
  EXPECT_EQ(gone, 2);
}

TEST(Loop, SleepsNoShorterThanAsked) {
  LoopThread running;
  const auto begin = std::chrono::steady_clock::now();
  running.Await(running.loop().Sleep(milliseconds(20)));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(20));
}

Task<void> Take(Arrival<std::string> arrival, std::string& value) { value = co_await arrival; }

TEST(Arrival, IsSetBeforeOrAfterItIsAwaited) {
  LoopThread running;
  std::string early, late;
  const Arrival<std::string> first(running.loop());
  first.Set("early");
  running.Await(Take(first, early));
  const Arrival<std::string> second(running.loop());
  Task<void> taking = Take(second, late);
  running.Do([&] { taking.Start(); });
  std::thread([second] { second.Set("late"); }).join();
  running.Await(std::move(taking));
  EXPECT_EQ(early, "early");
  EXPECT_EQ(late, "late");
}

Task<void> AddOnWorkers(Loop& loop, Workers& workers, std::atomic<int>& sum) {
  for (int i = 1; i <= 100; ++i) {
    const auto add = [i, &sum] { return sum += i; };
    const std::optional<int> now = co_await Blocking(loop, workers, add);
    if (!now) sum = -1'000'000;
  }
}

TEST(Workers, DoWhatBlocksAndComeBack) {
  LoopThread running;
  Workers workers(4, 100);
  std::atomic<int> sum = 0;
  running.Await(AddOnWorkers(running.loop(), workers, sum));
  EXPECT_EQ(sum, 5050);
}

TEST(Workers, TakeNoMoreThanMayWait) {
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  std::promise<void> began;
  std::atomic<int> done = 0;
  {
    Workers workers(1, 2);
    ASSERT_TRUE(workers.Submit([&began, &done, gone] {
      began.set_value();
      gone.wait();
      ++done;
    }));
    began.get_future().wait();
    EXPECT_TRUE(workers.Submit([&] { ++done; }));
    EXPECT_TRUE(workers.Submit([&] { ++done; }));
    EXPECT_FALSE(workers.Submit([&] { ++done; }));
    const Workers::Counts counts = workers.counts();
    EXPECT_EQ(counts.threads, 1U);
    EXPECT_EQ(counts.busy, 1U);
    EXPECT_EQ(counts.waiting, 2U);
    EXPECT_EQ(counts.refused, 1U);
    go.set_value();
  }
  EXPECT_EQ(done, 3) << "what was taken is finished";
}

Task<void> AskBusy(Loop& loop, Workers& workers, bool& was_refused) {
  const auto nothing = [] { return 1; };
  const std::optional<int> result = co_await Blocking(loop, workers, nothing);
  was_refused = !result.has_value();
}

TEST(Workers, ThatAreBusyAreToldApart) {
  LoopThread running;
  Workers workers(1, 0);
  bool was_refused = false;
  running.Await(AskBusy(running.loop(), workers, was_refused));
  EXPECT_TRUE(was_refused);
}

}  // namespace
}  // namespace levada::net
