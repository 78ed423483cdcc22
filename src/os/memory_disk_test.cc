#include "os/memory_disk.h"

#include <set>

#include "base/testing.h"

namespace levada::os {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kSeeds = 300;

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::unique_ptr<WritableFile> Write(Disk& disk, const std::string& path, std::string_view content) {
  auto file = ValueOf(disk.Create(path));
  EXPECT_THAT(file->Append(Bytes(content)), IsOk());
  return file;
}

std::optional<std::string> Read(Disk& disk, const std::string& path) {
  return ValueOf(ReadFile(disk, path, 1 << 20));
}

std::vector<std::string> Names(Disk& disk, const std::string& path) {
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : ValueOf(disk.List(path))) names.push_back(entry.name);
  return names;
}

TEST(MemoryDisk, KeepsWhatWasSyncedThroughAnyCrash) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    MemoryDisk disk;
    ASSERT_THAT(disk.CreateDirectories("d/e"), IsOk());
    const auto file = Write(disk, "d/e/f", "content");
    ASSERT_THAT(file->Sync(), IsOk());
    ASSERT_THAT(disk.SyncDirectory("d/e"), IsOk());
    disk.Crash(seed);
    EXPECT_EQ(Read(disk, "d/e/f"), "content");
    disk.Crash(seed);
    EXPECT_EQ(Read(disk, "d/e/f"), "content");
  }
}

TEST(MemoryDisk, SeedZeroLosesAllThatWasNotSynced) {
  MemoryDisk disk;
  const auto unsynced_content = Write(disk, "a", "content");
  ASSERT_THAT(disk.SyncDirectory("/"), IsOk());
  const auto unsynced_name = Write(disk, "b", "content");
  ASSERT_THAT(unsynced_name->Sync(), IsOk());
  disk.Crash(0);
  EXPECT_EQ(Read(disk, "a"), "");
  EXPECT_EQ(Read(disk, "b"), std::nullopt);
}

TEST(MemoryDisk, AnUnsyncedNameIsThereOrNot) {
  std::set<bool> seen;
  for (uint64_t seed = 1; seed < kSeeds; ++seed) {
    MemoryDisk disk;
    ASSERT_THAT(Write(disk, "f", "content")->Sync(), IsOk());
    disk.Crash(seed);
    const auto content = Read(disk, "f");
    seen.insert(content.has_value());
    EXPECT_EQ(content.value_or("content"), "content");
  }
  EXPECT_THAT(seen, ElementsAre(false, true));
}

TEST(MemoryDisk, UnsyncedContentIsTornAtSectors) {
  const std::string synced(1000, 's'), unsynced(2000, 'u');
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed < kSeeds; ++seed) {
    MemoryDisk disk;
    const auto file = Write(disk, "f", synced);
    ASSERT_THAT(file->Sync(), IsOk());
    ASSERT_THAT(disk.SyncDirectory("."), IsOk());
    ASSERT_THAT(file->Append(Bytes(unsynced)), IsOk());
    disk.Crash(seed);
    const std::string content = *Read(disk, "f");
    ASSERT_GE(content.size(), 1000u);
    ASSERT_LE(content.size(), 3000u);
    EXPECT_EQ(content.substr(0, 1000), synced);
    for (size_t sector = 1024; sector < content.size(); sector += 512) {
      const std::string part = content.substr(sector, 512);
      EXPECT_TRUE(part == std::string(part.size(), 'u') || part == std::string(part.size(), '\0'));
    }
    seen.insert(content);
  }
  EXPECT_TRUE(seen.contains(synced));
  EXPECT_TRUE(seen.contains(synced + unsynced));
  EXPECT_GT(seen.size(), 20u);
}

TEST(MemoryDisk, TheSameSeedTearsTheSameWay) {
  const auto torn = [](uint64_t seed) {
    MemoryDisk disk;
    const auto file = Write(disk, "f", std::string(5000, 'x'));
    EXPECT_THAT(disk.SyncDirectory("."), IsOk());
    disk.Crash(seed);
    return *Read(disk, "f");
  };
  for (uint64_t seed = 1; seed < 20; ++seed) EXPECT_EQ(torn(seed), torn(seed));
}

