#include "services/queues/queue_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "services/queues/queue_simulation.h"

namespace levada::services::queues {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kQueue = 1;
constexpr uint64_t kDead = 2;

/// Every call is written at once.
class QueueMachineTest : public testing::Test {
 protected:
  QueueMachineTest() {
    limits_.window_max = 4;
    Restart();
  }
  void Restart() {
    machine_ = std::make_unique<QueueMachine>(limits_, disk_);
    machine_->Configure(kQueue, settings_);
    machine_->Configure(kDead, {});
    EXPECT_THAT(machine_->Load(), IsOk());
  }
  void Configure() { machine_->Configure(kQueue, settings_); }
  void Apply(const Write& write) {
    if (write.batch.empty()) return;
    disk_.Apply(write.batch);
    machine_->Wrote(write.number);
  }
  Moment Now() const { return {now_ms_, now_ms_}; }
  void Send(const std::string& body, std::optional<int64_t> delay_s = {}) {
    const Sent sent = ValueOf(machine_->Send(kQueue, {{ContentType::kText, body, delay_s}}, Now()));
    EXPECT_FALSE(sent.is_full);
    Apply(sent.write);
  }
  std::vector<Taken> Receive(size_t count = 10, uint64_t queue = kQueue,
                             int64_t visibility_ms = 30'000) {
    Received received = ValueOf(machine_->Receive(queue, count, visibility_ms, Now()));
    aside_ = received.aside;
    Apply(received.write);
    return received.messages;
  }
  std::vector<std::string> Bodies(const std::vector<Taken>& taken) {
    std::vector<std::string> bodies;
    for (const Taken& each : taken) {
      const auto bytes = ValueOf(ReadMessage(disk_, each.id.queue, each.id.seq));
      bodies.emplace_back(bytes ? DecodeMessage(*bytes)->body : "(gone)");
    }
    return bodies;
  }
  std::vector<std::string> Get(size_t count = 10, uint64_t queue = kQueue) {
    return Bodies(Receive(count, queue));
  }
  Settled Ack(const LeaseId& id) {
    const SettledAll all = ValueOf(machine_->Settle(id.queue, {{id}, {}}, Now()));
    Apply(all.write);
    return all.acks[0];
  }
  Settled Retry(const LeaseId& id, std::optional<int64_t> delay_s = {}) {
    const SettledAll all = ValueOf(machine_->Settle(id.queue, {{}, {{id, delay_s}}}, Now()));
    Apply(all.write);
    return all.retries[0];
  }
  Backlog BacklogOf(uint64_t queue = kQueue) { return ValueOf(machine_->BacklogOf(queue)); }

  QueueLimits limits_;
  QueueSettings settings_;
  MapRecords disk_;
  std::unique_ptr<QueueMachine> machine_;
  int64_t now_ms_ = 1'000'000;
  std::vector<uint64_t> aside_;
};

TEST_F(QueueMachineTest, GivesInOrderWhateverTheLength) {
  std::vector<std::string> sent;
  for (int i = 0; i < 50; ++i) {
    sent.push_back(std::to_string(i));
    Send(sent.back());
  }
  std::vector<std::string> got;
  for (int i = 0; i < 10; ++i) {
    for (const std::string& body : Get(7)) got.push_back(body);
  }
  EXPECT_EQ(got, sent);
}

TEST_F(QueueMachineTest, ALongQueueCostsNoMoreThanAShortOne) {
  for (int i = 0; i < 5000; ++i) Send("a");
  Apply(ValueOf(machine_->Send(kDead, {{ContentType::kText, "b", {}}}, Now())).write);
  uint64_t before = disk_.visited();
  EXPECT_THAT(Get(10, kDead), ElementsAre("b"));
  EXPECT_LE(disk_.visited() - before, 2U) << "nothing of its neighbour's";
  Restart();
  before = disk_.visited();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Receive().size(), 10U);
  EXPECT_LT(disk_.visited() - before, 500U);
  before = disk_.visited();
  EXPECT_EQ(BacklogOf().count, 5000U);
  Restart();
  EXPECT_LT(disk_.visited() - before, 300U) << "the totals and the leases";
}

