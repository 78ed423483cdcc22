#include "places/local_place.h"

#include <arrow/buffer.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "base/counters.h"
#include "os/memory_disk.h"
#include "os/temporary_directory.h"
#include "places/sha256.h"

namespace levada::places {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LocalPlaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ctx_.counters = &counters_;
    place_ = MakeLocalPlace(*disk_, root_ / "set");
  }

  StagedFile StageText(const std::string& path, const std::string& text) {
    auto file = place_->Stage(ctx_, path, "t1").ValueOrDie();
    EXPECT_TRUE(file->Write(text.data(), static_cast<int64_t>(text.size())).ok());
    return file->Seal().ValueOrDie();
  }

  std::vector<std::string> Names(const std::string& directory) {
    std::vector<std::string> names;
    const auto entries = place_->List(ctx_, directory).ValueOrDie();
    for (const PlaceEntry& entry : entries) names.push_back(entry.name);
    return names;
  }

  os::TemporaryDirectory root_;
  Counters counters_;
  Context ctx_;
  std::unique_ptr<os::Disk> disk_ = os::MakeSystemDisk();
  std::unique_ptr<Place> place_;
};

// As a process leaves it that died between making "/lake/made" and syncing "/lake".
std::unique_ptr<os::MemoryDisk> DiskWithUnsyncedDirectory() {
  auto disk = std::make_unique<os::MemoryDisk>();
  EXPECT_TRUE(disk->CreateDirectories("/lake").ok());
  EXPECT_TRUE(disk->CreateDirectories("/made/below").ok());
  EXPECT_TRUE(disk->Rename("/made", "/lake/made").ok());
  return disk;
}

TEST(LocalPlace, APublishedFileLastsInADirectoryThatADeadProcessMade) {
  const auto disk = DiskWithUnsyncedDirectory();
  Counters counters;
  Context ctx;
  ctx.counters = &counters;
  const auto place = MakeLocalPlace(*disk, "/lake");
  auto file = place->Stage(ctx, "made/below/a.parquet", "t1").ValueOrDie();
  ASSERT_TRUE(file->Write("hello", 5).ok());
  const StagedFile staged = file->Seal().ValueOrDie();
  ASSERT_TRUE(place->Publish(ctx, staged.staged, "made/below/a.parquet").ok());
  const std::vector<std::string> published = {"made/below/a.parquet"};
  ASSERT_TRUE(place->Settle(ctx, published).ok());
  disk->Crash(0);
  EXPECT_EQ(place->Size(ctx, "made/below/a.parquet").ValueOrDie(), 5);
}

TEST(LocalPlace, ARecordLastsInADirectoryThatADeadProcessMade) {
  const auto disk = DiskWithUnsyncedDirectory();
  Context ctx;
  const auto place = MakeLocalPlace(*disk, "/lake");
  ASSERT_TRUE(place->WriteRecord(ctx, "made/below/r.json", "{}", Expectation::Anything()).ok());
  disk->Crash(0);
  const auto record = place->ReadRecord(ctx, "made/below/r.json", 100).ValueOrDie();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->content, "{}");
}