TEST(MemoryDisk, ATruncatedFileMayComeBack) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    MemoryDisk disk;
    ASSERT_THAT(Write(disk, "f", "old")->Sync(), IsOk());
    ASSERT_THAT(disk.SyncDirectory("."), IsOk());
    (void)Write(disk, "f", "");
    disk.Crash(seed);
    seen.insert(*Read(disk, "f"));
  }
  EXPECT_TRUE(seen.contains("old"));
  EXPECT_TRUE(seen.contains(""));
}

TEST(MemoryDisk, ARenameWithinADirectoryIsWholeOrNot) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    MemoryDisk disk;
    ASSERT_THAT(Write(disk, "old", "old")->Sync(), IsOk());
    ASSERT_THAT(Write(disk, "new", "new")->Sync(), IsOk());
    ASSERT_THAT(disk.SyncDirectory("."), IsOk());
    ASSERT_THAT(disk.Rename("new", "old"), IsOk());
    disk.Crash(seed);
    const std::string content = *Read(disk, "old");
    EXPECT_EQ(Read(disk, "new").has_value(), content == "old");
    seen.insert(content);
  }
  EXPECT_THAT(seen, ElementsAre("new", "old"));
}

TEST(MemoryDisk, ARenameBetweenDirectoriesNeedsBothSynced) {
  const auto after = [](bool sync_from, bool sync_to) {
    MemoryDisk disk;
    EXPECT_THAT(disk.CreateDirectories("a"), IsOk());
    EXPECT_THAT(disk.CreateDirectories("b"), IsOk());
    EXPECT_THAT(Write(disk, "a/f", "x")->Sync(), IsOk());
    EXPECT_THAT(disk.SyncDirectory("a"), IsOk());
    EXPECT_THAT(disk.Rename("a/f", "b/f"), IsOk());
    EXPECT_THAT(sync_from ? disk.SyncDirectory("a") : Status::OK(), IsOk());
    EXPECT_THAT(sync_to ? disk.SyncDirectory("b") : Status::OK(), IsOk());
    disk.Crash(0);
    return std::pair(Read(disk, "a/f").has_value(), Read(disk, "b/f").has_value());
  };
  EXPECT_EQ(after(false, false), std::pair(true, false));
  EXPECT_EQ(after(true, false), std::pair(false, false));
  EXPECT_EQ(after(false, true), std::pair(true, true));
  EXPECT_EQ(after(true, true), std::pair(false, true));
}

TEST(MemoryDisk, ChangesOfNamesSurviveInTheirOrder) {
  std::set<size_t> seen;
  for (uint64_t seed = 1; seed < kSeeds; ++seed) {
    MemoryDisk disk;
    for (const char* name : {"1", "2", "3", "4"}) (void)Write(disk, name, "");
    disk.Crash(seed);
    const auto names = Names(disk, "/");
    const std::vector<std::string> all = {"1", "2", "3", "4"};
    EXPECT_TRUE(std::equal(names.begin(), names.end(), all.begin()));
    seen.insert(names.size());
  }
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4));
}

TEST(MemoryDisk, ARemovedFileMayComeBackUntilItsDirectoryIsSynced) {
  MemoryDisk disk;
  ASSERT_THAT(Write(disk, "f", "x")->Sync(), IsOk());
  ASSERT_THAT(disk.SyncDirectory("."), IsOk());
  ASSERT_THAT(disk.Remove("f"), IsOk());
  disk.Crash(0);
  EXPECT_EQ(Read(disk, "f"), "x");
  ASSERT_THAT(disk.Remove("f"), IsOk());
  ASSERT_THAT(disk.SyncDirectory("."), IsOk());
  disk.Crash(0);
  EXPECT_THAT(Names(disk, "."), IsEmpty());
}

