#include "backup/backup.h"

#include <algorithm>
#include <set>

#include "backup/backup_fixture.h"
#include "backup/file_list.h"
#include "os/faulty_disk.h"

namespace levada::backup {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr WallMicros kDay = WallMicros{86'400} * 1'000'000;

class BackupTest : public testing::Test {
 protected:
  Result<BackupDone> Make(const Contents& contents, int keep = 0) {
    if (contents != snapshot_) WriteTree(disk_, "snapshot", contents);
    snapshot_ = contents;
    return MakeAgain(keep);
  }
  Result<BackupDone> MakeAgain(int keep = 0) {
    clock_.Advance(kDay);
    return MakeBackup(context_, disk_, *store_, {"snapshot", "0.1.0", keep, 3});
  }
  Result<Head> RestoreTo(const std::string& directory, const std::string& id = "") {
    return Restore(context_, disk_, *store_, {id, directory, 3});
  }
  Status Check() { return RestoreTo("").status(); }
  std::vector<std::string> Files() {
    std::vector<std::string> files;
    for (const auto& [path, content] : TreeOf(disk_, "backups/files")) files.push_back(path);
    return files;
  }

  os::MemoryDisk disk_;
  TestContext test_;
  ManualClock& clock_ = test_.clock;
  const Context context_ = test_.context();
  std::unique_ptr<BackupStore> store_ = MakeDirectoryStore(disk_, "backups");
  Contents snapshot_;
  const Contents first_ = {{"VERSION", "layout=1\n"},  {"control.db", std::string(9000, 'c')},
                           {"kv/000001.sst", "one"},   {"kv/000002.sst", std::string(3 << 20, 'x')},
                           {"kv-other", "before kv/"}, {"objects/blobs/00/a", ""},
                           {"master.key", "a key"}};
};

TEST_F(BackupTest, IsRestoredAsItWas) {
  const BackupDone done = ValueOf(Make(first_));
  EXPECT_EQ(done.head.files, 7);
  EXPECT_EQ(done.new_files, 7);
  EXPECT_TRUE(done.head.has_master_key);
  const Head head = ValueOf(RestoreTo("restored"));
  EXPECT_EQ(head.id, done.head.id);
  EXPECT_EQ(head.bytes, done.head.bytes);
  EXPECT_EQ(TreeOf(disk_, "restored"), first_);
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(BackupTest, WhatIsThereIsNotCopiedAgain) {
  const BackupDone first = ValueOf(Make(first_));
  const BackupDone same = ValueOf(MakeAgain());
  EXPECT_EQ(same.new_files, 0);
  EXPECT_EQ(same.head.new_bytes, 0);
  EXPECT_EQ(same.head.bytes, first.head.bytes);
  Contents second = first_;
  second.erase("kv/000001.sst");
  second["kv/000003.sst"] = "three";
  second["objects/blobs/00/b"] = "one";  // as another was
  const BackupDone changed = ValueOf(Make(second));
  EXPECT_EQ(changed.new_files, 1);
  EXPECT_EQ(changed.head.new_bytes, 5);
  ValueOf(RestoreTo("at-first", first.head.id));
  EXPECT_EQ(TreeOf(disk_, "at-first"), first_);
  ValueOf(RestoreTo("at-last"));
  EXPECT_EQ(TreeOf(disk_, "at-last"), second);
}

TEST_F(BackupTest, AFileOfTheSameTimeAndSizeIsNotReadAgain) {
  ValueOf(Make(first_));
  os::FaultyDisk faulty(disk_);
  faulty.Arm({.operations = {os::DiskOperation::kRead}, .nth = 1000});
  clock_.Advance(kDay);
  ValueOf(MakeBackup(context_, faulty, *store_, {"snapshot", "0.1.0"}));
  EXPECT_EQ(faulty.count(), 0);
}

TEST_F(BackupTest, KeepsTheNewestAndTheBytesTheyHave) {
  ValueOf(Make(first_));
  const size_t files_of_first = Files().size();
  Contents second = first_;
  second["kv/000002.sst"] = "smaller";
  const BackupDone two = ValueOf(Make(second, 2));
  EXPECT_EQ(two.backups_removed, 0);
  EXPECT_EQ(Files().size(), files_of_first + 1);
  second["control.db"] = "new";
  const BackupDone three = ValueOf(Make(second, 2));
  EXPECT_EQ(three.backups_removed, 1);
  EXPECT_EQ(three.files_removed, 1);  // the large one
  EXPECT_EQ(ValueOf(ListBackups(*store_)), (std::vector{two.head.id, three.head.id}));
  for (const std::string& id : {two.head.id, three.head.id}) ValueOf(RestoreTo("of-" + id, id));
  EXPECT_EQ(TreeOf(disk_, "of-" + three.head.id), second);
  // What a killed one left goes too.
  const std::string folder = os::ParentPath("backups/files/" + Files().front());
  ASSERT_THAT(os::WriteFileDurably(disk_, os::JoinPath(folder, ".x.1.tmp"), "half"), IsOk());
  EXPECT_EQ(ValueOf(MakeAgain(1)).files_removed, 2);
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(BackupTest, IdsGrowWhateverTheClockSays) {
  ValueOf(Make(first_));
  const std::string first = ValueOf(ListBackups(*store_)).back();
  const BackupDone second = ValueOf(MakeBackup(context_, disk_, *store_, {"snapshot", "0.1.0"}));
  EXPECT_GT(second.head.id, first);
  clock_.Set(clock_.Now() - 2 * kDay);
  const auto refused = MakeBackup(context_, disk_, *store_, {"snapshot", "0.1.0"});
  EXPECT_EQ(CodeOf(refused.status()), FaultCode::kBadValue);
  EXPECT_THAT(refused.status().message(), HasSubstr(second.head.id));
}

TEST_F(BackupTest, APlaceOfSomethingElseIsLeftAlone) {
  WriteTree(disk_, "backups", {{"photos/cat.jpg", "cat"}});
  const auto refused = Make(first_);
  EXPECT_EQ(CodeOf(refused.status()), FaultCode::kForeignTarget);
  EXPECT_EQ(CodeOf(Check()), FaultCode::kForeignTarget);
  EXPECT_EQ(TreeOf(disk_, "backups").size(), 1U);
  WriteTree(disk_, "backups", {{kMark, R"({"levada_backup":2})"}});
  EXPECT_EQ(CodeOf(MakeAgain().status()), FaultCode::kNewerLayout);
  WriteTree(disk_, "backups", {{kMark, "{}"}});
  EXPECT_EQ(CodeOf(MakeAgain().status()), FaultCode::kManifestCorrupt);
}

TEST_F(BackupTest, NothingIsRestoredOverAnything) {
  ValueOf(Make(first_));
  WriteTree(disk_, "used", {{"letter", "dear"}});
  const Status refused = RestoreTo("used").status();
  EXPECT_EQ(CodeOf(refused), FaultCode::kForeignTarget);
  EXPECT_THAT(refused.message(), HasSubstr("letter"));
  ValueOf(RestoreTo("restored"));
  EXPECT_EQ(CodeOf(RestoreTo("restored").status()), FaultCode::kForeignTarget);
  EXPECT_EQ(CodeOf(RestoreTo("other", "20200101T000000Z").status()), FaultCode::kTargetFileMissing);
}

TEST_F(BackupTest, WithoutABackupNothingIsRestored) {
  const Status none = RestoreTo("restored").status();
  EXPECT_EQ(CodeOf(none), FaultCode::kTargetFileMissing);
  EXPECT_EQ(ValueOf(disk_.Stat("restored")), std::nullopt);
  ValueOf(Make({{"letter", "dear"}}));
  const Status refused = RestoreTo("restored").status();
  EXPECT_EQ(CodeOf(refused), FaultCode::kManifestCorrupt);
}

TEST_F(BackupTest, EveryFlippedBitIsFoundAndNoDaemonOpensWhatIsNotWhole) {
  Contents contents = first_;
  contents["kv/000002.sst"] = "two";
  ValueOf(Make(contents));
  const Contents whole = TreeOf(disk_, "backups");
  for (const auto& [path, content] : whole) {
    if (content.empty()) continue;
    for (const size_t at : {size_t{0}, content.size() / 2, content.size() - 1}) {
      if (content[at] == '\n') continue;
      std::string flipped = content;
      flipped[at] = static_cast<char>(flipped[at] ^ 1);
      ASSERT_THAT(os::WriteFileDurably(disk_, os::JoinPath("backups", path), flipped), IsOk());
      // Of a head the bits that are of no consequence: its version, a count.
      const Status status = RestoreTo("restored").status();
      if (status.ok()) {
        EXPECT_THAT(path, testing::EndsWith(".json"));
        ASSERT_THAT(os::RemoveTree(disk_, "restored"), IsOk());
      } else {
        EXPECT_EQ(ValueOf(disk_.Stat("restored/VERSION")), std::nullopt) << path << " " << at;
      }
    }
    ASSERT_THAT(disk_.Remove(os::JoinPath("backups", path)), IsOk());
    EXPECT_FALSE(Check().ok()) << path;
    ASSERT_THAT(os::WriteFileDurably(disk_, os::JoinPath("backups", path), content), IsOk());
  }
  ValueOf(RestoreTo("restored"));  // over what the others left
  EXPECT_EQ(TreeOf(disk_, "restored"), contents);
}

TEST_F(BackupTest, AnotherLengthIsFoundToo) {
  ValueOf(Make(first_));
  const std::string file = "backups/files/" + Files().front();
  const std::string content = *ValueOf(os::ReadFile(disk_, file, 1 << 30));
  for (const std::string& other : {content + "x", content.substr(0, content.size() / 2)}) {
    ASSERT_THAT(os::WriteFileDurably(disk_, file, other), IsOk());
    EXPECT_EQ(CodeOf(Check()), other == content ? CodeOf(Status::OK()) : FaultCode::kStoreDamaged);
  }
}

TEST_F(BackupTest, OfADamagedListTheNextBackupSaysSo) {
  const BackupDone done = ValueOf(Make(first_));
  const std::string list = os::JoinPath("backups", PathOfList(done.head.id));
  ASSERT_THAT(os::WriteFileDurably(disk_, list, "no list"), IsOk());
  EXPECT_EQ(CodeOf(MakeAgain().status()), FaultCode::kManifestCorrupt);
  ASSERT_THAT(disk_.Remove(list), IsOk());
  EXPECT_EQ(CodeOf(MakeAgain().status()), FaultCode::kTargetFileMissing);
}

TEST_F(BackupTest, AStopEndsIt) {
  WriteTree(disk_, "snapshot", first_);
  test_.stop.request_stop();
  EXPECT_EQ(CodeOf(MakeAgain().status()), FaultCode::kStopped);
  EXPECT_THAT(ValueOf(ListBackups(*store_)), IsEmpty());
}

// Every operation fails once, and the power is lost behind it: what was a backup before stays one,
// and what is listed can be restored.
TEST(BackupFaultTest, WhateverFailsWhatIsABackupCanBeRestored) {
  const Contents first = {{"VERSION", "1"}, {"kv/1.sst", "one"}, {"kv/2.sst", "two"}};
  const Contents second = {{"VERSION", "1"}, {"kv/2.sst", "two"}, {"kv/3.sst", "three"}};
  int failures = 0;
  for (int nth = 1;; ++nth) {
    os::MemoryDisk memory;
    os::FaultyDisk disk(memory);
    TestContext test;
    const Context context = test.context();
    const auto make = [&](os::Disk& on, const Contents& contents, int keep) {
      const auto store = MakeDirectoryStore(on, "backups");
      test.clock.Advance(kDay);
      WriteTree(memory, "snapshot", contents);
      return MakeBackup(context, on, *store, {"snapshot", "0.1.0", keep, 1});
    };
    const std::string first_id = ValueOf(make(memory, first, 0)).head.id;
    disk.Arm({.operations = os::WritingOperations(), .nth = nth});
    const auto made = make(disk, second, nth % 2);
    if (!disk.fired()) break;
    ++failures;
    memory.Crash(static_cast<uint64_t>(nth));
    const auto store = MakeDirectoryStore(memory, "backups");
    const auto ids = ValueOf(ListBackups(*store));
    ASSERT_FALSE(ids.empty()) << nth;
    for (const std::string& id : ids) {
      ValueOf(Restore(context, memory, *store, {id, "of-" + id, 1}));
      EXPECT_EQ(TreeOf(memory, "of-" + id), id == first_id ? first : second) << nth;
    }
    if (made.ok()) {
      EXPECT_EQ(ids.back(), made->head.id);
    }
    ValueOf(make(memory, second, 0));  // and the next one is
    EXPECT_THAT(Restore(context, memory, *store, {}).status(), IsOk());
  }
  EXPECT_GT(failures, 20);
}

TEST(BackupFaultTest, AnInterruptedRestoreIsRunAgain) {
  const Contents contents = {{"VERSION", "1"}, {"d1/1/history/a", "a"}, {"kv/1.sst", "one"}};
  int failures = 0;
  for (int nth = 1;; ++nth) {
    os::MemoryDisk memory;
    os::FaultyDisk disk(memory);
    TestContext test;
    const Context context = test.context();
    const auto store = MakeDirectoryStore(memory, "backups");
    WriteTree(memory, "snapshot", contents);
    ValueOf(MakeBackup(context, memory, *store, {"snapshot", "0.1.0"}));
    disk.Arm({.operations = os::WritingOperations(), .nth = nth});
    const auto done = Restore(context, disk, *store, {"", "restored", 1});
    if (!disk.fired()) break;
    ++failures;
    memory.Crash(static_cast<uint64_t>(nth));
    if (ValueOf(memory.Stat("restored/VERSION"))) {
      Contents found = TreeOf(memory, "restored");
      found.erase(".restoring");
      EXPECT_EQ(found, contents) << nth;  // a daemon would open it
    } else {
      EXPECT_FALSE(done.ok()) << nth;
      ValueOf(Restore(context, memory, *store, {"", "restored", 1}));
      EXPECT_EQ(TreeOf(memory, "restored"), contents) << nth;
    }
  }
  EXPECT_GT(failures, 10);
}

}  // namespace
}  // namespace levada::backup
