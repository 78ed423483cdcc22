#include "os/disk.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>

#include "base/testing.h"
#include "os/memory_disk.h"
#include "os/temporary_directory.h"

namespace levada::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void Write(Disk& disk, const std::string& path, std::string_view content) {
  const auto file = ValueOf(disk.Create(path));
  ASSERT_THAT(file->Append(Bytes(content)), IsOk());
  ASSERT_THAT(file->Close(), IsOk());
}

std::optional<std::string> Read(Disk& disk, const std::string& path) {
  return ValueOf(ReadFile(disk, path, 1 << 20));
}

std::vector<std::string> Names(Disk& disk, const std::string& path) {
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : ValueOf(disk.List(path))) names.push_back(entry.name);
  return names;
}

// What every Disk promises, asked of each.
enum class Kind { kSystem, kMemory };

class AnyDisk : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    disk_ = GetParam() == Kind::kSystem ? MakeSystemDisk() : std::make_unique<MemoryDisk>();
    ASSERT_THAT(disk_->CreateDirectories(directory_.path()), IsOk());
  }
  std::string Path(const std::string& name) const { return directory_ / name; }

  const TemporaryDirectory directory_;
  std::unique_ptr<Disk> disk_;
};

INSTANTIATE_TEST_SUITE_P(Disks, AnyDisk, testing::Values(Kind::kSystem, Kind::kMemory),
                         [](const auto& info) {
                           return info.param == Kind::kSystem ? "System" : "Memory";
                         });

TEST_P(AnyDisk, ChangesAFileInPlace) {
  const auto file = ValueOf(disk_->OpenMutable(Path("x")));
  EXPECT_EQ(ValueOf(file->Size()), 0);
  ASSERT_THAT(file->WriteAt(4, Bytes("later")), IsOk());
  ASSERT_THAT(file->WriteAt(0, Bytes("ab")), IsOk());
  EXPECT_EQ(Read(*disk_, Path("x")), std::string("ab\0\0later", 9));
  ASSERT_THAT(file->WriteAt(4, Bytes("L")), IsOk());
  ASSERT_THAT(file->Truncate(6), IsOk());
  ASSERT_THAT(file->Truncate(7), IsOk());
  ASSERT_THAT(file->Sync(), IsOk());
  std::array<uint8_t, 8> out{};
  EXPECT_EQ(ValueOf(file->ReadAt(4, out)), 3);
  EXPECT_EQ(out[0], 'L');
  EXPECT_EQ(out[2], 0);
  EXPECT_EQ(ValueOf(ValueOf(disk_->OpenMutable(Path("x")))->Size()), 7) << "opening keeps it";
}

TEST_P(AnyDisk, ReadsBackWhatWasAppended) {
  const auto file = ValueOf(disk_->Create(Path("f")));
  EXPECT_THAT(file->Append(Bytes("one ")), IsOk());
  EXPECT_THAT(file->Append({}), IsOk());
  EXPECT_THAT(file->Append(Bytes("two")), IsOk());
  EXPECT_THAT(file->Sync(), IsOk());
  EXPECT_THAT(file->Close(), IsOk());
  EXPECT_THAT(file->Close(), IsOk());
  EXPECT_EQ(Read(*disk_, Path("f")), "one two");
}

TEST_P(AnyDisk, ASyncMayBeStartedAtAnyTime) {
  const auto file = ValueOf(disk_->Create(Path("f")));
  file->StartSync();
  for (const std::string_view piece : {"ab", "", "cd"}) {
    ASSERT_THAT(file->Append(Bytes(piece)), IsOk());
    file->StartSync();
  }
  ASSERT_THAT(file->Sync(), IsOk());
  ASSERT_THAT(file->Close(), IsOk());
  file->StartSync();
  EXPECT_EQ(Read(*disk_, Path("f")), "abcd");
}

TEST_P(AnyDisk, AClosedFileTakesNothingMore) {
  const auto file = ValueOf(disk_->Create(Path("f")));
  EXPECT_THAT(file->Close(), IsOk());
  EXPECT_FALSE(file->Append(Bytes("x")).ok());
  EXPECT_FALSE(file->Sync().ok());
}

TEST_P(AnyDisk, CreateTruncates) {
  Write(*disk_, Path("f"), "long content");
  Write(*disk_, Path("f"), "x");
  EXPECT_EQ(Read(*disk_, Path("f")), "x");
}

