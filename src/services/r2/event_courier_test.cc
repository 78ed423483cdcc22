#include "services/r2/event_courier.h"

#include <map>
#include <set>

#include "base/json.h"
#include "services/r2/store_fixture.h"

namespace levada::services::r2 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Bucket kPlain{1, Versioning::kOff};
constexpr Bucket kVersioned{2, Versioning::kEnabled};

/// Queues that take what they are given, or not.
class EventCourierTest : public ObjectStoreTest {
 protected:
  ~EventCourierTest() override { Close(); }
  template <typename SendTo>
  void Begin(SendTo send) {
    couriers_.push_back(std::make_unique<EventCourier>(
        *store_, running_->loop(), *log_, std::move(send), std::chrono::milliseconds(5)));
    running_->Do([this] { couriers_.back()->Poke(); });
  }
  void Tell(Bucket bucket, std::vector<ObjectAction> actions, uint64_t queue = 7) {
    auto events = std::make_shared<BucketEvents>(BucketEvents{"acc", "bucket", {}});
    events->rules.push_back({.id = "id", .queue = queue, .actions = std::move(actions)});
    running_->Do([&] { store_->SetEvents(bucket.number, events); });
  }
  void TellAll(Bucket bucket) {
    Tell(bucket, {ObjectAction::kPutObject, ObjectAction::kCopyObject,
                  ObjectAction::kCompleteMultipartUpload, ObjectAction::kDeleteObject,
                  ObjectAction::kLifecycleDeletion});
  }
  net::Task<Result<EventSent>> Send(uint64_t queue, std::vector<std::string> messages) {
    ++sends_;
    if (refusing_.contains(queue)) co_return EventSent::kNotNow;
    if (gone_.contains(queue)) co_return EventSent::kNoQueue;
    for (std::string& message : messages) arrived_[queue].push_back(std::move(message));
    co_return EventSent::kStored;
  }
  /// Until there is nothing left but for queues that take nothing.
  void Carry() {
    Begin([this](uint64_t queue, std::vector<std::string> messages) {
      return Send(queue, std::move(messages));
    });
    running_->Await(Settle());
  }
  /// In few words: "PutObject k".
  std::vector<std::string> Heard(uint64_t queue = 7) {
    std::vector<std::string> heard;
    for (const std::string& message : arrived_[queue]) {
      const Json json = ParseJson(message);
      heard.push_back(json["action"].get<std::string>() + " " +
                      json["object"]["key"].get<std::string>());
    }
    arrived_[queue].clear();
    return heard;
  }
  size_t Waiting() { return ValueOf(Wait(store_->Events(0, 10'000, size_t{1} << 30))).keys.size(); }

  std::map<uint64_t, std::vector<std::string>> arrived_;
  std::set<uint64_t> refusing_;
  std::set<uint64_t> gone_;
  int sends_ = 0;
  std::vector<std::unique_ptr<EventCourier>> couriers_;  // each lives as long as the loop

  /// Until nothing is left, or nothing but for queues that take nothing.
  net::Task<void> Settle(bool all = false) {
    while (true) {
      uint64_t queue = 0;
      bool is_left = false;
      while (true) {
        const auto waiting = co_await store_->Events(queue, 1, 1);
        if (!waiting.ok() || waiting->keys.empty()) break;
        is_left = is_left || all || !refusing_.contains(waiting->queue);
        queue = waiting->queue + 1;
      }
      if (!is_left) break;
      co_await running_->loop().Sleep(std::chrono::milliseconds(1));
    }
    co_await couriers_.back()->Stop();
  }
};

TEST_F(EventCourierTest, EveryWriteIsHeardOf) {
  TellAll(kPlain);
  PutOptions copy;
  copy.copied_from = CopiedFrom{"other", "from"};
  ASSERT_THAT(Put(kPlain, "a", "1"), IsOk());
  ASSERT_THAT(Put(kPlain, "b", std::string(5000, 'x'), copy), IsOk());
  ASSERT_THAT(Wait(store_->Delete(kPlain, {.key = "a"})), IsOk());
  ASSERT_THAT(Wait(store_->Delete(kPlain, {.key = "b", .is_by_lifecycle = true})), IsOk());
  Carry();
  EXPECT_THAT(Heard(),
              ElementsAre("PutObject a", "CopyObject b", "DeleteObject a", "LifecycleDeletion b"));
  EXPECT_EQ(Waiting(), 0U);
}

TEST_F(EventCourierTest, WhatChangesNothingIsNotHeardOf) {
  TellAll(kPlain);
  TellAll(kVersioned);
  ASSERT_THAT(Wait(store_->Delete(kPlain, {.key = "never"})), IsOk());
  PutOptions refused;
  refused.conditions.match = ParseEtagList("\"0\"");
  EXPECT_FALSE(Put(kPlain, "a", "1", refused).ok());
  const ObjectRecord old = ValueOf(Put(kVersioned, "v", "1"));
  ASSERT_THAT(Put(kVersioned, "v", "2"), IsOk());
  // An old version: readers of the key see no change.
  ASSERT_THAT(Wait(store_->Delete(
                  kVersioned, {.key = "v", .version = {VersionChoice::Kind::kStamp, old.version}})),
              IsOk());
  // A marker, and another one behind it.
  ASSERT_THAT(Wait(store_->Delete(kVersioned, {.key = "v"})), IsOk());
  ASSERT_THAT(Wait(store_->Delete(kVersioned, {.key = "v"})), IsOk());
  Carry();
  EXPECT_THAT(Heard(), ElementsAre("PutObject v", "PutObject v", "DeleteObject v"));
}

TEST_F(EventCourierTest, ManyAtOnceAreHeardOfEach) {
  Tell(kPlain, {ObjectAction::kDeleteObject});
  std::vector<DeleteTarget> targets;
  for (int i = 0; i < 250; ++i) {
    const std::string key = "k" + std::to_string(1000 + i);
    ASSERT_THAT(Put(kPlain, key, "v"), IsOk());
    targets.push_back({.key = key});
  }
  ASSERT_THAT(Wait(store_->DeleteMany(kPlain, targets)), IsOk());
  Carry();
  EXPECT_EQ(sends_, 3);
  EXPECT_THAT(Heard(), SizeIs(250));
  EXPECT_EQ(Waiting(), 0U);
}

TEST_F(EventCourierTest, TheyOutliveARestart) {
  TellAll(kPlain);
  ASSERT_THAT(Put(kPlain, "a", "1"), IsOk());
  Reopen();
  Carry();
  EXPECT_THAT(Heard(), ElementsAre("PutObject a"));
}

TEST_F(EventCourierTest, AQueueThatTakesNoneHoldsUpNobodyElse) {
  Tell(kPlain, {ObjectAction::kPutObject}, 3);
  Tell(kVersioned, {ObjectAction::kPutObject}, 5);
  ASSERT_THAT(Put(kPlain, "a", "1"), IsOk());
  ASSERT_THAT(Put(kVersioned, "b", "1"), IsOk());
  refusing_ = {3};
  Carry();
  EXPECT_THAT(Heard(3), IsEmpty());
  EXPECT_THAT(Heard(5), ElementsAre("PutObject b"));
  EXPECT_EQ(Waiting(), 1U);
  refusing_ = {};
  Carry();
  EXPECT_THAT(Heard(3), ElementsAre("PutObject a"));
}

TEST_F(EventCourierTest, WhatIsForNobodyIsDropped) {
  TellAll(kPlain);
  gone_ = {7};
  ASSERT_THAT(Put(kPlain, "a", "1"), IsOk());
  Carry();
  EXPECT_EQ(sends_, 1);
  EXPECT_EQ(Waiting(), 0U);
}

TEST_F(EventCourierTest, ItComesAgainToAQueueThatTookNone) {
  TellAll(kPlain);
  ASSERT_THAT(Put(kPlain, "a", "1"), IsOk());
  refusing_ = {7};
  Begin([this](uint64_t queue, std::vector<std::string> messages) {
    auto sent = Send(queue, std::move(messages));
    if (sends_ == 2) refusing_ = {};
    return sent;
  });
  running_->Await(Settle(/*all=*/true));
  EXPECT_GE(sends_, 3);
  EXPECT_THAT(Heard(), ElementsAre("PutObject a"));
}

}  // namespace
}  // namespace levada::services::r2
