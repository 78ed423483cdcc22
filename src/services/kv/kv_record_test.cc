#include "services/kv/kv_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada::services::kv {
namespace {

TEST(KvRecord, ReadsWhatItWrites) {
  for (const bool elsewhere : {false, true}) {
    const KvRecord record{1'700'000'000'123, elsewhere, R"({"a":1})", elsewhere ? "" : "value"};
    const std::string bytes = EncodeRecord(record);
    const auto read = DecodeRecord(bytes);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->expires_ms, record.expires_ms);
    EXPECT_EQ(read->value_elsewhere, elsewhere);
    EXPECT_EQ(read->metadata, record.metadata);
    EXPECT_EQ(read->value, record.value);
  }
}

TEST(KvRecord, IsTheseBytes) {
  EXPECT_EQ(EncodeRecord({256, false, "m", "v"}),
            std::string("\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01\x00mv", 14));
}

TEST(KvRecord, APartIsNoRecordUnlessOnlyItsValueIsCut) {
  const std::string bytes = EncodeRecord({1, false, "meta", ""});
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeRecord(bytes.substr(0, size)).has_value()) << size;
  }
}

TEST(KvRecord, AnotherVersionOrFlagIsNone) {
  std::string bytes = EncodeRecord({1, false, "", "v"});
  bytes[0] = 2;
  EXPECT_FALSE(DecodeRecord(bytes).has_value());
  bytes[0] = 1;
  bytes[1] = 2;
  EXPECT_FALSE(DecodeRecord(bytes).has_value());
  bytes[1] = 1;
  EXPECT_FALSE(DecodeRecord(bytes).has_value()) << "a value that is elsewhere and here";
}

TEST(ValueKey, SaysWhenItsValueEnds) {
  const std::string key = StoreKey(7, "name");
  EXPECT_EQ(key, std::string("\0\0\0\0\0\0\0\7name", 12));
  EXPECT_EQ(ExpiryOfValueKey(ValueKey(key, 1'700'000'000'123)), 1'700'000'000'123);
  EXPECT_EQ(ExpiryOfValueKey(ValueKey(key, 0)), 0);
  EXPECT_EQ(ExpiryOfValueKey("short"), 0);
}

TEST(StoreKey, KeysOfANamespaceStandTogether) {
  EXPECT_LT(StoreKey(1, "\xff\xff"), StoreKey(2, ""));
  EXPECT_LT(StoreKey(255, "z"), StoreKey(256, "a"));
}

TEST(Cursor, IsOfOneNamespaceAndPrefix) {
  const std::string cursor = EncodeCursor(3, "a", std::string("ab\0c", 4));
  EXPECT_EQ(DecodeCursor(cursor, 3, "a"), std::string("ab\0c", 4));
  EXPECT_EQ(DecodeCursor(cursor, 4, "a"), std::nullopt);
  EXPECT_EQ(DecodeCursor(cursor, 3, "ab"), std::nullopt);
  EXPECT_EQ(DecodeCursor(cursor, 3, ""), std::nullopt);
  EXPECT_EQ(DecodeCursor("", 3, "a"), std::nullopt);
  EXPECT_EQ(DecodeCursor("no cursor!", 3, "a"), std::nullopt);
  EXPECT_EQ(DecodeCursor(EncodeCursor(3, "a", "b"), 3, "a"), std::nullopt) << "outside the prefix";
}

}  // namespace
}  // namespace levada::services::kv