TEST_P(AnyDisk, CreatesPrivatelyWhereThereIsNothing) {
  const std::string path = Path("private");
  ASSERT_THAT(ValueOf(disk_->CreatePrivate(path))->Close(), IsOk());
  EXPECT_EQ(CodeOf(disk_->CreatePrivate(path).status()), FaultCode::kTargetIo);
  EXPECT_EQ(CodeOf(disk_->CreatePrivate(Path("none/private")).status()),
            CodeOf(disk_->Create(Path("none/private")).status()));
}

TEST_P(AnyDisk, CreateFailsWithoutItsDirectoryAndOverOne) {
  EXPECT_THAT(disk_->Create(Path("no/f")), FailsWith(FaultCode::kTargetFileMissing));
  EXPECT_THAT(disk_->Create(directory_.path()), FailsWith(FaultCode::kTargetIo));
  Write(*disk_, Path("f"), "x");
  EXPECT_THAT(disk_->Create(Path("f/g")), FailsWith(FaultCode::kTargetUnwritable));
}

TEST_P(AnyDisk, ReadsAtAnyOffsetAndLessOnlyAtTheEnd) {
  Write(*disk_, Path("f"), "0123456789");
  const auto file = ValueOf(disk_->Open(Path("f")));
  EXPECT_EQ(ValueOf(file->Size()), 10);
  std::string buffer(4, '-');
  const auto read = [&](int64_t offset) {
    buffer.assign(4, '-');
    return ValueOf(file->ReadAt(offset, {reinterpret_cast<uint8_t*>(buffer.data()), 4}));
  };
  EXPECT_EQ(read(3), 4);
  EXPECT_EQ(buffer, "3456");
  EXPECT_EQ(read(8), 2);
  EXPECT_EQ(buffer, "89--");
  EXPECT_EQ(read(10), 0);
  EXPECT_EQ(read(99), 0);
  EXPECT_FALSE(file->ReadAt(-1, {reinterpret_cast<uint8_t*>(buffer.data()), 4}).ok());
}

TEST_P(AnyDisk, OpenTellsWhatIsMissingAndRefusesADirectory) {
  const auto missing = disk_->Open(Path("f"));
  EXPECT_THAT(missing, FailsWith(FaultCode::kTargetFileMissing, HasSubstr(Path("f"))));
  EXPECT_EQ(FaultOf(missing.status()).Detail("path"), Path("f"));
  EXPECT_EQ(FaultOf(missing.status()).Detail("errno"), "ENOENT");
  const auto directory = disk_->Open(directory_.path());
  EXPECT_THAT(directory, FailsWith(FaultCode::kTargetIo));
  EXPECT_EQ(FaultOf(directory.status()).Detail("errno"), "EISDIR");
}

TEST_P(AnyDisk, AnOpenFileOutlivesItsName) {
  Write(*disk_, Path("f"), "content");
  const auto file = ValueOf(disk_->Open(Path("f")));
  EXPECT_THAT(disk_->Remove(Path("f")), IsOk());
  EXPECT_EQ(ValueOf(file->Size()), 7);
}

TEST_P(AnyDisk, RenameReplaces) {
  Write(*disk_, Path("a"), "new");
  Write(*disk_, Path("b"), "old");
  EXPECT_THAT(disk_->Rename(Path("a"), Path("b")), IsOk());
  EXPECT_EQ(Read(*disk_, Path("b")), "new");
  EXPECT_THAT(Names(*disk_, directory_.path()), ElementsAre("b"));
  EXPECT_THAT(disk_->Rename(Path("b"), Path("b")), IsOk());
  EXPECT_EQ(Read(*disk_, Path("b")), "new");
}

TEST_P(AnyDisk, RenameOfNothingNamesBothPaths) {
  const Status status = disk_->Rename(Path("a"), Path("b"));
  EXPECT_THAT(status, FailsWith(FaultCode::kTargetFileMissing));
  EXPECT_EQ(FaultOf(status).Detail("path"), Path("a"));
  EXPECT_EQ(FaultOf(status).Detail("to"), Path("b"));
}