TEST(MemoryDisk, MadeDirectoriesAreDurable) {
  MemoryDisk disk;
  ASSERT_THAT(disk.CreateDirectories("a/b/c"), IsOk());
  disk.Crash(0);
  EXPECT_TRUE(ValueOf(disk.Stat("a/b/c")).has_value());
}

TEST(MemoryDisk, FilesAndLocksOfBeforeTheCrashAreDead) {
  MemoryDisk disk;
  const auto written = Write(disk, "f", "x");
  const auto read = ValueOf(disk.Open("f"));
  auto lock = ValueOf(disk.TryLock("l"));
  ASSERT_THAT(disk.SyncDirectory("."), IsOk());
  disk.Crash(0);
  uint8_t byte = 0;
  EXPECT_THAT(written->Append(Bytes("y")), FailsWith(FaultCode::kTargetIo));
  EXPECT_THAT(written->Sync(), FailsWith(FaultCode::kTargetIo));
  EXPECT_THAT(written->Close(), FailsWith(FaultCode::kTargetIo));
  EXPECT_THAT(written->Close(), IsOk());
  EXPECT_THAT(read->Size(), FailsWith(FaultCode::kTargetIo));
  EXPECT_THAT(read->ReadAt(0, {&byte, 1}), FailsWith(FaultCode::kTargetIo));

  const auto second = ValueOf(disk.TryLock("l"));
  ASSERT_NE(second, nullptr);
  lock.reset();  // ends nothing any more
  EXPECT_EQ(ValueOf(disk.TryLock("l")), nullptr);
}

TEST(MemoryDisk, FilesOutliveTheDisk) {
  std::unique_ptr<WritableFile> file;
  {
    MemoryDisk disk;
    file = Write(disk, "f", "x");
  }
  EXPECT_THAT(file->Append(Bytes("y")), IsOk());
}

TEST(MemoryDisk, NamesThatMeanTheSameAreTheSame) {
  MemoryDisk disk;
  (void)Write(disk, "/a", "x");
  EXPECT_EQ(Read(disk, "a"), "x");
  EXPECT_EQ(Read(disk, ".//./a"), "x");
  EXPECT_THAT(disk.RemoveEmptyDirectory("/"), FailsWith(FaultCode::kTargetIo));
  EXPECT_THAT(disk.Rename("/", "b"), FailsWith(FaultCode::kTargetIo));
}

// The promise of WriteFileDurably, over every moment at which the power can fail.
TEST(WriteFileDurably, LeavesTheOldOrTheNewContentWheneverThePowerFails) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    MemoryDisk disk;
    ASSERT_THAT(WriteFileDurably(disk, "f", "old"), IsOk());
    const std::string content(3000, 'n');
    // The steps of WriteFileDurably up to the moment before its last.
    const auto file = Write(disk, ".f.tmp", content);
    ASSERT_THAT(file->Sync(), IsOk());
    ASSERT_THAT(disk.Rename(".f.tmp", "f"), IsOk());
    disk.Crash(seed);
    const auto left = Read(disk, "f");
    EXPECT_TRUE(left == "old" || left == content);

    ASSERT_THAT(WriteFileDurably(disk, "f", content), IsOk());
    disk.Crash(seed);
    EXPECT_EQ(Read(disk, "f"), content);
  }
}

TEST(MemoryDisk, AChangeInPlaceIsLostUntilItIsSynced) {
  MemoryDisk disk;
  const std::vector<uint8_t> first(8, 'a'), second(8, 'b');
  {
    const auto file = ValueOf(disk.OpenMutable("x"));
    ASSERT_THAT(file->WriteAt(0, first), IsOk());
    ASSERT_THAT(file->Sync(), IsOk());
    ASSERT_THAT(disk.SyncDirectory("."), IsOk());
    ASSERT_THAT(file->WriteAt(0, second), IsOk());
    disk.Crash(0);
    EXPECT_THAT(file->WriteAt(0, second), FailsWith(FaultCode::kTargetIo));
  }
  EXPECT_EQ(ValueOf(ReadFile(disk, "x", 100)), "aaaaaaaa");
}

}  // namespace
}  // namespace levada::os