TEST_F(QueueMachineTest, ALeasedMessageIsInOneHandUntilItsTime) {
  Send("a");
  EXPECT_THAT(Get(), ElementsAre("a"));
  EXPECT_THAT(Get(), IsEmpty());
  now_ms_ += 29'999;
  EXPECT_THAT(Get(), IsEmpty());
  now_ms_ += 1;
  const auto again = Receive();
  EXPECT_THAT(Bodies(again), ElementsAre("a"));
  EXPECT_EQ(again[0].id.attempt, 2);
}

TEST_F(QueueMachineTest, LeasesHoldOverARestart) {
  Send("a");
  Send("b");
  const auto taken = Receive(1);
  Restart();
  EXPECT_THAT(Get(), ElementsAre("b"));
  EXPECT_EQ(Ack(taken[0].id), Settled::kDone);
  now_ms_ += 30'000;
  EXPECT_THAT(Get(), ElementsAre("b"));
}

TEST_F(QueueMachineTest, AnAckEndsAMessageOnce) {
  Send("a");
  const auto taken = Receive();
  EXPECT_EQ(BacklogOf().count, 1U);
  EXPECT_EQ(Ack(taken[0].id), Settled::kDone);
  EXPECT_EQ(Ack(taken[0].id), Settled::kGone);
  EXPECT_EQ(Retry(taken[0].id), Settled::kGone);
  EXPECT_EQ(BacklogOf().count, 0U);
  now_ms_ += 60'000;
  EXPECT_THAT(Get(), IsEmpty());
}

TEST_F(QueueMachineTest, ALateAckHoldsUnlessSomebodyElseHasIt) {
  Send("a");
  const auto first = Receive();
  now_ms_ += 40'000;
  EXPECT_EQ(Ack(first[0].id), Settled::kDone);
  Send("b");
  const auto second = Receive();
  now_ms_ += 40'000;
  const auto third = Receive();
  ASSERT_EQ(third.size(), 1U);
  EXPECT_EQ(Ack(second[0].id), Settled::kSuperseded);
  EXPECT_EQ(Retry(second[0].id), Settled::kSuperseded);
  EXPECT_EQ(Ack(third[0].id), Settled::kDone);
  EXPECT_EQ(Ack(second[0].id), Settled::kGone);
}

TEST_F(QueueMachineTest, ARetryComesWhenItsDelayIsOver) {
  settings_.retry_delay_s = 7;
  Configure();
  Send("a");
  auto taken = Receive();
  EXPECT_EQ(Retry(taken[0].id, 12), Settled::kDone);
  EXPECT_EQ(Ack(taken[0].id), Settled::kSuperseded) << "it was given back";
  now_ms_ += 11'999;
  EXPECT_THAT(Get(), IsEmpty());
  now_ms_ += 1;
  taken = Receive();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].id.attempt, 2);
  EXPECT_EQ(Retry(taken[0].id), Settled::kDone);
  now_ms_ += 6'999;
  EXPECT_THAT(Get(), IsEmpty());
  now_ms_ += 1;
  EXPECT_THAT(Get(), ElementsAre("a"));
}

TEST_F(QueueMachineTest, DelaysAreOfTheMessageOrElseOfTheQueue) {
  settings_.delivery_delay_s = 5;
  Configure();
  Send("queue's");
  Send("own", 1);
  Send("none", 0);
  EXPECT_THAT(Get(), ElementsAre("none"));
  now_ms_ += 1000;
  EXPECT_THAT(Get(), ElementsAre("own"));
  now_ms_ += 4000;
  EXPECT_THAT(Get(), ElementsAre("queue's"));
}