TEST_P(AnyDisk, RenameKeepsDirectoriesAndFilesApart) {
  ASSERT_THAT(disk_->CreateDirectories(Path("d/e")), IsOk());
  Write(*disk_, Path("f"), "x");
  const auto name = [](const Status& status) { return FaultOf(status).Detail("errno"); };
  EXPECT_EQ(name(disk_->Rename(Path("f"), Path("d"))), "EISDIR");
  EXPECT_EQ(name(disk_->Rename(Path("d"), Path("f"))), "ENOTDIR");
  EXPECT_EQ(name(disk_->Rename(Path("d"), Path("d/e/f"))), "EINVAL");
  ASSERT_THAT(disk_->CreateDirectories(Path("other")), IsOk());
  EXPECT_EQ(name(disk_->Rename(Path("other"), Path("d"))), "ENOTEMPTY");
  EXPECT_THAT(disk_->Rename(Path("d"), Path("other")), IsOk());
  EXPECT_THAT(Names(*disk_, Path("other")), ElementsAre("e"));
}

TEST_P(AnyDisk, ALinkIsASecondNameOfTheSameFile) {
  Write(*disk_, Path("a"), "one");
  ASSERT_THAT(disk_->Link(Path("a"), Path("b")), IsOk());
  EXPECT_EQ(Read(*disk_, Path("b")), "one");
  ASSERT_THAT(disk_->Remove(Path("a")), IsOk());
  EXPECT_EQ(Read(*disk_, Path("b")), "one");
  EXPECT_EQ(FaultOf(disk_->Link(Path("a"), Path("c"))).code(), FaultCode::kTargetFileMissing);
  Write(*disk_, Path("c"), "two");
  const Status taken = disk_->Link(Path("b"), Path("c"));
  EXPECT_EQ(FaultOf(taken).Detail("errno"), "EEXIST");
  EXPECT_EQ(FaultOf(taken).Detail("to"), Path("c"));
}

TEST_P(AnyDisk, WhatWasChangedHasAnotherTime) {
  Write(*disk_, Path("a"), "one");
  const int64_t made = ValueOf(disk_->Stat(Path("a")))->modified_ns;
  EXPECT_EQ(ValueOf(disk_->List(directory_.path())).front().modified_ns, made);
  ASSERT_THAT(disk_->Rename(Path("a"), Path("b")), IsOk());
  EXPECT_EQ(ValueOf(disk_->Stat(Path("b")))->modified_ns, made);
  const auto wait = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  while (std::chrono::steady_clock::now() < wait) {
  }
  Write(*disk_, Path("b"), "two");
  EXPECT_GT(ValueOf(disk_->Stat(Path("b")))->modified_ns, made);
}

