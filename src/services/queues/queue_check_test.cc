#include "services/queues/queue_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/testing.h"
#include "db/rocksdb/store.h"
#include "os/disk.h"
#include "os/temporary_directory.h"
#include "services/queues/queue_families.h"
#include "services/queues/queue_salvage.h"
#include "services/queues/store_records.h"

namespace levada::services::queues {
namespace {

using db::rocks::Batch;
using db::rocks::Store;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kQueue = 7;

class QueueCheckTest : public testing::Test {
 protected:
  std::string path() const { return directory_ / "queues"; }
  std::unique_ptr<Store> Open() {
    db::rocks::StoreOptions options;
    options.path = path();
    options.families = QueueFamilies();
    return ValueOf(Store::Open(std::move(options)));
  }
  /// Writes as the service does, but whatever the test wants.
  void Change(const std::function<void(Batch&)>& change) {
    const auto store = Open();
    Batch batch;
    change(batch);
    ASSERT_THAT(store->Write({&batch}), IsOk());
  }
  static void PutMessage(Batch& batch, uint64_t seq) {
    batch.Put(kMessages, MessageKey(kQueue, seq), EncodeMessage({ContentType::kText, 1, 0, "abc"}));
  }
  static void PutEntry(Batch& batch, Family family, Place place, uint16_t attempts = 0) {
    batch.Put(family, PlaceKey(kQueue, place),
              EncodeEntry({.sent_ms = 5, .bytes = 3, .attempts = attempts}));
  }
  static void PutTotals(Batch& batch, const Totals& totals) {
    batch.Put(kQueues, QueueKey(kQueue), EncodeTotals(totals));
  }
  static void PutWhole(Batch& batch) {
    for (const uint64_t seq : {1, 2}) PutMessage(batch, seq);
    PutEntry(batch, kReady, {10, 1});
    PutEntry(batch, kLeases, {20, 2}, 1);
    PutTotals(batch, {.next_seq = 3, .count = 2, .bytes = 6, .head = {10, 1}, .written_ms = 10});
  }

  /// "damage message_missing queue 97dd, message 0..1" of each finding.
  std::vector<std::string> Found(const KnownResources& queues = {{{kQueue, "q"}}}) {
    Findings findings;
    checked_ = ValueOf(CheckQueues(test_.context(), path(), queues, findings));
    std::vector<std::string> lines;
    for (const Finding& finding : findings.kept()) {
      EXPECT_EQ(finding.store, "queues");
      lines.push_back((finding.kind == FindingKind::kDamage ? "damage " : "leftover ") +
                      finding.what + " " + finding.where);
    }
    return lines;
  }
  static std::string Of(uint64_t seq) { return "queue q, message " + MessageId(kQueue, seq); }