TEST_F(QueueMachineTest, BehindItsLastRetryAMessageIsDead) {
  settings_.retries = 1;
  settings_.dead_letter_queue = kDead;
  Configure();
  Send("given back");
  Send("never answered");
  for (int attempt = 1; attempt <= 2; ++attempt) {
    const auto taken = Receive();
    ASSERT_EQ(taken.size(), 2U) << attempt;
    EXPECT_EQ(taken[0].id.attempt, attempt);
    EXPECT_EQ(Retry(taken[0].id), Settled::kDone);
    now_ms_ += 30'000;
  }
  EXPECT_THAT(Get(), IsEmpty());
  EXPECT_EQ(BacklogOf().count, 0U);
  EXPECT_EQ(BacklogOf(kDead).count, 2U);
  const auto dead = Receive(10, kDead);
  EXPECT_THAT(Bodies(dead), ElementsAre("given back", "never answered"));
  EXPECT_EQ(dead[0].id.attempt, 1) << "there it begins anew";
}

TEST_F(QueueMachineTest, WithoutADeadLetterQueueItIsDeleted) {
  settings_.retries = 0;
  Configure();
  Send("a");
  EXPECT_EQ(Retry(Receive()[0].id), Settled::kDone);
  EXPECT_EQ(BacklogOf().count, 0U);
  EXPECT_EQ(BacklogOf(kDead).count, 0U);
}

TEST_F(QueueMachineTest, WhatCannotBeMovedIsPutAside) {
  settings_.retries = 0;
  settings_.dead_letter_queue = 99;  // nobody has made it
  Configure();
  Send("a");
  EXPECT_THAT(Get(), ElementsAre("a"));
  now_ms_ += 30'000;
  EXPECT_THAT(Get(), IsEmpty());
  EXPECT_THAT(aside_, ElementsAre(1));
  EXPECT_THAT(Get(), IsEmpty());
  EXPECT_THAT(aside_, IsEmpty()) << "it is not looked at again and again";
  machine_->Configure(99, {});
  now_ms_ += limits_.aside_ms;
  EXPECT_THAT(Get(), IsEmpty());
  EXPECT_EQ(BacklogOf(99).count, 1U);
}

TEST_F(QueueMachineTest, TheDeadGoBackWhereTheyCameFrom) {
  settings_.retries = 0;
  settings_.dead_letter_queue = kDead;
  Configure();
  for (const char* body : {"a", "b", "c"}) Send(body);
  for (const Taken& each : Receive()) Retry(each.id);
  const auto move = [this](std::optional<uint64_t> to, size_t count) {
    const Counted moved = ValueOf(machine_->Redrive(kDead, to, count, Now()));
    Apply(moved.write);
    return moved.count;
  };
  EXPECT_EQ(move({}, 2), 2U);
  EXPECT_THAT(Get(), ElementsAre("a", "b"));
  EXPECT_EQ(move({}, 2), 1U);
  EXPECT_EQ(move({}, 2), 0U);
  EXPECT_EQ(BacklogOf(kDead).count, 0U);
  EXPECT_EQ(BacklogOf().count, 3U);
  Apply(ValueOf(machine_->Send(kDead, {{ContentType::kText, "sent there", {}}}, Now())).write);
  EXPECT_EQ(move({}, 2), 0U) << "it came from nowhere";
  EXPECT_EQ(move(kQueue, 2), 1U);
}

TEST_F(QueueMachineTest, RetentionEndsWhatWaitsAndWhatComesBack) {
  settings_.retention_s = 60;
  Configure();
  Send("leased");
  EXPECT_THAT(Get(), ElementsAre("leased"));
  Send("waits");
  now_ms_ += 60'000;
  Send("new");
  EXPECT_THAT(Get(), ElementsAre("new"));
  EXPECT_EQ(BacklogOf().count, 1U);
}