TEST_P(AnyDisk, CopiesAFile) {
  const std::string content(700'000, 'x');
  Write(*disk_, Path("a"), content + "end");
  Write(*disk_, Path("b"), "longer than nothing");
  ASSERT_THAT(CopyFile(*disk_, Path("a"), Path("b")), IsOk());
  EXPECT_EQ(Read(*disk_, Path("b")), content + "end");
  Write(*disk_, Path("a"), "");
  ASSERT_THAT(CopyFile(*disk_, Path("a"), Path("b")), IsOk());
  EXPECT_EQ(Read(*disk_, Path("b")), "");
  EXPECT_EQ(FaultOf(CopyFile(*disk_, Path("c"), Path("b"))).code(), FaultCode::kTargetFileMissing);
}

TEST_P(AnyDisk, RemovesATree) {
  ASSERT_THAT(disk_->CreateDirectories(Path("tree/of/two")), IsOk());
  Write(*disk_, Path("tree/a"), "");
  Write(*disk_, Path("tree/of/b"), "");
  ASSERT_THAT(RemoveTree(*disk_, Path("tree")), IsOk());
  EXPECT_EQ(ValueOf(disk_->Stat(Path("tree"))), std::nullopt);
  EXPECT_THAT(RemoveTree(*disk_, Path("tree")), IsOk());
}

TEST_P(AnyDisk, RemoveIsContentWhenThereIsNothing) {
  Write(*disk_, Path("f"), "x");
  EXPECT_THAT(disk_->Remove(Path("f")), IsOk());
  EXPECT_THAT(disk_->Remove(Path("f")), IsOk());
  EXPECT_THAT(disk_->Remove(Path("no/f")), IsOk());
  EXPECT_FALSE(disk_->Remove(directory_.path()).ok());
}

TEST_P(AnyDisk, OnlyEmptyDirectoriesAreRemoved) {
  ASSERT_THAT(disk_->CreateDirectories(Path("d/e")), IsOk());
  EXPECT_THAT(disk_->RemoveEmptyDirectory(Path("d")), IsOk());
  EXPECT_THAT(Names(*disk_, Path("d")), ElementsAre("e"));
  EXPECT_THAT(disk_->RemoveEmptyDirectory(Path("d/e")), IsOk());
  EXPECT_THAT(disk_->RemoveEmptyDirectory(Path("d")), IsOk());
  EXPECT_THAT(disk_->RemoveEmptyDirectory(Path("d")), IsOk());
  EXPECT_EQ(ValueOf(disk_->Stat(Path("d"))), std::nullopt);
  Write(*disk_, Path("f"), "x");
  EXPECT_THAT(disk_->RemoveEmptyDirectory(Path("f")), FailsWith(FaultCode::kTargetUnwritable));
}

TEST_P(AnyDisk, CreatesDirectoriesWithTheirParents) {
  EXPECT_THAT(disk_->CreateDirectories(Path("a/b//c/")), IsOk());
  EXPECT_THAT(disk_->CreateDirectories(Path("a/b/c")), IsOk());
  EXPECT_TRUE(ValueOf(disk_->Stat(Path("a/b/c")))->is_directory);
  Write(*disk_, Path("f"), "x");
  EXPECT_THAT(disk_->CreateDirectories(Path("f")), FailsWith(FaultCode::kTargetUnwritable));
  EXPECT_THAT(disk_->CreateDirectories(Path("f/g")), FailsWith(FaultCode::kTargetUnwritable));
}

TEST_P(AnyDisk, SyncsDirectoriesThatExist) {
  EXPECT_THAT(disk_->SyncDirectory(directory_.path()), IsOk());
  EXPECT_THAT(disk_->SyncDirectory(Path("no")), FailsWith(FaultCode::kTargetFileMissing));
  Write(*disk_, Path("f"), "x");
  EXPECT_THAT(disk_->SyncDirectory(Path("f")), FailsWith(FaultCode::kTargetUnwritable));
}

TEST_P(AnyDisk, ListsSortedByNameWithSizes) {
  Write(*disk_, Path("b"), "four");
  Write(*disk_, Path(".a"), "");
  Write(*disk_, Path("B"), "x");
  ASSERT_THAT(disk_->CreateDirectories(Path("c")), IsOk());
  const auto entries = ValueOf(disk_->List(directory_.path()));
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_THAT(Names(*disk_, directory_.path()), ElementsAre(".a", "B", "b", "c"));
  EXPECT_EQ(entries[2].size_bytes, 4);
  EXPECT_FALSE(entries[2].is_directory);
  EXPECT_TRUE(entries[3].is_directory);
  EXPECT_EQ(entries[3].size_bytes, 0);
}

TEST_P(AnyDisk, ListFailsWithoutADirectory) {
  EXPECT_THAT(disk_->List(Path("no")), FailsWith(FaultCode::kTargetFileMissing));
  Write(*disk_, Path("f"), "x");
  EXPECT_THAT(disk_->List(Path("f")), FailsWith(FaultCode::kTargetUnwritable));
}

TEST_P(AnyDisk, StatTellsAbsentFromPresent) {
  EXPECT_EQ(ValueOf(disk_->Stat(Path("f"))), std::nullopt);
  Write(*disk_, Path("f"), "abc");
  const auto entry = ValueOf(disk_->Stat(Path("f")));
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->name, "f");
  EXPECT_EQ(entry->size_bytes, 3);
  EXPECT_EQ(ValueOf(disk_->Stat(Path("f/g"))), std::nullopt);
}

TEST_P(AnyDisk, ALockIsHeldOnceUntilItEnds) {
  auto lock = ValueOf(disk_->TryLock(Path("l")));
  ASSERT_NE(lock, nullptr);
  EXPECT_TRUE(ValueOf(disk_->Stat(Path("l"))).has_value());
  EXPECT_EQ(ValueOf(disk_->TryLock(Path("l"))), nullptr);
  EXPECT_NE(ValueOf(disk_->TryLock(Path("other"))), nullptr);
  lock.reset();
  EXPECT_NE(ValueOf(disk_->TryLock(Path("l"))), nullptr);
  EXPECT_THAT(disk_->TryLock(Path("no/l")), FailsWith(FaultCode::kTargetFileMissing));
  EXPECT_FALSE(disk_->TryLock(directory_.path()).ok());
}

TEST_P(AnyDisk, ALockKeepsWhatTheFileHolds) {
  Write(*disk_, Path("l"), "generation 7");
  const auto lock = ValueOf(disk_->TryLock(Path("l")));
  EXPECT_EQ(Read(*disk_, Path("l")), "generation 7");
}

