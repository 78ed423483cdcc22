#include "services/analytics/analytics_copy.h"

#include <string>

#include "base/testing.h"
#include "os/memory_disk.h"
#include "services/analytics/segment.h"

namespace levada::services::analytics {
namespace {

void Write(os::Disk& disk, const std::string& path, std::string_view content) {
  ASSERT_THAT(disk.CreateDirectories(os::ParentPath(path)), IsOk());
  ASSERT_THAT(os::WriteFileDurably(disk, path, content), IsOk());
}

std::string Read(os::Disk& disk, const std::string& path) {
  return ValueOf(os::ReadFile(disk, path, 1 << 20)).value_or("nothing");
}

TEST(AnalyticsCopyTest, HasTheLogAndTheParts) {
  os::MemoryDisk disk;
  const std::string table = "analytics/engine/store/4bd/4bd82031";
  Write(disk, "analytics/wal/" + NameOfSegment(1), "one");
  Write(disk, "analytics/wal/" + NameOfSegment(2), "two");
  Write(disk, "analytics/wal/notes", "nobody's");
  Write(disk, "analytics/owner", "whose");
  Write(disk, "analytics/engine/metadata/analytics.sql", "ATTACH DATABASE");
  Write(disk, "analytics/engine/metadata/analytics/d1.sql", "by a link");
  Write(disk, table + "/20261130_1_1_0/checksums.txt", "sums");
  Write(disk, table + "/20261130_1_1_0/data.bin", "data");
  Write(disk, table + "/tmp_insert_20261130_2_2_0/data.bin", "half");
  Write(disk, table + "/delete_tmp_20261130_0_0_0/data.bin", "going");
  Write(disk, table + "/deduplication_logs/deduplication_log_1.txt", "log");
  ASSERT_THAT(CopyAnalytics(disk, "analytics", "copy"), IsOk());
  EXPECT_EQ(Read(disk, "copy/wal/" + NameOfSegment(1)), "one");
  EXPECT_EQ(Read(disk, "copy/wal/" + NameOfSegment(2)), "two");
  EXPECT_EQ(Read(disk, "copy/wal/notes"), "nothing");
  EXPECT_EQ(Read(disk, "copy/owner"), "whose");
  EXPECT_EQ(Read(disk, "copy/engine/metadata/analytics.sql"), "ATTACH DATABASE");
  EXPECT_EQ(Read(disk, "copy/engine/metadata/analytics/d1.sql"), "nothing");
  EXPECT_EQ(Read(disk, "copy/engine/store/4bd/4bd82031/20261130_1_1_0/data.bin"), "data");
  EXPECT_EQ(Read(disk, "copy/engine/store/4bd/4bd82031/deduplication_logs/deduplication_log_1.txt"),
            "log");
  for (const char* name : {"tmp_insert_20261130_2_2_0", "delete_tmp_20261130_0_0_0"}) {
    EXPECT_EQ(ValueOf(disk.Stat(std::string("copy/engine/store/4bd/4bd82031/") + name)),
              std::nullopt);
  }
  // The last segment grows: what comes behind the copy is not in it.
  const auto growing = ValueOf(disk.OpenMutable("analytics/wal/" + NameOfSegment(2)));
  ASSERT_THAT(growing->WriteAt(3, std::array<uint8_t, 1>{'!'}), IsOk());
  EXPECT_EQ(Read(disk, "copy/wal/" + NameOfSegment(2)), "two");
}

TEST(AnalyticsCopyTest, OfNothingThereIsNoCopy) {
  os::MemoryDisk disk;
  ASSERT_THAT(CopyAnalytics(disk, "analytics", "copy"), IsOk());
  EXPECT_EQ(ValueOf(disk.Stat("copy")), std::nullopt);
  Write(disk, "analytics/wal/" + NameOfSegment(1), "one");
  ASSERT_THAT(CopyAnalytics(disk, "analytics", "copy"), IsOk());
  EXPECT_EQ(Read(disk, "copy/wal/" + NameOfSegment(1)), "one");
}

}  // namespace
}  // namespace levada::services::analytics