  os::TemporaryDirectory directory_;
  TestContext test_;
  QueuesChecked checked_;
};

TEST_F(QueueCheckTest, AWholeStoreIsClean) {
  Change(PutWhole);
  EXPECT_THAT(Found(), IsEmpty());
  EXPECT_EQ(checked_.queues, 1U);
  EXPECT_EQ(checked_.messages, 2U);
  EXPECT_EQ(checked_.body_bytes, 6U);
}

TEST_F(QueueCheckTest, RecordsThatDoNotFitAreNamed) {
  Change([](Batch& batch) {
    PutWhole(batch);
    PutMessage(batch, 3);              // without an entry
    PutEntry(batch, kReady, {11, 4});  // without a message
    PutEntry(batch, kReady, {12, 2});  // of one that is leased
    batch.Put(kLeases, PlaceKey(kQueue, {13, 5}), "nonsense");
    batch.Put(kMessages, MessageKey(kQueue, 1), "nonsense");
    PutTotals(batch, {.next_seq = 9, .count = 4, .bytes = 12, .head = {10, 1}});
  });
  EXPECT_THAT(Found(),
              ElementsAre("damage record_damaged " + Of(5), "damage message_damaged " + Of(1),
                          "damage message_missing " + Of(4), "damage message_unplaced " + Of(3),
                          "damage message_placed_twice " + Of(2)));
}

TEST_F(QueueCheckTest, WrongTotalsAreNamed) {
  Change(PutWhole);
  const Totals right{.next_seq = 3, .count = 2, .bytes = 6, .head = {10, 1}};
  const auto with = [&](const std::function<void(Totals&)>& change) {
    Totals totals = right;
    change(totals);
    Change([&](Batch& batch) { PutTotals(batch, totals); });
    return Found();
  };
  EXPECT_THAT(with([](Totals&) {}), IsEmpty());
  const auto is_wrong = ElementsAre("damage totals_wrong queue q");
  EXPECT_THAT(with([](Totals& totals) { totals.count = 3; }), is_wrong);
  EXPECT_THAT(with([](Totals& totals) { totals.bytes = 7; }), is_wrong);
  EXPECT_THAT(with([](Totals& totals) { totals.next_seq = 2; }), is_wrong);
  EXPECT_THAT(with([](Totals& totals) { totals.head = {10, 2}; }), is_wrong);
  Change([](Batch& batch) { batch.Delete(kQueues, QueueKey(kQueue)); });
  EXPECT_THAT(Found(), ElementsAre("damage totals_missing queue q"));
}

TEST_F(QueueCheckTest, AQueueThatWasRemovedIsALeftover) {
  Change(PutWhole);
  EXPECT_THAT(Found({{{8, "other"}}}), ElementsAre("leftover queue_gone queue 7"));
  EXPECT_THAT(Found(std::nullopt), IsEmpty()) << "nobody knows which there are";
}

TEST_F(QueueCheckTest, AStoreThatCannotBeOpenedIsDamaged) {
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("damage store_damaged")));
  EXPECT_FALSE(checked_.is_readable);
  EXPECT_FALSE(std::filesystem::exists(path())) << "nothing is made";
}

TEST_F(QueueCheckTest, AStopEndsIt) {
  Change(PutWhole);
  test_.stop.request_stop();
  Findings findings;
  EXPECT_THAT(CheckQueues(test_.context(), path(), {}, findings), FailsWith(FaultCode::kStopped));
}

TEST_F(QueueCheckTest, WhatIsMendedIsClean) {
  Change([](Batch& batch) {
    PutWhole(batch);
    PutMessage(batch, 3);
    PutEntry(batch, kReady, {11, 4});
    PutEntry(batch, kReady, {12, 2});
    batch.Put(kLeases, PlaceKey(kQueue, {13, 5}), "nonsense");
    batch.Delete(kQueues, QueueKey(kQueue));
  });
  {
    const auto store = Open();
    ASSERT_THAT(MendQueues(*store, 1000), IsOk());
    const StoreRecords records(*store);
    const auto totals = ValueOf(ReadTotals(records));
    EXPECT_EQ(totals.at(kQueue)->count, 3U);
    EXPECT_GT(totals.at(kQueue)->next_seq, 4U);
    EXPECT_EQ(totals.at(kQueue)->epoch, 1U);
    const auto ready = ValueOf(ReadPlaces(records, kReady, kQueue, {}, 10));
    ASSERT_EQ(ready.size(), 2U);
    EXPECT_EQ(ready[1].place, (Place{1000, 3}));
    EXPECT_EQ(ready[1].entry.sent_ms, 1000) << "its retention begins anew";
  }
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(QueueCheckTest, ASalvagedStoreIsCleanAndTheOldOneIsKept) {
  Change(PutWhole);
  std::filesystem::remove(path() + "/CURRENT");
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("damage store_damaged")));
  const auto disk = os::MakeSystemDisk();
  Findings findings;
  const auto kept = SalvageQueues(test_.context(), *disk, path(), {{{kQueue, "q"}}}, findings);
  ASSERT_THAT(kept, IsOk());
  EXPECT_TRUE(std::filesystem::exists(*kept));
  EXPECT_THAT(Found(), IsEmpty());
  EXPECT_EQ(checked_.messages, 2U);
}

}  // namespace
}  // namespace levada::services::queues