TEST_P(AnyDisk, ReadFileTellsAbsentAndTooLarge) {
  EXPECT_EQ(Read(*disk_, Path("f")), std::nullopt);
  Write(*disk_, Path("f"), "12345");
  EXPECT_EQ(ValueOf(ReadFile(*disk_, Path("f"), 5)), "12345");
  EXPECT_THAT(ReadFile(*disk_, Path("f"), 4), FailsWith(FaultCode::kTargetIo, HasSubstr("4")));
  EXPECT_THAT(ReadFile(*disk_, directory_.path(), 4), FailsWith(FaultCode::kTargetIo));
  Write(*disk_, Path("empty"), "");
  EXPECT_EQ(ValueOf(ReadFile(*disk_, Path("empty"), 0)), "");
  const std::string large(700'000, 'x');
  Write(*disk_, Path("large"), large);
  EXPECT_EQ(Read(*disk_, Path("large")), large);
}

TEST_P(AnyDisk, WritesAFileDurablyAndLeavesNothingElse) {
  EXPECT_THAT(WriteFileDurably(*disk_, Path("f"), "one"), IsOk());
  EXPECT_THAT(WriteFileDurably(*disk_, Path("f"), "two"), IsOk());
  EXPECT_EQ(Read(*disk_, Path("f")), "two");
  EXPECT_THAT(Names(*disk_, directory_.path()), ElementsAre("f"));
  EXPECT_THAT(WriteFileDurably(*disk_, Path("no/f"), "x"),
              FailsWith(FaultCode::kTargetFileMissing));
  ASSERT_THAT(disk_->CreateDirectories(Path("d/e")), IsOk());
  EXPECT_FALSE(WriteFileDurably(*disk_, Path("d"), "x").ok());
  EXPECT_THAT(Names(*disk_, directory_.path()), ElementsAre("d", "f"));
}

TEST(SystemDisk, TakesOverTheTemporaryFileOfAKilledWriter) {
  const TemporaryDirectory directory;
  const auto disk = MakeSystemDisk();
  Write(*disk, directory / ".f.tmp", "half of somethi");
  EXPECT_THAT(WriteFileDurably(*disk, directory / "f", "x"), IsOk());
  EXPECT_THAT(Names(*disk, directory.path()), ElementsAre("f"));
  EXPECT_EQ(Read(*disk, directory / "f"), "x");
}

TEST(SystemDisk, FollowsSymbolicLinksAndListsDanglingOnes) {
  const TemporaryDirectory directory;
  const auto disk = MakeSystemDisk();
  Write(*disk, directory / "f", "abc");
  ASSERT_EQ(symlink("f", (directory / "link").c_str()), 0);
  ASSERT_EQ(symlink("nothing", (directory / "dangling").c_str()), 0);
  EXPECT_EQ(Read(*disk, directory / "link"), "abc");
  const auto entries = ValueOf(disk->List(directory.path()));
  EXPECT_THAT(Names(*disk, directory.path()), ElementsAre("dangling", "f", "link"));
  EXPECT_EQ(entries[2].size_bytes, 3);
  EXPECT_EQ(ValueOf(disk->Stat(directory / "dangling")), std::nullopt);
}

TEST(SystemDisk, ReadsFilesThatDoNotKnowTheirSize) {
  const auto disk = MakeSystemDisk();
  const auto content = Read(*disk, "/proc/self/status");
  ASSERT_TRUE(content.has_value());
  EXPECT_THAT(*content, HasSubstr("VmRSS"));
}

TEST(SystemDisk, PathsMayBeRelative) {
  const TemporaryDirectory directory;
  const auto disk = MakeSystemDisk();
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory.path());
  EXPECT_THAT(disk->CreateDirectories("a/b"), IsOk());
  EXPECT_THAT(WriteFileDurably(*disk, "f", "x"), IsOk());
  EXPECT_THAT(WriteFileDurably(*disk, "a/b/f", "x"), IsOk());
  std::filesystem::current_path(before);
  EXPECT_EQ(Read(*disk, directory / "f"), "x");
  EXPECT_EQ(Read(*disk, directory / "a/b/f"), "x");
}

