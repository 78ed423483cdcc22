#include "services/r2/lifecycle.h"

#include <string>
#include <utility>
#include <vector>

#include "services/r2/store_fixture.h"

namespace levada::services::r2 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Bucket kPlain{1, Versioning::kOff};
constexpr Bucket kVersioned{2, Versioning::kEnabled};

class LifecycleTest : public ObjectStoreTest {
 protected:
  static constexpr int64_t kDay = 86'400'000'000;
  LifecycleCounts Run(Bucket bucket, const s3xml::LifecycleRule& rule) {
    return ValueOf(Wait(RunLifecycle(*store_, bucket, {rule}, [] { return false; })));
  }
  static s3xml::LifecycleRule Rule() {
    s3xml::LifecycleRule rule;
    rule.enabled = true;
    rule.prefix = "old/";
    return rule;
  }
};

TEST_F(LifecycleTest, ExpiresAtTheMidnightBehindTheDays) {
  clock_.Set(1'700'006'400'000'000 - kDay / 2);  // noon UTC
  ASSERT_THAT(Put(kPlain, "old/k", std::string(5000, 'x')), IsOk());
  ASSERT_THAT(Put(kPlain, "other", "v"), IsOk());
  s3xml::LifecycleRule rule = Rule();
  rule.expiration_days = 2;
  clock_.Advance(2 * kDay + kDay / 2 - 1000);
  EXPECT_EQ(Run(kPlain, rule).objects_expired, 0U);
  clock_.Advance(1000);
  EXPECT_EQ(Run(kPlain, rule).objects_expired, 1U);
  EXPECT_THAT(Keys(kPlain), ElementsAre("other"));
  EXPECT_EQ(Files(), 0U);
}

TEST_F(LifecycleTest, TheFirstRuleToComeSaysWhenAnObjectGoes) {
  clock_.Set(1'700'006'400'000'000 - kDay / 2);  // noon UTC
  const ObjectRecord record = ValueOf(Put(kPlain, "old/k", std::string(5000, 'x')));
  s3xml::LifecycleRule late = Rule();
  late.id = "late";
  late.expiration_days = 9;
  s3xml::LifecycleRule soon = Rule();
  soon.id = "soon";
  soon.expiration_days = 1;
  soon.size_greater_than = 4999;
  s3xml::LifecycleRule dated = Rule();
  dated.id = "dated";
  dated.expiration_date = 1'700'006'400'000'000;
  s3xml::LifecycleRule off = dated;
  off.enabled = false;
  EXPECT_EQ(ExpiryOf({late, soon, off}, "old/k", record)->rule_id, "soon");
  EXPECT_EQ(ExpiryOf({late, soon}, "old/k", record)->at_ms, 1'700'006'400'000 + kDay / 1000);
  EXPECT_EQ(ExpiryOf({late, soon, dated}, "old/k", record)->rule_id, "dated");
  EXPECT_EQ(ExpiryOf({late, soon}, "other", record), std::nullopt);
  soon.size_greater_than = 5000;
  EXPECT_EQ(ExpiryOf({late, soon}, "old/k", record)->rule_id, "late");
  EXPECT_EQ(ExpiryOf({Rule()}, "old/k", record), std::nullopt);
}

TEST_F(LifecycleTest, RemovesVersionsAndTheMarkerThatHidesNothing) {
  for (const char* text : {"1", "2", "3", "4"}) {
    ASSERT_THAT(Put(kVersioned, "old/k", text), IsOk());
  }
  ASSERT_THAT(Wait(store_->Delete(kVersioned, DeleteTarget{"old/k"})), IsOk());
  clock_.Advance(10 * kDay);
  s3xml::LifecycleRule keeps_two = Rule();
  keeps_two.noncurrent_expiration_days = 1;
  keeps_two.newer_noncurrent_versions = 2;
  EXPECT_EQ(Run(kVersioned, keeps_two).versions_removed, 2U);
  s3xml::LifecycleRule all = Rule();
  all.noncurrent_expiration_days = 1;
  all.expired_object_delete_marker = true;
  EXPECT_EQ(Run(kVersioned, all).versions_removed, 2U);
  EXPECT_EQ(Run(kVersioned, all).markers_removed, 1U);
  EXPECT_EQ(ValueOf(store_->index().ContentOf(kVersioned.number)), ObjectIndex::Content::kNothing);
}

TEST_F(LifecycleTest, AbortsUploadsAfterSevenDaysWithoutARule) {
  ASSERT_THAT(Wait(store_->CreateUpload(kPlain, "k", {})), IsOk());
  clock_.Advance(7 * kDay);
  s3xml::LifecycleRule none;
  EXPECT_EQ(Run(kPlain, none).uploads_aborted, 0U);
  clock_.Advance(kDay);
  EXPECT_EQ(Run(kPlain, none).uploads_aborted, 1U);
}

TEST_F(LifecycleTest, MovesToTheInfrequentClassInName) {
  ASSERT_THAT(Put(kPlain, "old/k", "v"), IsOk());
  clock_.Advance(40 * kDay);
  s3xml::LifecycleRule rule = Rule();
  s3xml::LifecycleTransition transition;
  transition.days = 30;
  transition.storage_class = "STANDARD_IA";
  rule.transitions = {transition};
  EXPECT_EQ(Run(kPlain, rule).objects_moved, 1U);
  EXPECT_EQ(Run(kPlain, rule).objects_moved, 0U);
  EXPECT_EQ(Get(kPlain, "old/k"), "v");
}

TEST_F(LifecycleTest, MovesWhatIsFromBeforeVersionsWereKept) {
  ASSERT_THAT(Put(kPlain, "old/k", "v"), IsOk());
  const Bucket versioned{kPlain.number, Versioning::kEnabled};
  clock_.Advance(2 * kDay);
  s3xml::LifecycleRule rule = Rule();
  s3xml::LifecycleTransition transition;
  transition.days = 1;
  transition.storage_class = "STANDARD_IA";
  rule.transitions = {transition};
  EXPECT_EQ(Run(versioned, rule).objects_moved, 1U);
  const ListPage page = ValueOf(Wait(store_->ListVersions(versioned, {})));
  ASSERT_EQ(page.objects.size(), 1U);
  EXPECT_TRUE(page.objects.front().record.attributes.infrequent_access);
  EXPECT_TRUE(page.objects.front().record.is_null_version);
}

TEST_F(LifecycleTest, ARuleMayBeAboutSizesAndDates) {
  for (const size_t bytes : {10, 2000, 4000}) {
    ASSERT_THAT(Put(kPlain, "old/" + std::to_string(bytes), std::string(bytes, 'x')), IsOk());
  }
  s3xml::LifecycleRule rule = Rule();
  rule.expiration_date = clock_.Now() + kDay;
  rule.size_greater_than = 10;
  rule.size_less_than = 4000;
  EXPECT_EQ(Run(kPlain, rule).objects_expired, 0U);
  clock_.Advance(kDay);
  EXPECT_EQ(Run(kPlain, rule).objects_expired, 1U);
  EXPECT_THAT(Keys(kPlain), ElementsAre("old/10", "old/4000"));
}

TEST_F(LifecycleTest, ACurrentVersionThatExpiresLeavesAMarker) {
  for (const char* text : {"1", "2"}) ASSERT_THAT(Put(kVersioned, "old/k", text), IsOk());
  s3xml::LifecycleRule rule = Rule();
  rule.expiration_days = 1;
  clock_.Advance(2 * kDay);
  EXPECT_EQ(Run(kVersioned, rule).objects_expired, 1U);
  EXPECT_THAT(Keys(kVersioned), IsEmpty());
  const ListPage page = ValueOf(Wait(store_->ListVersions(kVersioned, {})));
  ASSERT_EQ(page.objects.size(), 3U);
  EXPECT_TRUE(page.objects.front().is_latest && page.objects.front().record.is_delete_marker);
  EXPECT_EQ(Run(kVersioned, rule).objects_expired, 0U) << "the marker hides two versions and stays";
}

TEST_F(LifecycleTest, ARuleMayBeAboutUploads) {
  ASSERT_THAT(Wait(store_->CreateUpload(kPlain, "old/k", {})), IsOk());
  ASSERT_THAT(Wait(store_->CreateUpload(kPlain, "other", {})), IsOk());
  s3xml::LifecycleRule rule = Rule();
  rule.abort_incomplete_days = 2;
  clock_.Advance(2 * kDay - 1);
  EXPECT_EQ(Run(kPlain, rule).uploads_aborted, 0U);
  clock_.Advance(kDay + 1);
  EXPECT_EQ(Run(kPlain, rule).uploads_aborted, 1U);
  EXPECT_EQ(ValueOf(Wait(store_->ListUploads(kPlain, {}))).uploads.front().key, "other");
}

}  // namespace
}  // namespace levada::services::r2
