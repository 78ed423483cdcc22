#include "os/faulty_disk.h"

#include "base/testing.h"
#include "os/memory_disk.h"

namespace levada::os {
namespace {

using enum DiskOperation;
using testing::HasSubstr;

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::optional<std::string> Read(Disk& disk, const std::string& path) {
  return ValueOf(ReadFile(disk, path, 1 << 20));
}

TEST(FaultyDisk, PassesEverythingOnUntilItIsArmed) {
  MemoryDisk memory;
  FaultyDisk disk(memory);
  EXPECT_THAT(disk.CreateDirectories("d"), IsOk());
  EXPECT_THAT(WriteFileDurably(disk, "d/f", "x"), IsOk());
  EXPECT_EQ(Read(disk, "d/f"), "x");
  EXPECT_EQ(ValueOf(ValueOf(disk.Open("d/f"))->Size()), 1);
  EXPECT_EQ(ValueOf(disk.List("d")).size(), 1u);
  EXPECT_TRUE(ValueOf(disk.Stat("d/f")).has_value());
  EXPECT_NE(ValueOf(disk.TryLock("l")), nullptr);
  EXPECT_THAT(disk.Remove("d/f"), IsOk());
  EXPECT_THAT(disk.RemoveEmptyDirectory("d"), IsOk());
  EXPECT_FALSE(disk.fired());
  EXPECT_EQ(disk.count(), 0);
}

TEST(FaultyDisk, EachOperationCanFail) {
  MemoryDisk memory;
  FaultyDisk disk(memory);
  ASSERT_THAT(WriteFileDurably(memory, "f", "x"), IsOk());
  const auto readable = ValueOf(disk.Open("f"));
  uint8_t byte = 0;
  const auto fails = [&](DiskOperation operation, auto call) {
    disk.Arm({.operations = {operation}});
    const Status status = StatusOf(call());
    EXPECT_THAT(status, FailsWith(FaultCode::kTargetIo)) << static_cast<int>(operation);
    EXPECT_EQ(FaultOf(status).Detail("errno"), "EIO");
    EXPECT_TRUE(disk.fired());
    EXPECT_EQ(disk.count(), 1);
  };
  fails(kCreate, [&] { return disk.Create("g"); });
  fails(kOpen, [&] { return disk.Open("f"); });
  fails(kSize, [&] { return readable->Size(); });
  fails(kRead, [&] { return readable->ReadAt(0, {&byte, 1}); });
  fails(kRename, [&] { return disk.Rename("f", "g"); });
  fails(kRemove, [&] { return disk.Remove("f"); });
  fails(kRemoveEmptyDirectory, [&] { return disk.RemoveEmptyDirectory("d"); });
  fails(kCreateDirectories, [&] { return disk.CreateDirectories("d"); });
  fails(kSyncDirectory, [&] { return disk.SyncDirectory("."); });
  fails(kList, [&] { return disk.List("."); });
  fails(kStat, [&] { return disk.Stat("f"); });
  fails(kTryLock, [&] { return disk.TryLock("l"); });
  const auto writable = [&] { return ValueOf(disk.Create("g")); };
  fails(kAppend, [file = writable()] { return file->Append(Bytes("x")); });
  fails(kSync, [file = writable()] { return file->Sync(); });
  fails(kClose, [file = writable()] { return file->Close(); });
  EXPECT_EQ(Read(memory, "f"), "x");
  EXPECT_EQ(ValueOf(memory.Stat("l")), std::nullopt);
  EXPECT_EQ(ValueOf(memory.Stat("d")), std::nullopt);
}

TEST(FaultyDisk, FailsTheChosenOneOnly) {
  MemoryDisk memory;
  FaultyDisk disk(memory);
  disk.Arm({.operations = {kRemove, kStat}, .nth = 3, .error = EACCES});
  EXPECT_THAT(disk.Remove("a"), IsOk());
  EXPECT_THAT(disk.List("."), IsOk());
  EXPECT_THAT(disk.Stat("a"), IsOk());
  EXPECT_FALSE(disk.fired());
  EXPECT_THAT(disk.Remove("a"), FailsWith(FaultCode::kTargetUnwritable, HasSubstr("\"a\"")));
  EXPECT_THAT(disk.Remove("a"), IsOk());
  EXPECT_TRUE(disk.fired());
  EXPECT_EQ(disk.count(), 4);
}

TEST(FaultyDisk, CanKeepFailingUntilItIsDisarmed) {
  MemoryDisk memory;
  FaultyDisk disk(memory);
  disk.Arm({.operations = {kCreate}, .nth = 2, .error = ENOSPC, .keeps_failing = true});
  EXPECT_THAT(disk.Create("a"), IsOk());
  EXPECT_THAT(disk.Create("b"), FailsWith(FaultCode::kDiskFull));
  EXPECT_THAT(disk.Create("c"), FailsWith(FaultCode::kDiskFull));
  disk.Disarm();
  EXPECT_THAT(disk.Create("d"), IsOk());
  EXPECT_FALSE(disk.fired());
}

TEST(FaultyDisk, AShortWriteLeavesHalf) {
  MemoryDisk memory;
  FaultyDisk disk(memory);
  const auto file = ValueOf(disk.Create("f"));
  disk.Arm({.operations = {kAppend}, .nth = 2, .error = ENOSPC, .short_write = true});
  EXPECT_THAT(file->Append(Bytes("whole ")), IsOk());
  EXPECT_THAT(file->Append(Bytes("halfgone")), FailsWith(FaultCode::kDiskFull));
  EXPECT_EQ(Read(memory, "f"), "whole half");
}

TEST(FaultyDisk, AFileThatFailedOnceIsNotSyncedIntoSuccess) {
  MemoryDisk memory;
  FaultyDisk disk(memory);
  const auto file = ValueOf(disk.Create("f"));
  ASSERT_THAT(file->Append(Bytes("x")), IsOk());
  disk.Arm({.operations = {kSync}});
  EXPECT_THAT(file->Sync(), FailsWith(FaultCode::kTargetIo));
  EXPECT_THAT(file->Sync(), FailsWith(FaultCode::kTargetIo));
  EXPECT_THAT(file->Append(Bytes("y")), FailsWith(FaultCode::kTargetIo));
  EXPECT_EQ(disk.count(), 1);
  EXPECT_THAT(file->Close(), IsOk());
  ASSERT_THAT(memory.SyncDirectory("."), IsOk());
  memory.Crash(0);
  EXPECT_EQ(Read(memory, "f"), "");
}

TEST(FaultyDisk, ACloseThatFailsHasClosed) {
  MemoryDisk memory;
  FaultyDisk disk(memory);
  const auto file = ValueOf(disk.Create("f"));
  disk.Arm({.operations = {kClose}});
  EXPECT_THAT(file->Close(), FailsWith(FaultCode::kTargetIo));
  EXPECT_THAT(file->Close(), IsOk());
  EXPECT_FALSE(file->Append(Bytes("x")).ok());
}

// The sweep that faulty_disk.h describes, over the one routine here that writes: whichever
// operation fails and however, the old content or the new is there, even if the power fails right
// after, and another try succeeds.
TEST(WriteFileDurably, LeavesTheOldOrTheNewContentWhicheverOperationFails) {
  int64_t swept = 0;
  for (const bool short_write : {false, true}) {
    for (const bool keeps_failing : {false, true}) {
      for (int64_t n = 1;; ++n) {
        MemoryDisk memory;
        FaultyDisk disk(memory);
        ASSERT_THAT(WriteFileDurably(disk, "f", "old"), IsOk());
        disk.Arm({.operations = WritingOperations(),
                  .nth = n,
                  .error = ENOSPC,
                  .keeps_failing = keeps_failing,
                  .short_write = short_write});
        const Status status = WriteFileDurably(disk, "f", "new content");
        if (!disk.fired()) {
          EXPECT_THAT(status, IsOk());
          break;
        }
        ++swept;
        EXPECT_THAT(status, FailsWith(FaultCode::kDiskFull)) << n;
        EXPECT_THAT(Read(memory, "f"), testing::AnyOf("old", "new content")) << n;
        memory.Crash(static_cast<uint64_t>(n));
        EXPECT_THAT(Read(memory, "f"), testing::AnyOf("old", "new content")) << n;
        disk.Disarm();
        EXPECT_THAT(WriteFileDurably(disk, "f", "third"), IsOk());
        memory.Crash(0);
        EXPECT_EQ(Read(memory, "f"), "third");
        EXPECT_EQ(ValueOf(memory.List(".")).size(), 1u);
      }
    }
  }
  EXPECT_EQ(swept, 4 * 6);  // create, append, sync, close, rename, sync of the directory
}

}  // namespace
}  // namespace levada::os
