#include "services/queues/queue_record.h"

#include <gtest/gtest.h>

namespace levada::services::queues {
namespace {

TEST(QueueRecord, MessagesReadWhatTheyWrite) {
  for (const ContentType type :
       {ContentType::kText, ContentType::kBytes, ContentType::kJson, ContentType::kV8}) {
    const std::string body("\xff\x0f\0body", 7);
    const Message message{type, 1'700'000'000'123, 42, body};
    const std::string bytes = EncodeMessage(message);
    EXPECT_EQ(DecodeMessage(bytes), message);
    EXPECT_EQ(ContentTypeOf(NameOf(type)), type);
  }
  EXPECT_EQ(ContentTypeOf("yaml"), std::nullopt);
}

TEST(QueueRecord, IsTheseBytes) {
  EXPECT_EQ(EncodeMessage({ContentType::kJson, 256, 1, "{}"}),
            std::string("\x01\x02\0\x01\0\0\0\0\0\0\x01\0\0\0\0\0\0\0{}", 20));
  EXPECT_EQ(EncodeEntry({.sent_ms = 1, .source = 2, .bytes = 3, .attempts = 4}),
            std::string("\x01\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\x04\0", 23));
}

TEST(QueueRecord, EntriesAndTotalsReadWhatTheyWrite) {
  const Entry entry{1'700'000'000'123, ~uint64_t{0}, 128'000, 65'535};
  EXPECT_EQ(DecodeEntry(EncodeEntry(entry)), entry);
  const Totals totals{7, 3, 1 << 20, 2, {1'700'000'000'123, 5}, 1'700'000'000'456};
  EXPECT_EQ(DecodeTotals(EncodeTotals(totals)), totals);
  Totals none;
  none.head = kNowhere;
  EXPECT_EQ(DecodeTotals(EncodeTotals(none)), none);
}

TEST(QueueRecord, APartIsNoRecordUnlessOnlyTheBodyIsCut) {
  const std::string message = EncodeMessage({ContentType::kText, 1, 0, ""});
  for (size_t size = 0; size < message.size(); ++size) {
    EXPECT_FALSE(DecodeMessage(message.substr(0, size)).has_value()) << size;
  }
  const std::string entry = EncodeEntry({});
  for (size_t size = 0; size < entry.size(); ++size) {
    EXPECT_FALSE(DecodeEntry(entry.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(DecodeEntry(entry + "x").has_value());
  const std::string totals = EncodeTotals({});
  for (size_t size = 0; size < totals.size(); ++size) {
    EXPECT_FALSE(DecodeTotals(totals.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(DecodeTotals(totals + "x").has_value());
}

TEST(QueueRecord, AnotherVersionOrTypeIsNone) {
  std::string message = EncodeMessage({});
  message[1] = 4;
  EXPECT_FALSE(DecodeMessage(message).has_value());
  message[1] = 0;
  message[0] = 2;
  EXPECT_FALSE(DecodeMessage(message).has_value());
  std::string totals = EncodeTotals({.head = {-1, 0}});
  EXPECT_FALSE(DecodeTotals(totals).has_value()) << "a time before all times";
}

TEST(QueueKeys, SortAsTheirNumbers) {
  EXPECT_LT(PlaceKey(1, kNowhere), PlaceKey(2, {}));
  EXPECT_LT(PlaceKey(1, {255, 9}), PlaceKey(1, {256, 0}));
  EXPECT_LT(PlaceKey(1, {256, 255}), PlaceKey(1, {256, 256}));
  EXPECT_LT(MessageKey(1, ~uint64_t{0}), MessageKey(2, 0));
  EXPECT_TRUE(MessageKey(3, 4).starts_with(QueueKey(3)));
}

TEST(QueueKeys, AreReadBack) {
  const auto place = DecodePlaceKey(PlaceKey(7, {123, 456}));
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->queue, 7U);
  EXPECT_EQ(place->place, (Place{123, 456}));
  EXPECT_EQ(DecodeMessageKey(MessageKey(7, 8))->seq, 8U);
  EXPECT_EQ(DecodeQueueKey(QueueKey(7)), 7U);
  EXPECT_FALSE(DecodeQueueKey(kLeaseKeyKey).has_value());
  EXPECT_FALSE(DecodePlaceKey(MessageKey(7, 8)).has_value());
  EXPECT_FALSE(DecodePlaceKey(PlaceKey(7, {-1, 0})).has_value());
  EXPECT_FALSE(DecodeMessageKey(QueueKey(7)).has_value());
  EXPECT_EQ(MessageId(1, 255), "000000000000000100000000000000ff");
}

}  // namespace
}  // namespace levada::services::queues
