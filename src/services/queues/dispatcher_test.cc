#include "services/queues/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada::services::queues {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DispatcherTest : public testing::Test {
 protected:
  DispatchPlan Plan() {
    return dispatcher_.Plan(now_ms_, [this](uint64_t queue, size_t count) {
      Glance glance = glances_[queue];
      glance.visible_count = std::min(glance.visible_count, count);
      return glance;
    });
  }
  std::vector<BatchStart> Starts() { return Plan().starts; }

  int64_t now_ms_ = 100'000;
  std::map<uint64_t, Glance> glances_;
  Dispatcher dispatcher_{{.under_way_max = 3}};
};

TEST_F(DispatcherTest, AFullBatchGoesAtOnceAndAPartWhenItHasWaited) {
  dispatcher_.SetConsumer(1, {.batch_size = 10, .wait_ms = 5000});
  glances_[1] = {10, now_ms_, {}};
  EXPECT_THAT(Starts(), ElementsAre(BatchStart{1, 10}));
  dispatcher_.Ended(1, BatchEnd::kAnswered, now_ms_);
  glances_[1] = {9, now_ms_ - 4999, {}};
  DispatchPlan plan = Plan();
  EXPECT_THAT(plan.starts, IsEmpty());
  EXPECT_EQ(plan.wake_ms, now_ms_ + 1);
  now_ms_ += 1;
  EXPECT_THAT(Starts(), ElementsAre(BatchStart{1, 10}));
}

TEST_F(DispatcherTest, WakesForWhatIsDelayed) {
  dispatcher_.SetConsumer(1, {});
  glances_[1] = {0, 0, now_ms_ + 700};
  EXPECT_EQ(Plan().wake_ms, now_ms_ + 700);
  glances_[1] = {};
  EXPECT_EQ(Plan().wake_ms, std::nullopt);
}

TEST_F(DispatcherTest, NoMoreAreUnderWayThanItsConsumerWants) {
  dispatcher_.SetConsumer(1, {.concurrency_max = 2});
  glances_[1] = {100, 0, {}};
  EXPECT_EQ(Starts().size(), 1U);
  EXPECT_EQ(Starts().size(), 1U);
  EXPECT_THAT(Starts(), IsEmpty());
  dispatcher_.Ended(1, BatchEnd::kAnswered, now_ms_);
  EXPECT_EQ(Starts().size(), 1U);
}

TEST_F(DispatcherTest, QueuesTakeTurns) {
  for (const uint64_t queue : {1, 2, 3, 4, 5}) {
    dispatcher_.SetConsumer(queue, {.batch_size = 1});
    glances_[queue] = {1'000'000, 0, {}};
  }
  std::vector<uint64_t> order;
  for (int round = 0; round < 5; ++round) {
    const std::vector<BatchStart> starts = Starts();
    EXPECT_EQ(starts.size(), 3U);
    for (const BatchStart& start : starts) {
      order.push_back(start.queue);
      dispatcher_.Ended(start.queue, BatchEnd::kAnswered, now_ms_);
    }
  }
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5));
}

TEST_F(DispatcherTest, WhoCannotBeReachedIsGivenLongerAndLongerAndOneBatch) {
  dispatcher_.SetConsumer(1, {.concurrency_max = 2});
  glances_[1] = {100, 0, {}};
  EXPECT_EQ(Starts().size() + Starts().size(), 2U);
  dispatcher_.Ended(1, BatchEnd::kUnreachable, now_ms_);
  dispatcher_.Ended(1, BatchEnd::kUnreachable, now_ms_);
  for (const int64_t wait_ms : {1000, 2000, 4000, 8000, 16'000, 32'000, 60'000, 60'000}) {
    const DispatchPlan plan = Plan();
    EXPECT_THAT(plan.starts, IsEmpty());
    ASSERT_EQ(plan.wake_ms, now_ms_ + wait_ms);
    now_ms_ += wait_ms;
    EXPECT_EQ(Starts().size(), 1U);
    EXPECT_THAT(Starts(), IsEmpty()) << "one finds out for all";
    dispatcher_.Ended(1, BatchEnd::kUnreachable, now_ms_);
  }
  now_ms_ += 60'000;
  EXPECT_EQ(Starts().size(), 1U);
  dispatcher_.Ended(1, BatchEnd::kAnswered, now_ms_);
  EXPECT_EQ(Starts().size() + Starts().size(), 2U);
}

