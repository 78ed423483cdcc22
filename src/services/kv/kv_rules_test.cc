#include "services/kv/kv_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada::services::kv {
namespace {

using testing::HasSubstr;

constexpr int64_t kNow = 1'700'000'000;

std::string Message(const std::optional<ApiError>& error) { return error ? error->message : ""; }

TEST(KvRules, TheDefaultsAreCloudflares) {
  const KvLimits limits;
  EXPECT_EQ(limits.key_bytes_max, 512U);
  EXPECT_EQ(limits.value_bytes_max, 26'214'400U);
  EXPECT_EQ(limits.metadata_bytes_max, 1024U);
  EXPECT_EQ(limits.ttl_s_min, 60);
  EXPECT_EQ(limits.list_max, 1000);
}

TEST(KvRules, KeysBelowAtAndAboveTheLimit) {
  const KvLimits limits{.key_bytes_max = 4};
  EXPECT_FALSE(CheckKey(limits, "abc"));
  EXPECT_FALSE(CheckKey(limits, "abcd"));
  EXPECT_EQ(Message(CheckKey(limits, "abcde")),
            "UTF-8 encoded length of 5 exceeds key length limit of 4.");
  EXPECT_TRUE(CheckKey(limits, ""));
  EXPECT_THAT(Message(CheckKey(limits, ".")), HasSubstr("Illegal key name"));
  EXPECT_TRUE(CheckKey(limits, ".."));
  EXPECT_FALSE(CheckKey(limits, "..."));
}

TEST(KvRules, ValuesAndMetadataBelowAtAndAboveTheLimit) {
  const KvLimits limits{.value_bytes_max = 10, .metadata_bytes_max = 4};
  EXPECT_FALSE(CheckValueSize(limits, 10));
  EXPECT_EQ(Message(CheckValueSize(limits, 11)), "Value length of 11 exceeds limit of 10.");
  EXPECT_EQ(CheckValueSize(limits, 11)->status, 413);
  EXPECT_FALSE(CheckMetadata(limits, ""));
  EXPECT_FALSE(CheckMetadata(limits, "1234"));
  EXPECT_EQ(Message(CheckMetadata(limits, "12345")), "Metadata length of 5 exceeds limit of 4.");
  EXPECT_TRUE(CheckMetadata(limits, "{a}")) << "no JSON";
}

TEST(KvRules, AnExpiryIsAheadByAMinute) {
  const KvLimits limits;
  EXPECT_EQ(CheckExpiry(limits, kNow, {}, {}).expires_s, std::nullopt);
  EXPECT_EQ(CheckExpiry(limits, kNow, {}, "60").expires_s, kNow + 60);
  EXPECT_EQ(Message(CheckExpiry(limits, kNow, {}, "59").error),
            "Invalid expiration_ttl of 59. Expiration TTL must be at least 60.");
  EXPECT_EQ(CheckExpiry(limits, kNow, std::to_string(kNow + 60), {}).expires_s, kNow + 60);
  EXPECT_THAT(Message(CheckExpiry(limits, kNow, std::to_string(kNow + 59), {}).error),
              HasSubstr("at least 60 seconds in the future"));
  EXPECT_THAT(Message(CheckExpiry(limits, kNow, std::to_string(kNow), {}).error),
              HasSubstr("in the future"));
}

TEST(KvRules, TheTimeToLiveWins) {
  EXPECT_EQ(CheckExpiry({}, kNow, "1", "100").expires_s, kNow + 100);
}

TEST(KvRules, NoNumberIsAnExpiryUnlessWholeAndPositive) {
  for (const char* text : {"", "x", "60s", "-60", "0", "1e3", "60.5", " 60", "99999999999999999999",
                           "9223372036854775807"}) {
    EXPECT_TRUE(CheckExpiry({}, kNow, {}, text).error) << text;
    EXPECT_TRUE(CheckExpiry({}, kNow, text, {}).error) << text;
  }
}

TEST(KvRules, AListIsOfOneToAThousand) {
  EXPECT_EQ(CheckListLimit({}, "limit", {}).limit, 1000);
  EXPECT_EQ(CheckListLimit({}, "limit", "1").limit, 1);
  EXPECT_EQ(CheckListLimit({}, "limit", "1000").limit, 1000);
  EXPECT_EQ(Message(CheckListLimit({}, "key_count_limit", "1001").error),
            "Invalid key_count_limit of 1001. Please specify an integer less than 1000.");
  for (const char* text : {"0", "-1", "", "x"}) {
    EXPECT_TRUE(CheckListLimit({}, "limit", text).error) << text;
  }
}

}  // namespace
}  // namespace levada::services::kv