TEST_F(QueueMachineTest, APurgedQueueIsEmptyAndItsLeasesAreGone) {
  for (int i = 0; i < 20; ++i) Send("old");
  const auto taken = Receive(3);
  const Counted purged = ValueOf(machine_->Purge(kQueue, Now()));
  EXPECT_EQ(purged.count, 20U);
  Apply(purged.write);
  EXPECT_EQ(Ack(taken[0].id), Settled::kGone);
  EXPECT_EQ(BacklogOf().count, 0U);
  Send("new");
  now_ms_ += 30'000;
  EXPECT_THAT(Get(), ElementsAre("new"));
  Restart();
  now_ms_ += 30'000;
  EXPECT_THAT(Get(), ElementsAre("new"));
  EXPECT_EQ(Ack(taken[0].id), Settled::kGone);
}

TEST_F(QueueMachineTest, APausedQueueTakesAndDoesNotGive) {
  settings_.is_paused = true;
  Configure();
  Send("a");
  EXPECT_THAT(Get(), IsEmpty());
  EXPECT_EQ(ValueOf(machine_->GlanceAt(kQueue, 10, Now())).visible_count, 0U);
  settings_.is_paused = false;
  Configure();
  EXPECT_THAT(Get(), ElementsAre("a"));
}

TEST_F(QueueMachineTest, TheBacklogSaysWhatIsThereAndSinceWhen) {
  EXPECT_EQ(BacklogOf().oldest_ms, 0);
  Send("12345");
  now_ms_ += 10;
  Send("123");
  Backlog backlog = BacklogOf();
  EXPECT_EQ(backlog.count, 2U);
  EXPECT_EQ(backlog.bytes, 8U);
  EXPECT_EQ(backlog.oldest_ms, 1'000'000);
  EXPECT_EQ(Ack(Receive(1)[0].id), Settled::kDone);
  Restart();
  backlog = BacklogOf();
  EXPECT_EQ(backlog.count, 1U);
  EXPECT_EQ(backlog.bytes, 3U);
  EXPECT_EQ(backlog.oldest_ms, 1'000'010);
}

TEST_F(QueueMachineTest, AFullBacklogTakesNothing) {
  limits_.backlog_bytes_max = 10;
  Restart();
  Send("1234567890");
  EXPECT_TRUE(ValueOf(machine_->Send(kQueue, {{ContentType::kText, "x", {}}}, Now())).is_full);
  EXPECT_EQ(BacklogOf().count, 1U);
}

TEST_F(QueueMachineTest, NoMoreAreLeasedThanMayBe) {
  limits_.leased_max = 3;
  Restart();
  for (int i = 0; i < 5; ++i) Send(std::to_string(i));
  const auto taken = Receive();
  EXPECT_EQ(taken.size(), 3U);
  EXPECT_THAT(Get(), IsEmpty());
  EXPECT_EQ(Ack(taken[0].id), Settled::kDone);
  EXPECT_THAT(Get(), ElementsAre("3"));
}

