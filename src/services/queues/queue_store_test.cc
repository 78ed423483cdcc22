#include "services/queues/queue_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <set>
#include <thread>

#include "base/testing.h"
#include "db/rocksdb/faulty_files.h"
#include "os/temporary_directory.h"
#include "services/queues/queue_check.h"

namespace levada::services::queues {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kQueue = 7;
constexpr uint64_t kDead = 8;

class QueueStoreTest : public testing::Test {
 protected:
  QueueStoreTest() { Open(); }

  void Open() {
    store_.reset();
    store_ = ValueOf(QueueStore::Open(directory_ / "queues", limits_, clock_, *random_, *log_));
    store_->Configure(kQueue, settings_);
    store_->Configure(kDead, {});
  }
  template <typename T>
  Result<T> Wait(const std::function<bool(QueueStore::Done<T>)>& submit) {
    std::promise<Result<T>> promise;
    if (!submit([&promise](Result<T> value) { promise.set_value(std::move(value)); })) {
      return Status::Invalid("full");
    }
    return promise.get_future().get();
  }
  void Send(const std::string& body, ContentType type = ContentType::kText) {
    const auto sent = Wait<SendReply>([&](QueueStore::Done<SendReply> done) {
      return store_->Send(kQueue, {{type, body, {}}}, std::move(done));
    });
    EXPECT_EQ(ValueOf(sent).outcome, SendOutcome::kStored);
  }
  std::vector<Delivered> Receive(size_t count = 10, uint64_t queue = kQueue) {
    const auto taken =
        ValueOf(Wait<std::vector<Taken>>([&](QueueStore::Done<std::vector<Taken>> done) {
          return store_->Receive(queue, count, 30'000, std::move(done));
        }));
    return store_->Read(taken);
  }
  std::vector<std::string> Bodies(size_t count = 10, uint64_t queue = kQueue) {
    std::vector<std::string> bodies;
    for (const Delivered& each : Receive(count, queue)) bodies.push_back(each.body);
    return bodies;
  }
  SettledAll Settle(const Settlement& settlement, uint64_t queue = kQueue) {
    return ValueOf(Wait<SettledAll>([&](QueueStore::Done<SettledAll> done) {
      return store_->Settle(queue, settlement, std::move(done));
    }));
  }
  std::vector<std::string> WhatIsFound() {
    TestContext test;
    Findings findings;
    store_.reset();
    const auto checked = CheckQueues(test.context(), directory_ / "queues", {}, findings);
    EXPECT_THAT(checked, IsOk());
    std::vector<std::string> lines;
    for (const Finding& each : findings.kept()) lines.push_back(each.what + " " + each.where);
    return lines;
  }

  QueueLimits limits_;
  QueueSettings settings_;
  os::TemporaryDirectory directory_;
  ManualClock clock_{1'700'000'000'000'000};
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  std::unique_ptr<QueueStore> store_;
};

TEST_F(QueueStoreTest, BodiesOfEveryTypeAndSizeHoldOverARestart) {
  const std::string large(128'000, 'x');
  Send("text");
  Send(large, ContentType::kBytes);
  Send("{}", ContentType::kJson);
  Send(std::string("\xff\x0f\0", 3), ContentType::kV8);
  Open();
  const auto got = Receive();
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got[0].body, "text");
  EXPECT_EQ(got[0].timestamp_ms, 1'700'000'000'000);
  EXPECT_EQ(got[0].lease.attempt, 1);
  EXPECT_EQ(got[1].body, large);
  EXPECT_EQ(got[1].type, ContentType::kBytes);
  EXPECT_EQ(got[2].type, ContentType::kJson);
  EXPECT_EQ(got[3].type, ContentType::kV8);
  EXPECT_EQ(got[3].body.size(), 3U);
}

TEST_F(QueueStoreTest, LeasesAreHeldAndAnsweredOverARestart) {
  Send("a");
  Send("b");
  const auto got = Receive();
  ASSERT_EQ(got.size(), 2U);
  const std::string lease = store_->Seal(got[0].lease);
  Open();
  EXPECT_THAT(Bodies(), IsEmpty());
  const auto opened = store_->OpenLease(lease);
  ASSERT_TRUE(opened.has_value()) << "the key of leases is kept";
  EXPECT_THAT(Settle({{*opened}, {{got[1].lease, 5}}}).acks, ElementsAre(Settled::kDone));
  EXPECT_THAT(Settle({{*opened}, {}}).acks, ElementsAre(Settled::kGone));
  clock_.Advance(5'000'000);
  EXPECT_THAT(Bodies(), ElementsAre("b"));
}

TEST_F(QueueStoreTest, TheMachinesClockMayBeSetBack) {
  Send("a");
  clock_.Set(1'600'000'000'000'000);
  Open();
  EXPECT_THAT(Bodies(), ElementsAre("a"));
}

TEST_F(QueueStoreTest, TheDeadAreMovedAndRedriven) {
  settings_.retries = 0;
  settings_.dead_letter_queue = kDead;
  store_->Configure(kQueue, settings_);
  for (const char* body : {"a", "b"}) Send(body);
  for (const Delivered& each : Receive()) Settle({{}, {{each.lease, {}}}});
  EXPECT_EQ(ValueOf(store_->BacklogOf(kQueue)).count, 0U);
  EXPECT_EQ(ValueOf(store_->BacklogOf(kDead)).count, 2U);
  const auto moved = Wait<uint64_t>([&](QueueStore::Done<uint64_t> done) {
    return store_->Redrive(kDead, {}, 10, std::move(done));
  });
  EXPECT_EQ(ValueOf(moved), 2U);
  EXPECT_THAT(Bodies(), ElementsAre("a", "b"));
  EXPECT_THAT(WhatIsFound(), IsEmpty());
}

TEST_F(QueueStoreTest, APeekChangesNothing) {
  for (const char* body : {"a", "b", "c"}) Send(body);
  EXPECT_THAT(Bodies(1), ElementsAre("a"));
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string> bodies;
    std::optional<uint64_t> from = 0;
    while (from) {
      const PeekPage page = ValueOf(store_->Peek(kQueue, *from, 2));
      EXPECT_LE(page.messages.size(), 2U);
      for (const Peeked& each : page.messages) bodies.push_back(each.body);
      from = page.next;
    }
    EXPECT_THAT(bodies, ElementsAre("a", "b", "c"));
  }
  EXPECT_THAT(Bodies(), ElementsAre("b", "c"));
}

TEST_F(QueueStoreTest, APurgedOrDroppedQueueIsEmptyAndItsNeighboursAreNot) {
  for (const char* body : {"a", "b"}) Send(body);
  const auto sent = Wait<SendReply>([&](QueueStore::Done<SendReply> done) {
    return store_->Send(kDead, {{ContentType::kText, "other", {}}}, std::move(done));
  });
  EXPECT_EQ(ValueOf(sent).outcome, SendOutcome::kStored);
  const auto purged = Wait<uint64_t>(
      [&](QueueStore::Done<uint64_t> done) { return store_->Purge(kQueue, std::move(done)); });
  EXPECT_EQ(ValueOf(purged), 2U);
  EXPECT_THAT(ValueOf(store_->Peek(kQueue, 0, 10)).messages, IsEmpty());
  Send("c");
  const auto dropped = Wait<uint64_t>(
      [&](QueueStore::Done<uint64_t> done) { return store_->Drop(kQueue, std::move(done)); });
  EXPECT_EQ(ValueOf(dropped), 1U);
  EXPECT_TRUE(IsNoSuchQueue(store_->BacklogOf(kQueue).status()));
  EXPECT_THAT(Bodies(10, kDead), ElementsAre("other"));
  Open();
  EXPECT_EQ(ValueOf(store_->BacklogOf(kQueue)).count, 0U);
}

TEST_F(QueueStoreTest, EveryMessageComesToOneOfManyConsumers) {
  constexpr int kSenders = 4;
  constexpr int kEach = 100;
  limits_.window_max = 16;
  Open();
  std::atomic<int> left = kSenders * kEach;
  std::mutex mutex;
  std::multiset<std::string> got;
  std::vector<std::thread> threads;
  for (int sender = 0; sender < kSenders; ++sender) {
    threads.emplace_back([&, sender] {
      for (int i = 0; i < kEach; ++i) Send(std::to_string(sender) + "/" + std::to_string(i));
    });
    threads.emplace_back([&] {
      while (left > 0) {
        const auto messages = Receive(5);
        Settlement settlement;
        for (const Delivered& each : messages) settlement.acks.push_back(each.lease);
        for (const Settled settled : Settle(settlement).acks) {
          EXPECT_EQ(settled, Settled::kDone);
        }
        left -= static_cast<int>(messages.size());
        const std::lock_guard lock(mutex);
        for (const Delivered& each : messages) got.insert(each.body);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(got.size(), static_cast<size_t>(kSenders * kEach));
  EXPECT_EQ(std::set<std::string>(got.begin(), got.end()).size(), got.size());
  EXPECT_EQ(ValueOf(store_->BacklogOf(kQueue)).count, 0U);
  EXPECT_THAT(WhatIsFound(), IsEmpty());
}

TEST_F(QueueStoreTest, ADamagedStoreStaysClosedAndSaysSo) {
  Send("a");
  store_.reset();
  std::filesystem::remove((directory_ / "queues") + "/CURRENT");
  Open();
  EXPECT_THAT(store_->BacklogOf(kQueue), FailsWith(FaultCode::kStoreDamaged));
  const auto sent = Wait<SendReply>([&](QueueStore::Done<SendReply> done) {
    return store_->Send(kQueue, {{ContentType::kText, "b", {}}}, std::move(done));
  });
  EXPECT_THAT(sent, FailsWith(FaultCode::kStoreDamaged));
}

/// Whatever call meets the failure: what was acknowledged is there, what was acked is not, and the
/// store goes on by itself.
TEST_F(QueueStoreTest, GoesOnWhereverTheDiskFails) {
  for (int64_t nth = 1; nth < 40; ++nth) {
    auto files = std::make_shared<db::rocks::FaultyFiles>();
    db::rocks::StoreOptions options;
    options.files = files;
    store_.reset();
    std::filesystem::remove_all(directory_ / "queues");
    store_ = ValueOf(QueueStore::Open(directory_ / "queues", limits_, clock_, *random_, *log_,
                                      nullptr, std::move(options)));
    store_->Configure(kQueue, settings_);
    std::set<std::string> sent;
    std::set<std::string> ended;
    files->FailNth(nth, db::rocks::Damage::kIo);
    for (int i = 0; i < 12; ++i) {
      const std::string body = std::to_string(i);
      const auto stored = Wait<SendReply>([&](QueueStore::Done<SendReply> done) {
        return store_->Send(kQueue, {{ContentType::kText, body, {}}}, std::move(done));
      });
      if (stored.ok()) sent.insert(body);
      const auto taken = Wait<std::vector<Taken>>([&](QueueStore::Done<std::vector<Taken>> done) {
        return store_->Receive(kQueue, 1, 30'000, std::move(done));
      });
      if (!taken.ok() || i % 2 == 0) continue;
      for (const Delivered& each : store_->Read(*taken)) {
        const auto settled = Wait<SettledAll>([&](QueueStore::Done<SettledAll> done) {
          return store_->Settle(kQueue, {{each.lease}, {}}, std::move(done));
        });
        // A write that failed may be there all the same.
        if (!settled.ok()) sent.erase(each.body);
        if (settled.ok() && settled->acks[0] == Settled::kDone) ended.insert(each.body);
      }
    }
    EXPECT_GE(sent.size(), 10U) << nth;
    std::set<std::string> there;
    for (const Peeked& each : ValueOf(store_->Peek(kQueue, 0, 100)).messages) {
      EXPECT_TRUE(there.insert(each.body).second) << each.body;
    }
    for (const std::string& body : sent) {
      EXPECT_NE(there.contains(body), ended.contains(body)) << nth << " " << body;
    }
    EXPECT_EQ(ValueOf(store_->BacklogOf(kQueue)).count, there.size()) << nth;
    EXPECT_THAT(WhatIsFound(), IsEmpty()) << nth;
  }
}

TEST_F(QueueStoreTest, AFullDiskTakesNothingAndStillGives) {
  Send("a");
  const auto reserve = os::DiskReserve::Open(directory_ / "reserve", 4096, clock_);
  store_.reset();
  store_ = ValueOf(
      QueueStore::Open(directory_ / "queues", limits_, clock_, *random_, *log_, reserve.get()));
  store_->Configure(kQueue, settings_);
  reserve->Release();
  const auto sent = Wait<SendReply>([&](QueueStore::Done<SendReply> done) {
    return store_->Send(kQueue, {{ContentType::kText, "b", {}}}, std::move(done));
  });
  EXPECT_THAT(sent, FailsWith(FaultCode::kDiskFull));
  const auto got = Receive();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_THAT(Settle({{got[0].lease}, {}}).acks, ElementsAre(Settled::kDone));
  store_.reset();
}

}  // namespace
}  // namespace levada::services::queues