TEST_F(LocalPlaceTest, StagesBesideTheFinalNameAndPublishesByRename) {
  const StagedFile staged = StageText("day=1/a.parquet", "hello");
  EXPECT_EQ(staged.staged, "day=1/.levada-t1-a.parquet.staged");
  EXPECT_EQ(staged.bytes, 5);
  EXPECT_EQ(staged.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  EXPECT_THAT(Names("day=1"), ElementsAre(".levada-t1-a.parquet.staged"));
  ASSERT_TRUE(place_->Publish(ctx_, staged.staged, "day=1/a.parquet").ok());
  const std::vector<std::string> published = {"day=1/a.parquet"};
  ASSERT_TRUE(place_->Settle(ctx_, published).ok());
  EXPECT_THAT(Names("day=1"), ElementsAre("a.parquet"));
  EXPECT_EQ(place_->Size(ctx_, "day=1/a.parquet").ValueOrDie(), 5);
}

TEST_F(LocalPlaceTest, HashesSmallAndLargePiecesInOrder) {
  std::string all;
  auto file = place_->Stage(ctx_, "x", "t").ValueOrDie();
  for (int i = 0; i < 200; ++i) {
    const std::string piece(i % 7 == 0 ? 100'000 : 1 + i, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(file->Write(piece.data(), static_cast<int64_t>(piece.size())).ok());
    all += piece;
    ASSERT_EQ(file->Tell().ValueOrDie(), static_cast<int64_t>(all.size()));
  }
  ASSERT_TRUE(file->Close().ok());
  const StagedFile staged = file->Seal().ValueOrDie();
  EXPECT_EQ(staged.sha256, Sha256Of(all).ValueOrDie());
  EXPECT_EQ(counters_.bytes_written.load(), static_cast<int64_t>(all.size()));
  auto reader = place_->Open(ctx_, staged.staged).ValueOrDie();
  EXPECT_EQ(reader->ReadAt(0, staged.bytes).ValueOrDie()->ToString(), all);
  ASSERT_TRUE(reader->Seek(3).ok());
  EXPECT_EQ(reader->Read(4).ValueOrDie()->ToString(), all.substr(3, 4));
  EXPECT_EQ(reader->Tell().ValueOrDie(), 7);
  EXPECT_EQ(reader->ReadAt(staged.bytes - 1, 10).ValueOrDie()->size(), 1);
}

TEST_F(LocalPlaceTest, LeavesNothingOfAFileThatWasNotSealed) {
  {
    auto file = place_->Stage(ctx_, "x", "t").ValueOrDie();
    ASSERT_TRUE(file->Write("abc", 3).ok());
    EXPECT_THAT(Names(""), ElementsAre(".levada-t-x.staged"));
  }
  EXPECT_THAT(Names(""), IsEmpty());
}

TEST_F(LocalPlaceTest, PrunesEmptyDirectoriesUpToTheFirstThatIsNot) {
  const StagedFile staged = StageText("day=1/country=DE/a", "x");
  StageText("day=1/b", "x");
  ASSERT_TRUE(place_->Remove(ctx_, staged.staged).ok());
  ASSERT_TRUE(place_->Prune(ctx_, "day=1/country=DE").ok());
  EXPECT_THAT(Names("day=1"), ElementsAre(".levada-t1-b.staged"));
  const std::vector<std::string> gone = {"day=1/country=DE/a"};
  EXPECT_TRUE(place_->Settle(ctx_, gone).ok()) << "a pruned directory needs no sync";
}

TEST_F(LocalPlaceTest, ReadsWhatIsAbsentAsNothing) {
  EXPECT_EQ(place_->Size(ctx_, "a").ValueOrDie(), std::nullopt);
  EXPECT_EQ(place_->ReadRecord(ctx_, "a", 100).ValueOrDie().has_value(), false);
  EXPECT_THAT(Names("a/b"), IsEmpty());
  EXPECT_EQ(CodeOf(place_->Open(ctx_, "a").status()), FaultCode::kTargetFileMissing);
  EXPECT_TRUE(place_->Remove(ctx_, "a").ok());
  StageText("here", "x");
  EXPECT_EQ(CodeOf(place_->Publish(ctx_, ".levada-gone-a", "a")), FaultCode::kTargetFileMissing);
}

TEST_F(LocalPlaceTest, ReplacesRecordsOnlyWhenTheyAreAsExpected) {
  ASSERT_TRUE(place_->WriteRecord(ctx_, "r/a.json", "one", Expectation::Absent()).ok());
  EXPECT_EQ(CodeOf(place_->WriteRecord(ctx_, "r/a.json", "two", Expectation::Absent())),
            FaultCode::kFenced);
  const Record one = place_->ReadRecord(ctx_, "r/a.json", 100).ValueOrDie().value();
  EXPECT_EQ(one.content, "one");
  ASSERT_TRUE(place_->WriteRecord(ctx_, "r/a.json", "two", Expectation::Tag(one.tag)).ok());
  EXPECT_EQ(CodeOf(place_->WriteRecord(ctx_, "r/a.json", "three", Expectation::Tag(one.tag))),
            FaultCode::kFenced);
  ASSERT_TRUE(place_->WriteRecord(ctx_, "r/a.json", "four", Expectation::Anything()).ok());
  EXPECT_EQ(place_->ReadRecord(ctx_, "r/a.json", 4).ValueOrDie()->content, "four");
  EXPECT_EQ(CodeOf(place_->ReadRecord(ctx_, "r/a.json", 3).status()), FaultCode::kTargetIo);
  EXPECT_THAT(Names("r"), ElementsAre("a.json"));
}

TEST_F(LocalPlaceTest, GivesALockToOneHolderAndKeepsItsText) {
  auto first = place_->TryLock(ctx_, "r/a.lock").ValueOrDie();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->Read(ctx_).ValueOrDie(), "");
  ASSERT_TRUE(first->Write(ctx_, "generation one").ok());
  ASSERT_TRUE(first->Write(ctx_, "two").ok());
  EXPECT_EQ(place_->TryLock(ctx_, "r/a.lock").ValueOrDie(), nullptr);
  first.reset();
  const auto second = place_->TryLock(ctx_, "r/a.lock").ValueOrDie();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->Read(ctx_).ValueOrDie(), "two");
}

TEST_F(LocalPlaceTest, SaysThatATargetCannotBeWritten) {
  std::ofstream(root_ / "set") << "a file where the root should be";
  EXPECT_FALSE(place_->Stage(ctx_, "a", "t").ok());
  EXPECT_FALSE(place_->TryLock(ctx_, "a.lock").ok());
}

TEST(LocalPathOf, TakesPathsAndFileUrls) {
  EXPECT_EQ(LocalPathOf("./lake/a").ValueOrDie(), "./lake/a");
  EXPECT_EQ(LocalPathOf("file:///lake/a%20b").ValueOrDie(), "/lake/a b");
  EXPECT_EQ(LocalPathOf("./~").ValueOrDie(), "./~");
  EXPECT_EQ(LocalPathOf("/a%20b").ValueOrDie(), "/a%20b") << "a path is taken as it is";
}

TEST(LocalPathOf, RefusesOtherLocations) {
  for (const char* location : {"", "~", "~/lake", "s3://bucket/a", "file://host/a", "file:///a%2",
                               "file:///a%zz", "file:///a%00b"}) {
    EXPECT_EQ(CodeOf(LocalPathOf(location).status()), FaultCode::kBadValue) << location;
  }
}

TEST(Sha256, HashesTheEmptyText) {
  EXPECT_EQ(Sha256Of("").ValueOrDie(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace levada::places
