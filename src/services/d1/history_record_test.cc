#include "services/d1/history_record.h"

#include "base/testing.h"

namespace levada::services::d1 {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

constexpr RecordPlace kPlace{.database = 7, .segment = 3, .offset = 100};

TEST(HistoryRecords, AreReadAsTheyWereWritten) {
  db::sqlite::PageBytes page;
  page.fill(9);
  std::string bytes;
  EncodePage(kPlace, 5, page, bytes);
  ASSERT_EQ(bytes.size(), kPageRecordBytes);
  const auto record = DecodeRecord(kPlace, Bytes(bytes));
  ASSERT_TRUE(record);
  EXPECT_EQ(std::get<PageRecord>(*record).number, 5u);
  EXPECT_EQ(std::get<PageRecord>(*record).content[4095], 9);

  const Point point{.epoch = 2, .seq = 4, .ms = 1234, .page_count = 6};
  for (const bool is_restore : {false, true}) {
    bytes.clear();
    EncodeCommit(kPlace, {.point = point, .pages = 8, .is_restore = is_restore}, bytes);
    ASSERT_EQ(bytes.size(), kCommitRecordBytes);
    const auto commit = std::get<CommitRecord>(*DecodeRecord(kPlace, Bytes(bytes)));
    EXPECT_EQ(commit.point, point);
    EXPECT_EQ(commit.pages, 8u);
    EXPECT_EQ(commit.is_restore, is_restore);
  }
  bytes.clear();
  EncodeCommit(kPlace, {.point = point, .pages = 8, .unsynced = 3}, bytes);
  ASSERT_EQ(bytes.size(), kGroupCommitRecordBytes);
  const auto of_group = DecodeRecord(kPlace, Bytes(bytes));
  EXPECT_EQ(SizeOf(*of_group), kGroupCommitRecordBytes);
  EXPECT_EQ(std::get<CommitRecord>(*of_group).point, point);
  EXPECT_EQ(std::get<CommitRecord>(*of_group).unsynced, 3u);
  bytes.clear();
  EncodeCommit(kPlace, {.point = point, .pages = 8, .unsynced = 4}, bytes);
  EXPECT_FALSE(DecodeRecord(kPlace, Bytes(bytes))) << "no four come before the fourth";
  bytes.clear();
  EncodeEnd(kPlace, bytes);
  EXPECT_TRUE(std::holds_alternative<EndRecord>(*DecodeRecord(kPlace, Bytes(bytes))));
  EXPECT_EQ(DecodeHeader(7, Bytes(EncodeHeader(7, point))), point);
}

TEST(HistoryRecords, AreNoneWhenCutChangedOrElsewhere) {
  for (const uint32_t unsynced : {0u, 2u}) {
    std::string bytes;
    EncodeCommit(kPlace, {.point = {.seq = 4, .ms = 5}, .pages = 1, .unsynced = unsynced}, bytes);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(DecodeRecord(kPlace, Bytes(bytes).first(size)));
    }
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string changed = bytes;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
      EXPECT_FALSE(DecodeRecord(kPlace, Bytes(changed))) << bit;
    }
    for (const RecordPlace& place :
         {RecordPlace{8, 3, 100}, RecordPlace{7, 4, 100}, RecordPlace{7, 3, 101}}) {
      EXPECT_FALSE(DecodeRecord(place, Bytes(bytes)));
    }
  }
  const std::string header = EncodeHeader(7, {.seq = 4, .ms = 5});
  EXPECT_FALSE(DecodeHeader(8, Bytes(header)));
  for (size_t size = 0; size < header.size(); ++size) {
    EXPECT_FALSE(DecodeHeader(7, Bytes(header).first(size)));
  }
  for (size_t bit = 0; bit < header.size() * 8; ++bit) {
    std::string changed = header;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecodeHeader(7, Bytes(changed))) << bit;
  }
}

}  // namespace
}  // namespace levada::services::d1