TEST_F(QueueMachineTest, AGlanceSaysWhatIsVisibleAndWhatWillBe) {
  Send("a");
  now_ms_ += 100;
  Send("b");
  Send("later", 60);
  Glance glance = ValueOf(machine_->GlanceAt(kQueue, 10, Now()));
  EXPECT_EQ(glance.visible_count, 2U);
  EXPECT_EQ(glance.oldest_ms, 1'000'000);
  EXPECT_EQ(glance.next_ms, now_ms_ + 60'000);
  EXPECT_EQ(ValueOf(machine_->GlanceAt(kQueue, 1, Now())).visible_count, 1U);
  EXPECT_EQ(Get().size(), 2U);
  glance = ValueOf(machine_->GlanceAt(kQueue, 10, Now()));
  EXPECT_EQ(glance.visible_count, 0U);
  EXPECT_EQ(glance.next_ms, now_ms_ + 30'000) << "when the leases run out";
}

TEST_F(QueueMachineTest, AQueueNobodyHasMadeIsNone) {
  EXPECT_TRUE(machine_->Send(77, {}, Now()).status().IsKeyError());
  EXPECT_TRUE(machine_->Receive(77, 1, 1, Now()).status().IsKeyError());
  Send("a");
  const Counted dropped = machine_->Drop(kQueue);
  EXPECT_EQ(dropped.count, 1U);
  Apply(dropped.write);
  EXPECT_FALSE(machine_->Knows(kQueue));
  EXPECT_TRUE(machine_->BacklogOf(kQueue).status().IsKeyError());
  Restart();
  EXPECT_EQ(BacklogOf().count, 0U);
}

TEST_F(QueueMachineTest, DamageOfOneQueueIsOfThatQueueAlone) {
  Send("a");
  EXPECT_EQ(Receive().size(), 1U);
  Apply(ValueOf(machine_->Send(kDead, {{ContentType::kText, "b", {}}}, Now())).write);
  db::rocks::Batch batch;
  batch.Put(kLeases, PlaceKey(kQueue, {5, 9}), "nonsense");
  disk_.Apply(batch);
  Restart();
  EXPECT_THAT(machine_->BacklogOf(kQueue), FailsWith(FaultCode::kStoreDamaged));
  EXPECT_THAT(Get(10, kDead), ElementsAre("b"));
  db::rocks::Batch totals;
  totals.Delete(kLeases, PlaceKey(kQueue, {5, 9}));
  totals.Put(kQueues, QueueKey(kQueue), "nonsense");
  disk_.Apply(totals);
  Restart();
  EXPECT_THAT(machine_->Receive(kQueue, 1, 1, Now()), FailsWith(FaultCode::kStoreDamaged));
  EXPECT_EQ(BacklogOf(kDead).count, 1U);
}

TEST_F(QueueMachineTest, AnotherQueuesLeaseIsNoneHere) {
  Send("a");
  const LeaseId id = Receive()[0].id;
  const SettledAll all = ValueOf(machine_->Settle(kDead, {{id}, {}}, Now()));
  EXPECT_THAT(all.acks, ElementsAre(Settled::kGone));
  EXPECT_TRUE(all.write.batch.empty());
}

TEST_F(QueueMachineTest, ASenderHearsOfTheBacklogWithoutARead) {
  const auto send = [this](bool is_written) {
    Sent sent = ValueOf(machine_->Send(kQueue, {{ContentType::kText, "12", {}}}, Now()));
    if (is_written) Apply(sent.write);
    return sent.backlog;
  };
  const auto oldest = [](const std::optional<Backlog>& backlog) {
    return backlog ? backlog->oldest_ms : -1;
  };
  EXPECT_EQ(oldest(send(true)), 1'000'000);
  now_ms_ += 10;
  const std::optional<Backlog> second = send(true);
  EXPECT_EQ(oldest(second), 1'000'000);
  EXPECT_EQ(second->count, 2U);
  EXPECT_EQ(second->bytes, 4U);
  // The oldest is acknowledged, and that is not written yet: on the disk it is still the first.
  const std::vector<Taken> taken = Receive(1);
  const SettledAll all = ValueOf(machine_->Settle(kQueue, {{taken[0].id}, {}}, Now()));
  EXPECT_EQ(oldest(send(false)), -1);
  EXPECT_EQ(BacklogOf().count, 2U);
  EXPECT_EQ(oldest(send(false)), -1) << "what is leaving is remembered by nobody";
  Apply(all.write);
  EXPECT_EQ(BacklogOf().oldest_ms, 1'000'010);
  EXPECT_EQ(oldest(send(true)), 1'000'010);
  Restart();
  EXPECT_EQ(oldest(send(true)), -1);
  EXPECT_EQ(BacklogOf().oldest_ms, 1'000'010);
  EXPECT_EQ(oldest(send(true)), 1'000'010);
  now_ms_ += 10;
  Apply(ValueOf(machine_->Purge(kQueue, Now())).write);
  EXPECT_EQ(BacklogOf().oldest_ms, 0);
  EXPECT_EQ(oldest(send(true)), 1'000'020);
}

}  // namespace
}  // namespace levada::services::queues
