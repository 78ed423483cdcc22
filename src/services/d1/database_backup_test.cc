#include <gtest/gtest.h>

#include "db/sqlite/page_checksum.h"
#include "services/d1/backup_copy.h"
#include "services/d1/database_fixture.h"

namespace levada::services::d1 {
namespace {

constexpr const char* kCopy = "d1/transfers/copy";
constexpr const char* kRows = "SELECT count(*) FROM t";

/// A database of three rows with a copy of them beside it, and none by now.
struct CopiedFixture : D1Fixture {
  CopiedFixture() {
    EXPECT_THAT(Open(), IsOk());
    EXPECT_THAT(Do("CREATE TABLE t (x); INSERT INTO t VALUES (1), (2), (hex(zeroblob(9000)))"),
                IsOk());
    EXPECT_THAT(disk.CreateDirectories("d1/transfers"), IsOk());
    copied = last();
    EXPECT_THAT(history().WriteImage(copied, kCopy), IsOk());
    EXPECT_THAT(disk.SyncDirectory("d1/transfers"), IsOk());
    EXPECT_THAT(Do("DELETE FROM t"), IsOk());
    before = last();
  }
  Result<Point> Adopt() {
    writer.reset();
    ARROW_ASSIGN_OR_RAISE(const Point made, files->Adopt(kCopy, copied.page_count));
    ARROW_RETURN_NOT_OK(Connect());
    return made;
  }
  Point copied;
  Point before;
};

TEST(DatabaseCopy, IsPutInPlaceAndUndone) {
  CopiedFixture d1;
  const Point made = ValueOf(d1.Adopt());
  EXPECT_EQ(made.epoch, d1.before.epoch + 1);
  EXPECT_EQ(made.seq, d1.before.seq + 1);
  EXPECT_EQ(d1.Ask(kRows), "3 ");
  EXPECT_FALSE(ValueOf(d1.disk.Stat(kCopy)));
  ASSERT_THAT(d1.Do("INSERT INTO t VALUES (4)"), IsOk());
  ASSERT_THAT(d1.Open(), IsOk());
  EXPECT_EQ(d1.Ask(kRows), "4 ");
  ASSERT_THAT(d1.Restore(d1.before), IsOk());
  EXPECT_EQ(d1.Ask(kRows), "0 ");
  ASSERT_THAT(d1.Restore(made), IsOk());
  EXPECT_EQ(d1.Ask(kRows), "3 ");
  ASSERT_THAT(d1.Restore(d1.copied), IsOk());
  EXPECT_EQ(d1.Ask(kRows), "3 ");
}

TEST(DatabaseCopy, OfAnotherDatabaseIsPutInPlace) {
  CopiedFixture one;
  D1Fixture other;
  ASSERT_THAT(other.Open(), IsOk());
  ASSERT_THAT(other.Do("CREATE TABLE u (y)"), IsOk());
  const auto bytes = ValueOf(os::ReadFile(one.disk, kCopy, 1 << 20));
  ASSERT_THAT(os::WriteFileDurably(other.disk, "d1/copy", *bytes), IsOk());
  other.writer.reset();
  ASSERT_THAT(other.files->Adopt("d1/copy", one.copied.page_count), IsOk());
  ASSERT_THAT(other.Connect(), IsOk());
  EXPECT_EQ(other.Ask(kRows), "3 ");
  EXPECT_EQ(other.Ask("PRAGMA quick_check"), "ok ");
}

TEST(DatabaseCopy, IsKnownByItsBytes) {
  CopiedFixture d1;
  const auto no = [] { return false; };
  const CopyRead whole = ValueOf(ReadCopy(d1.disk, kCopy, no));
  EXPECT_TRUE(whole.is_of_d1);
  EXPECT_EQ(whole.damaged_page, std::nullopt);
  EXPECT_EQ(whole.page_count, d1.copied.page_count);
  EXPECT_EQ(whole.bytes, int64_t{d1.copied.page_count} * 4096);
  std::string bytes = *ValueOf(os::ReadFile(d1.disk, kCopy, 1 << 20));
  const auto read = [&] {
    EXPECT_THAT(os::WriteFileDurably(d1.disk, "d1/changed", bytes), IsOk());
    return ValueOf(ReadCopy(d1.disk, "d1/changed", no));
  };
  // Of a file with other reserved bytes, page by page as it should be.
  bytes[20] = 0;
  db::sqlite::StampPage(1,
                        std::span<uint8_t, 4096>(reinterpret_cast<uint8_t*>(bytes.data()), 4096));
  EXPECT_FALSE(read().is_of_d1);
  EXPECT_EQ(read().damaged_page, std::nullopt);
  bytes[5000] ^= 1;
  EXPECT_EQ(read().damaged_page, 2);
  bytes.resize(4096 + 100);
  EXPECT_EQ(read().damaged_page, 2);
  bytes.clear();
  EXPECT_EQ(read().damaged_page, 1);
}

TEST(DatabaseCopy, IsInPlaceOrNotAfterAFaultAndACrashAtEveryOperation) {
  for (int64_t nth = 1;; ++nth) {
    SCOPED_TRACE(nth);
    CopiedFixture d1;
    d1.disk.Arm({.operations = os::WritingOperations(), .nth = nth, .short_write = nth % 2 == 0});
    const bool is_told = d1.Adopt().ok();
    const bool fired = d1.disk.fired();
    d1.disk.Disarm();
    d1.Drop();
    d1.memory.Crash(static_cast<uint64_t>(nth));
    ASSERT_THAT(d1.Open(), IsOk());
    const std::string found = d1.Ask(kRows);
    EXPECT_TRUE(found == "3 " || (found == "0 " && !is_told)) << found;
    EXPECT_EQ(d1.Ask("PRAGMA quick_check"), "ok ");
    ASSERT_THAT(d1.Do("CREATE TABLE more (x)"), IsOk());
    ASSERT_THAT(d1.Restore(d1.before), IsOk());
    EXPECT_EQ(d1.Ask(kRows), "0 ");
    if (!fired) {
      EXPECT_GT(nth, 8) << "it is as long as it was";
      break;
    }
  }
}

}  // namespace
}  // namespace levada::services::d1