TEST(SystemDisk, APrivateFileIsItsOwnersFromTheStart) {
  const TemporaryDirectory directory;
  const mode_t before = umask(0);
  const auto file = ValueOf(MakeSystemDisk()->CreatePrivate(directory / "f"));
  umask(before);
  struct stat found{};
  ASSERT_EQ(stat((directory / "f").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
}

TEST(SystemDisk, AFullDeviceIsADiskFullAndStaysSo) {
  const auto disk = MakeSystemDisk();
  const auto file = ValueOf(disk->Create("/dev/full"));
  const Status status = file->Append(Bytes("x"));
  EXPECT_THAT(status, FailsWith(FaultCode::kDiskFull));
  EXPECT_EQ(FaultOf(status).Detail("errno"), "ENOSPC");
  EXPECT_THAT(file->Append({}), FailsWith(FaultCode::kDiskFull));
  EXPECT_THAT(file->Sync(), FailsWith(FaultCode::kDiskFull));
}

// In a child, because the limit and the ignored signal are the whole process's.
TEST(SystemDiskDeathTest, AWriteThatStopsHalfwayIsAnError) {
  const TemporaryDirectory directory;
  const auto write_beyond_limit = [&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100, 100};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(1);
    const auto disk = MakeSystemDisk();
    const auto file = ValueOf(disk->Create(directory / "f"));
    const Status status = file->Append(Bytes(std::string(150, 'x')));
    _exit(CodeOf(status) == FaultCode::kTargetIo && FaultOf(status).Detail("errno") == "EFBIG" ? 0
                                                                                               : 2);
  };
  EXPECT_EXIT(write_beyond_limit(), testing::ExitedWithCode(0), "");
  EXPECT_EQ(std::filesystem::file_size(directory / "f"), 100u);
}

TEST(SystemDisk, AReadOnlyPlaceIsUnwritable) {
  const auto disk = MakeSystemDisk();
  // sysfs lets nobody make files, root neither.
  EXPECT_THAT(disk->Create("/sys/levada_test"), FailsWith(FaultCode::kTargetUnwritable));
}

TEST(SystemDisk, ALockOfAnotherProcessHoldsUntilItDies) {
  const TemporaryDirectory directory;
  const auto disk = MakeSystemDisk();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = MakeSystemDisk()->TryLock(directory / "l");
    const char held = lock.ok() && *lock != nullptr ? 'y' : 'n';
    if (write(ready[1], &held, 1) != 1) _exit(1);
    while (true) pause();
  }
  char held = 0;
  ASSERT_EQ(read(ready[0], &held, 1), 1);
  EXPECT_EQ(held, 'y');
  EXPECT_EQ(ValueOf(disk->TryLock(directory / "l")), nullptr);
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_NE(ValueOf(disk->TryLock(directory / "l")), nullptr);
  close(ready[0]);
  close(ready[1]);
}

TEST(SystemDisk, ALockOnAFileReplacedSinceDoesNotCount) {
  const TemporaryDirectory directory;
  const auto disk = MakeSystemDisk();
  const auto old_lock = ValueOf(disk->TryLock(directory / "l"));
  ASSERT_NE(old_lock, nullptr);
  EXPECT_THAT(WriteFileDurably(*disk, directory / "l", "new file"), IsOk());
  EXPECT_NE(ValueOf(disk->TryLock(directory / "l")), nullptr);
}

TEST(Paths, AreJoinedAndTakenApart) {
  EXPECT_EQ(JoinPath("a/b", "c"), "a/b/c");
  EXPECT_EQ(JoinPath("a/b/", "c"), "a/b/c");
  EXPECT_EQ(JoinPath("a", "/c"), "/c");
  EXPECT_EQ(JoinPath("", "c"), "c");
  EXPECT_EQ(JoinPath("a", ""), "a");
  EXPECT_EQ(JoinPath("/", "c"), "/c");
  EXPECT_EQ(ParentPath("a/b/c"), "a/b");
  EXPECT_EQ(ParentPath("a/b/c/"), "a/b");
  EXPECT_EQ(ParentPath("a//b"), "a");
  EXPECT_EQ(ParentPath("c"), ".");
  EXPECT_EQ(ParentPath("/c"), "/");
  EXPECT_EQ(ParentPath("//c"), "/");
  EXPECT_EQ(ParentPath("/"), "/");
  EXPECT_EQ(ParentPath(""), ".");
  EXPECT_EQ(BaseName("a/b/c"), "c");
  EXPECT_EQ(BaseName("a/b/"), "b");
  EXPECT_EQ(BaseName("c"), "c");
  EXPECT_EQ(BaseName("/"), "");
  EXPECT_EQ(BaseName(""), "");
}

}  // namespace
}  // namespace levada::os
