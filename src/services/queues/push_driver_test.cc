#include "services/queues/push_driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "services/queues/queue_fixture.h"

namespace levada::services::queues {
namespace {

/// A Worker that answers as it is told, and waits where it is told to. On the loop.
class FakeWorker final : public Deliver {
 public:
  explicit FakeWorker(net::Loop& loop) : loop_(loop) {}

  net::Task<std::optional<BatchAnswer>> Run(PushBatch batch) override {
    ++under_way;
    under_way_most = std::max(under_way_most, under_way);
    while (is_slow) co_await loop_.Sleep(std::chrono::milliseconds(1));
    for (const Delivered& message : batch.messages) {
      bodies.push_back(message.body);
      attempts.push_back(message.lease.attempt);
    }
    batches.push_back(batch.messages.size());
    script = batch.target.script;
    --under_way;
    if (answers.empty()) co_return BatchAnswer{.is_ok = true};
    std::optional<BatchAnswer> answer = answers.front();
    answers.pop_front();
    co_return answer;
  }

  net::Loop& loop_;
  bool is_slow = false;
  std::deque<std::optional<BatchAnswer>> answers;  // then all is well
  std::vector<std::string> bodies;
  std::vector<uint16_t> attempts;
  std::vector<size_t> batches;
  std::string script;
  int under_way = 0;
  int under_way_most = 0;
};

class PushDriverTest : public QueueDoorTest {
 protected:
  PushDriverTest() {
    worker_ = std::make_unique<FakeWorker>(running_->loop());
    PushOptions options;
    options.limits.backoff_first_ms = 1;
    options.limits.backoff_max_ms = 2;
    driver_ = std::make_unique<PushDriver>(*access_, *worker_, options, *log_);
    access_->on_more = [this] { driver_->Poke(); };
    queue_ = Make("orders");
    settings_.wait_ms = 0;
  }
  ~PushDriverTest() override {
    Stop();
    Close();
  }

  void Stop(std::chrono::milliseconds grace = std::chrono::seconds(10)) {
    running_->Await(driver_->Stop(grace));
  }
  void Consume() {
    running_->Do([this] {
      driver_->SetConsumer(queue_->resource.number, {account_.row, "orders", "eater"}, settings_);
    });
  }
  /// On the loop, again and again until it holds.
  template <typename Condition>
  bool Until(Condition condition) {
    for (int i = 0; i < 5000; ++i) {
      if (running_->Do(condition)) return true;
      Pause();
    }
    return false;
  }
  void Pause() { clock_->SleepUntil(clock_->Steady() + std::chrono::milliseconds(2), {}); }
  bool UntilEmpty() {
    for (int i = 0; i < 5000; ++i) {
      if (Count(queue_) == 0) return true;
      Pause();
    }
    return false;
  }

  std::unique_ptr<FakeWorker> worker_;
  std::unique_ptr<PushDriver> driver_;
  QueueRef queue_;
  PushSettings settings_;
};

TEST_F(PushDriverTest, WhatIsSentIsDeliveredAndDone) {
  Send(queue_, "before");
  Consume();
  EXPECT_TRUE(UntilEmpty());
  Send(queue_, "behind");
  EXPECT_TRUE(UntilEmpty());
  EXPECT_EQ(worker_->bodies, (std::vector<std::string>{"before", "behind"}));
  EXPECT_EQ(worker_->script, "eater");
}

TEST_F(PushDriverTest, ABatchThatFailedComesAgain) {
  worker_->answers = {std::nullopt, BatchAnswer{.is_ok = false}, BatchAnswer{.is_ok = true}};
  Consume();
  Send(queue_, "stubborn");
  EXPECT_TRUE(UntilEmpty());
  EXPECT_EQ(worker_->attempts, (std::vector<uint16_t>{1, 2, 3}));
}

TEST_F(PushDriverTest, ABatchIsNoLargerThanItsConsumerWants) {
  settings_.batch_size = 3;
  for (int i = 0; i < 10; ++i) Send(queue_, std::to_string(i));
  Consume();
  EXPECT_TRUE(UntilEmpty());
  EXPECT_EQ(worker_->bodies.size(), 10U);
  for (const size_t size : worker_->batches) EXPECT_LE(size, 3U);
}

TEST_F(PushDriverTest, NoMoreBatchesAtOnceThanItsConsumerWants) {
  settings_.batch_size = 1;
  settings_.concurrency_max = 2;
  worker_->is_slow = true;
  for (int i = 0; i < 6; ++i) Send(queue_, std::to_string(i));
  Consume();
  EXPECT_TRUE(Until([this] { return worker_->under_way == 2; }));
  running_->Do([this] { worker_->is_slow = false; });
  EXPECT_TRUE(UntilEmpty());
  EXPECT_EQ(worker_->under_way_most, 2);
}

TEST_F(PushDriverTest, ADelayedMessageIsDeliveredWhenItsTimeComes) {
  Consume();
  ASSERT_TRUE(
      Wait(SendMessages(*access_, queue_->resource.number, {{ContentType::kText, "later", 1}}))
          .ok());
  EXPECT_TRUE(running_->Do([this] { return worker_->bodies.empty(); }));
  EXPECT_TRUE(UntilEmpty());
}

TEST_F(PushDriverTest, AConsumerThatIsGoneGetsNothing) {
  Consume();
  Send(queue_, "one");
  EXPECT_TRUE(UntilEmpty());
  running_->Do([this] { driver_->RemoveConsumer(queue_->resource.number); });
  Send(queue_, "two");
  Stop();
  EXPECT_EQ(worker_->bodies, (std::vector<std::string>{"one"}));
  EXPECT_EQ(Count(queue_), 1U);
}

TEST_F(PushDriverTest, StoppingWaitsForWhatIsUnderWay) {
  worker_->is_slow = true;
  Consume();
  Send(queue_, "slow");
  EXPECT_TRUE(Until([this] { return worker_->under_way == 1; }));
  Stop(std::chrono::milliseconds(20));
  EXPECT_EQ(running_->Do([this] { return driver_->under_way(); }), 1);
  running_->Do([this] { worker_->is_slow = false; });
  Stop();
  EXPECT_EQ(Count(queue_), 0U);
  Send(queue_, "behind the end");
  EXPECT_EQ(worker_->bodies.size(), 1U);
}

}  // namespace
}  // namespace levada::services::queues