TEST_F(DispatcherTest, ABatchWithoutMessagesSaysNothingOfItsConsumer) {
  dispatcher_.SetConsumer(1, {});
  glances_[1] = {100, 0, {}};
  EXPECT_EQ(Starts().size(), 1U);
  dispatcher_.Ended(1, BatchEnd::kUnreachable, now_ms_);
  now_ms_ += 1000;
  EXPECT_EQ(Starts().size(), 1U);
  dispatcher_.Ended(1, BatchEnd::kEmpty, now_ms_);
  EXPECT_EQ(Starts().size(), 1U);
  EXPECT_THAT(Starts(), IsEmpty());
}

TEST_F(DispatcherTest, ARemovedConsumerGetsNothingAndWhatIsUnderWayEnds) {
  dispatcher_.SetConsumer(1, {.concurrency_max = 2});
  glances_[1] = {100, 0, {}};
  EXPECT_EQ(Starts().size(), 1U);
  dispatcher_.RemoveConsumer(1);
  EXPECT_THAT(Starts(), IsEmpty());
  EXPECT_EQ(dispatcher_.under_way(), 1);
  dispatcher_.SetConsumer(1, {.concurrency_max = 1});
  EXPECT_THAT(Starts(), IsEmpty()) << "the old batch is one of the new consumer's";
  dispatcher_.RemoveConsumer(1);
  dispatcher_.Ended(1, BatchEnd::kAnswered, now_ms_);
  EXPECT_EQ(dispatcher_.under_way(), 0);
  dispatcher_.Ended(1, BatchEnd::kAnswered, now_ms_);
  EXPECT_EQ(dispatcher_.under_way(), 0);
}

class SettlementTest : public testing::Test {
 protected:
  /// "ack 1", "retry 2", "retry 3 after 7"
  std::vector<std::string> Of(const std::optional<BatchAnswer>& answer) {
    std::vector<Pushed> batch;
    for (const uint64_t seq : {1, 2, 3}) batch.push_back({"m" + std::to_string(seq), {1, 0, seq}});
    std::vector<std::string> lines;
    const Settlement settlement = SettlementOf(batch, answer, 86'400);
    for (const LeaseId& id : settlement.acks) lines.push_back("ack " + std::to_string(id.seq));
    for (const Retry& retry : settlement.retries) {
      lines.push_back("retry " + std::to_string(retry.id.seq) +
                      (retry.delay_s ? " after " + std::to_string(*retry.delay_s) : ""));
    }
    return lines;
  }
};

TEST_F(SettlementTest, WhatEndedWellIsDone) {
  EXPECT_THAT(Of(BatchAnswer{.is_ok = true}), ElementsAre("ack 1", "ack 2", "ack 3"));
}

TEST_F(SettlementTest, WithoutAnAnswerAllComeAgain) {
  EXPECT_THAT(Of(std::nullopt), ElementsAre("retry 1", "retry 2", "retry 3"));
}

TEST_F(SettlementTest, AnExceptionLeavesWhatWasSaidOfSingleMessages) {
  EXPECT_THAT(Of(BatchAnswer{.acks = {"m2"}, .retries = {{"m3", 7}}}),
              ElementsAre("ack 2", "retry 1", "retry 3 after 7"));
  // Its queue() may have called ackAll() before.
  EXPECT_THAT(Of(BatchAnswer{.acks_all = true}), ElementsAre("retry 1", "retry 2", "retry 3"));
}

TEST_F(SettlementTest, SingleMessagesGoBeforeAll) {
  EXPECT_THAT(Of(BatchAnswer{.is_ok = true,
                             .retries_all = true,
                             .retry_all_delay_s = 5,
                             .acks = {"m1"},
                             .retries = {{"m2", {}}}}),
              ElementsAre("ack 1", "retry 2", "retry 3 after 5"));
  EXPECT_THAT(Of(BatchAnswer{.is_ok = true, .acks_all = true, .retries = {{"m2", 1}}}),
              ElementsAre("ack 1", "ack 3", "retry 2 after 1"));
}

TEST_F(SettlementTest, StrangersAndLongDelaysMeanLess) {
  EXPECT_THAT(
      Of(BatchAnswer{
          .is_ok = true, .acks = {"x"}, .retries = {{"y", 1}, {"m1", 1'000'000}, {"m2", -5}}}),
      ElementsAre("ack 3", "retry 1 after 86400", "retry 2 after 0"));
}

}  // namespace
}  // namespace levada::services::queues
