#include "db/rocksdb/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <set>
#include <thread>

#include "base/testing.h"
#include "db/rocksdb/committer.h"
#include "db/rocksdb/faulty_files.h"
#include "os/temporary_directory.h"

namespace levada::db::rocks {
namespace {

using testing::ElementsAre;

class StoreTest : public testing::Test {
 protected:
  StoreOptions Options() {
    StoreOptions options;
    options.path = directory_ / "store";
    options.families = {{.name = "a"}, {.name = "b", .blob_bytes_min = 1000}};
    return options;
  }
  std::unique_ptr<Store> Open() { return ValueOf(Store::Open(Options())); }
  static void Put(Store& store, const std::string& key, const std::string& value) {
    Batch batch;
    batch.Put(0, key, value);
    EXPECT_THAT(store.Write({&batch}), IsOk());
  }
  StoreOptions Killed() {
    StoreOptions options = Options();
    options.path = directory_ / "killed";
    return options;
  }
  /// The directory of Killed(): of a store whose process ended in the middle of things.
  std::string FillAndKill() {
    const auto store = Open();
    for (int i = 0; i < 200; ++i) Put(*store, "key" + std::to_string(i), std::string(100, 'v'));
    std::filesystem::copy(directory_ / "store", directory_ / "killed");
    return directory_ / "killed";
  }
  static std::string Newest(const std::string& directory, const std::string& extension) {
    std::string found;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (entry.path().extension() == extension) found = std::max(found, entry.path().string());
    }
    return found;
  }
  static std::string LogFile(const std::string& directory) { return Newest(directory, ".log"); }
  /// Done twice it is undone.
  static void DamageTheMiddleOf(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(std::filesystem::file_size(path) / 2);
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 0x10));
  }

  os::TemporaryDirectory directory_;
};

std::vector<std::string> Keys(const Store& store, std::string_view begin, const std::string& end) {
  std::vector<std::string> keys;
  const auto at = store.MakeCursor(0, begin, end);
  for (; at->Valid(); at->Next()) keys.emplace_back(at->key());
  EXPECT_THAT(at->status(), IsOk());
  return keys;
}

TEST_F(StoreTest, KeepsWhatWasWrittenOverARestart) {
  const std::string blob(100'000, 'x');
  {
    const auto store = Open();
    Batch batch;
    batch.Put(0, "key", "value");
    batch.Put(1, "key", blob);
    batch.Put(0, "gone", "value");
    batch.Delete(0, "gone");
    EXPECT_THAT(store->Write({&batch}), IsOk());
  }
  const auto store = Open();
  EXPECT_EQ(ValueOf(store->Get(0, "key")), "value");
  EXPECT_EQ(ValueOf(store->Get(1, "key")), blob);
  EXPECT_EQ(ValueOf(store->Get(0, "gone")), std::nullopt);
}

TEST_F(StoreTest, OneThatIsOnlyReadMayLackAFamily) {
  Put(*Open(), "k", "v");
  StoreOptions options = Options();
  options.families.push_back({.name = "of a later version"});
  options.is_read_only = true;
  const auto store = ValueOf(Store::Open(options));
  EXPECT_EQ(ValueOf(store->Get(0, "k")), "v");
  EXPECT_EQ(ValueOf(store->Get(2, "k")), std::nullopt);
  EXPECT_FALSE(store->MakeCursor(2, "", "")->Valid());
  EXPECT_THAT(store->MakeCursor(2, "", "")->status(), IsOk());
}

TEST_F(StoreTest, ACursorStaysBetweenItsBounds) {
  const auto store = Open();
  for (const char* key : {"a", "b1", "b2", "c"}) Put(*store, key, "v");
  EXPECT_THAT(Keys(*store, "b", "c"), ElementsAre("b1", "b2"));
  EXPECT_THAT(Keys(*store, "", ""), ElementsAre("a", "b1", "b2", "c"));
  EXPECT_THAT(Keys(*store, "b2", PrefixEnd("b")), ElementsAre("b2"));
}

TEST_F(StoreTest, ARangeIsDeleted) {
  const auto store = Open();
  for (const char* key : {"a", "b1", "b2", "c"}) Put(*store, key, "v");
  Batch batch;
  batch.DeleteRange(0, "b", "c");
  EXPECT_THAT(store->Write({&batch}), IsOk());
  EXPECT_THAT(Keys(*store, "", ""), ElementsAre("a", "c"));
}

TEST_F(StoreTest, AViewIsOfOneMoment) {
  const auto store = Open();
  Put(*store, "key", "before");
  const View view = store->MakeView();
  Put(*store, "key", "after");
  EXPECT_EQ(ValueOf(view.Get(0, "key")), "before");
  EXPECT_EQ(ValueOf(store->Get(0, "key")), "after");
}

TEST_F(StoreTest, WhatIsInMemoryIsKnown) {
  const auto store = Open();
  Put(*store, "key", "value");
  EXPECT_EQ(ValueOf(store->GetCached(0, "key")).value, "value");
  const CachedRead absent = ValueOf(store->GetCached(0, "other"));
  EXPECT_TRUE(absent.known);
  EXPECT_EQ(absent.value, std::nullopt);
  EXPECT_TRUE(store->MayHave(0, "key"));
  EXPECT_FALSE(store->MayHave(0, "other"));
}

TEST_F(StoreTest, WhatIsNotInMemoryIsNotGuessed) {
  {
    const auto store = Open();
    Put(*store, "key", "value");
    EXPECT_THAT(store->Flush(), IsOk());
  }
  const auto store = Open();
  EXPECT_FALSE(ValueOf(store->GetCached(0, "key")).known);
  EXPECT_EQ(ValueOf(store->Get(0, "key")), "value");
  EXPECT_EQ(ValueOf(store->GetCached(0, "key")).value, "value") << "now it is";
}

TEST_F(StoreTest, ASecondOpeningIsRefused) {
  const auto store = Open();
  EXPECT_THAT(Store::Open(Options()), FailsWith(FaultCode::kLeaseHeld));
}

/// Hears which directories are synced.
class SyncedDirectories final : public rocksdb::FileSystemWrapper {
 public:
  SyncedDirectories() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "levada.SyncedDirectories"; }
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus status = FileSystemWrapper::NewDirectory(name, options, result, debug);
    if (status.ok()) *result = std::make_unique<Heard>(std::move(*result), name, names);
    return status;
  }
  std::shared_ptr<std::set<std::string>> names = std::make_shared<std::set<std::string>>();

 private:
  class Heard final : public rocksdb::FSDirectoryWrapper {
   public:
    Heard(std::unique_ptr<rocksdb::FSDirectory> directory, std::string name,
          std::shared_ptr<std::set<std::string>> names)
        : FSDirectoryWrapper(std::move(directory)),
          name_(std::move(name)),
          names_(std::move(names)) {}
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
      names_->insert(name_);
      return FSDirectoryWrapper::Fsync(options, debug);
    }
    rocksdb::IOStatus FsyncWithDirOptions(const rocksdb::IOOptions& options,
                                          rocksdb::IODebugContext* debug,
                                          const rocksdb::DirFsyncOptions& more) override {
      names_->insert(name_);
      return FSDirectoryWrapper::FsyncWithDirOptions(options, debug, more);
    }

   private:
    std::string name_;
    std::shared_ptr<std::set<std::string>> names_;
  };
};

TEST_F(StoreTest, ItsNameIsSyncedInItsParent) {
  const auto files = std::make_shared<SyncedDirectories>();
  StoreOptions options = Options();
  options.files = files;
  for (int i = 0; i < 2; ++i) {
    files->names->clear();
    ASSERT_THAT(Store::Open(options), IsOk());
    EXPECT_TRUE(files->names->contains(directory_.path())) << "opening " << i;
  }
}

TEST_F(StoreTest, ALogThatIsDamagedInItsMiddleIsRefused) {
  DamageTheMiddleOf(LogFile(FillAndKill()));
  EXPECT_THAT(Store::Open(Killed()), FailsWith(FaultCode::kStoreDamaged));
}

TEST_F(StoreTest, ADamagedOneStaysClosedWhenThatIsAskedFor) {
  const std::string log = LogFile(FillAndKill());
  DamageTheMiddleOf(log);
  const auto store = ValueOf(Store::OpenOrStayClosed(Killed()));
  EXPECT_THAT(store->closed_because(), FailsWith(FaultCode::kStoreDamaged));
  EXPECT_THAT(store->Get(0, "key0"), FailsWith(FaultCode::kStoreDamaged));
  EXPECT_THAT(store->GetCached(0, "key0"), FailsWith(FaultCode::kStoreDamaged));
  EXPECT_TRUE(store->MayHave(0, "key0")) << "nobody knows that it is absent";
  EXPECT_THAT(store->MakeView().Get(0, "key0"), FailsWith(FaultCode::kStoreDamaged));
  EXPECT_THAT(store->MakeCursor(0, "", "")->status(), FailsWith(FaultCode::kStoreDamaged));
  EXPECT_THAT(store->Flush(), FailsWith(FaultCode::kStoreDamaged));
  Batch batch;
  batch.Put(0, "key", "value");
  EXPECT_THAT(store->Write({&batch}), FailsWith(FaultCode::kStoreDamaged));
  DamageTheMiddleOf(log);  // back to what it was
  EXPECT_THAT(store->Reopen(), IsOk());
  EXPECT_THAT(store->closed_because(), IsOk());
  EXPECT_EQ(ValueOf(store->Get(0, "key199")), std::string(100, 'v'));
}

TEST_F(StoreTest, ATornLastRecordIsDropped) {
  const std::string log = LogFile(FillAndKill());
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 3);
  const auto store = ValueOf(Store::Open(Killed()));
  EXPECT_EQ(ValueOf(store->Get(0, "key198")), std::string(100, 'v'));
  EXPECT_EQ(ValueOf(store->Get(0, "key199")), std::nullopt);
}

TEST_F(StoreTest, WhatIsClosedLeavesNoLogToReplay) {
  {
    const auto store = Open();
  }
  const auto full = [this] { return std::filesystem::file_size(LogFile(directory_ / "store")); };
  EXPECT_EQ(full(), 0U);
  Put(*Open(), "key", "value");
  EXPECT_EQ(full(), 0U);
  EXPECT_EQ(ValueOf(Open()->Get(0, "key")), "value");
}

TEST_F(StoreTest, ADamagedTableHarmsOnlyWhoReadsIt) {
  std::vector<std::string> heard;
  StoreOptions options = Options();
  options.on_damage = [&heard](const std::string& what) { heard.push_back(what); };
  for (int i = 0; i < 4; ++i) {
    const auto store = ValueOf(Store::Open(options));
    for (int n = 0; n < 100; ++n) {
      Put(*store, "key" + std::to_string(100 * i + n), std::string(1000, 'v'));
    }
  }
  DamageTheMiddleOf(Newest(directory_ / "store", ".sst"));
  const auto store = ValueOf(Store::Open(options));
  // Four tables are what a compaction waits for.
  Put(*store, "new", "value");
  EXPECT_THAT(store->Flush(), IsOk());
  EXPECT_THAT(store->Compact(), FailsWith(FaultCode::kStoreDamaged));
  Put(*store, "newer", "value");
  EXPECT_EQ(ValueOf(store->Get(0, "key0")), std::string(1000, 'v'));
  EXPECT_EQ(ValueOf(store->Get(0, "newer")), "value");
  int damaged = 0;
  for (int n = 300; n < 400; ++n) damaged += store->Get(0, "key" + std::to_string(n)).ok() ? 0 : 1;
  EXPECT_GT(damaged, 0);
  EXPECT_LT(damaged, 10);
  EXPECT_THAT(store->closed_because(), IsOk());
  ASSERT_FALSE(heard.empty());
  EXPECT_THAT(heard[0], testing::HasSubstr(".sst"));
}

TEST_F(StoreTest, ACompactionForgetsWhatIsDead) {
  StoreOptions options = Options();
  options.families[0].is_dead = [](std::string_view key, std::optional<std::string_view>) {
    return key.starts_with("dead");
  };
  const auto store = ValueOf(Store::Open(options));
  Put(*store, "dead", "v");
  Put(*store, "live", "v");
  EXPECT_THAT(store->Compact(), IsOk());
  EXPECT_THAT(Keys(*store, "", ""), ElementsAre("live"));
}

TEST(PrefixEnd, IsTheFirstKeyBehind) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd(std::string("a\xff", 2)), "b");
  EXPECT_EQ(PrefixEnd("\xff\xff"), "");
  EXPECT_EQ(PrefixEnd(""), "");
}

// ---- the committer

class CommitterTest : public StoreTest {
 protected:
  static std::future<Status> Submit(Committer& committer, const std::string& key,
                                    const std::string& value) {
    auto promise = std::make_shared<std::promise<Status>>();
    Batch batch;
    batch.Put(0, key, value);
    EXPECT_TRUE(committer.Submit(std::move(batch),
                                 [promise](const Status& status) { promise->set_value(status); }));
    return promise->get_future();
  }

  std::unique_ptr<Logger> log_ = MakeNullLogger();
};

TEST_F(CommitterTest, WritesInTheOrderOfSubmission) {
  const auto store = Open();
  Committer committer(*store, {}, *log_);
  std::vector<std::future<Status>> written;
  for (int i = 0; i < 1000; ++i) written.push_back(Submit(committer, "key", std::to_string(i)));
  for (auto& each : written) EXPECT_THAT(each.get(), IsOk());
  EXPECT_EQ(ValueOf(store->Get(0, "key")), "999");
}

TEST_F(CommitterTest, EndsWhatItTook) {
  const auto store = Open();
  std::vector<std::future<Status>> written;
  {
    Committer committer(*store, {}, *log_);
    for (int i = 0; i < 100; ++i) {
      written.push_back(Submit(committer, std::to_string(i), "v"));
    }
  }
  for (auto& each : written) EXPECT_THAT(each.get(), IsOk());
  EXPECT_EQ(Keys(*store, "", "").size(), 100U);
}

TEST_F(CommitterTest, ManyThatWriteAgainAndAgainShareTheirSyncs) {
  constexpr int kWriters = 32;
  const auto clock = MakeSystemClock();
  const auto store = Open();
  CommitterOptions options;
  options.clock = clock.get();
  Committer committer(*store, options, *log_);
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&committer, writer] {
        for (int i = 0; i < 50; ++i) {
          EXPECT_THAT(
              Submit(committer, std::to_string(writer) + "/" + std::to_string(i), "v").get(),
              IsOk());
        }
      });
    }
  }
  const CommitterCounts counts = committer.counts();
  EXPECT_EQ(counts.batches, 50U * kWriters);
  EXPECT_LT(counts.groups, counts.batches / 8) << "groups of a quarter of them, on the average";
}

TEST_F(CommitterTest, RefusesWhatIsTooMuch) {
  const auto store = Open();
  std::promise<void> go;
  std::shared_future<void> gate = go.get_future().share();
  Committer committer(*store, {.waiting_max = 2}, *log_);
  const auto submit = [&](const std::string& key) {
    Batch batch;
    batch.Put(0, key, "v");
    return committer.Submit(std::move(batch), [gate](const Status&) { gate.wait(); });
  };
  // The first is being answered, and holds up the rest until the gate opens.
  ASSERT_TRUE(submit("a"));
  int taken = 0;
  while (taken < 10 && submit(std::to_string(taken))) ++taken;
  EXPECT_LE(taken, 5);
  go.set_value();
}

// Every write, sync and rename of a piece of work fails once; whatever was acknowledged is there.
TEST_F(CommitterTest, NothingAcknowledgedIsLostWhereverTheDiskFails) {
  for (const Damage damage : {Damage::kIo, Damage::kNoSpace, Damage::kShortWrite}) {
    bool fired = true;
    for (int64_t nth = 1; fired; ++nth) {
      ASSERT_LT(nth, 500) << "the sweep does not end";
      const os::TemporaryDirectory directory;
      auto files = std::make_shared<FaultyFiles>();
      StoreOptions options = Options();
      options.path = directory / "store";
      options.files = files;
      std::map<std::string, std::string> acknowledged;
      {
        auto opened = Store::Open(options);
        ASSERT_THAT(opened, IsOk());
        Committer committer(**opened, {}, *log_);
        files->FailNth(nth, damage);
        for (int i = 0; i < 8; ++i) {
          const std::string key = std::to_string(i);
          if (Submit(committer, key, "value " + key).get().ok()) acknowledged[key] = "value " + key;
        }
        EXPECT_GE(acknowledged.size(), 6U) << "one failure costs one write, at most two";
      }
      fired = files->fired();  // the closing is part of it
      options.files = nullptr;
      const auto store = ValueOf(Store::Open(options));
      for (const auto& [key, value] : acknowledged) {
        EXPECT_EQ(ValueOf(store->Get(0, key)), value) << "failure " << nth << ", key " << key;
      }
    }
  }
}

TEST_F(CommitterTest, AChainedOneFailsWhatWaitsBehindAFailureUntilItIsMended) {
  auto files = std::make_shared<FaultyFiles>();
  StoreOptions options = Options();
  options.files = files;
  const auto store = ValueOf(Store::Open(options));
  std::promise<void> entered;
  std::promise<void> release;
  CommitterOptions chained;
  chained.is_chained = true;
  // While the first one fails the second comes to wait.
  chained.on_failure = [&](const Status&) {
    entered.set_value();
    release.get_future().wait();
  };
  Committer committer(*store, chained, *log_);
  files->FailNth(1, Damage::kIo);
  auto first = Submit(committer, "a", "1");
  entered.get_future().wait();
  auto second = Submit(committer, "b", "2");
  release.set_value();
  EXPECT_FALSE(first.get().ok());
  EXPECT_FALSE(second.get().ok());
  Batch batch;
  batch.Put(0, "c", "3");
  EXPECT_FALSE(committer.Submit(batch, [](const Status&) {}));
  EXPECT_FALSE(committer.HasRoomFor(1));
  committer.Mend();
  EXPECT_TRUE(committer.HasRoomFor(1));
  EXPECT_THAT(Submit(committer, "d", "4").get(), IsOk());
  EXPECT_EQ(ValueOf(store->Get(0, "b")), std::nullopt);
  EXPECT_EQ(ValueOf(store->Get(0, "d")), "4");
}

TEST_F(CommitterTest, AFullDiskIsReadAndWrittenAgainWhenThereIsRoom) {
  auto files = std::make_shared<FaultyFiles>();
  StoreOptions options = Options();
  options.files = files;
  const auto store = ValueOf(Store::Open(options));
  Committer committer(*store, {}, *log_);
  EXPECT_THAT(Submit(committer, "before", "v").get(), IsOk());
  files->FillDisk(true);
  EXPECT_THAT(Submit(committer, "during", "v").get(), FailsWith(FaultCode::kDiskFull));
  files->FillDisk(false);
  EXPECT_THAT(Submit(committer, "after", "v").get(), IsOk());
  EXPECT_EQ(ValueOf(store->Get(0, "before")), "v");
  EXPECT_EQ(ValueOf(store->Get(0, "after")), "v");
}

TEST_F(StoreTest, ACheckpointIsAStoreOfItsOwn) {
  const auto store = Open();
  const std::string blob(100'000, 'x');
  Batch batch;
  batch.Put(1, "blob", blob);
  ASSERT_THAT(store->Write({&batch}), IsOk());
  for (int i = 0; i < 100; ++i) Put(*store, "key" + std::to_string(i), "before");
  ASSERT_THAT(store->Checkpoint(directory_ / "copy"), IsOk());
  EXPECT_FALSE(store->Checkpoint(directory_ / "copy").ok()) << "there is one";
  for (int i = 0; i < 100; ++i) Put(*store, "key" + std::to_string(i), "after");
  Batch removed;
  removed.Delete(1, "blob");
  ASSERT_THAT(store->Write({&removed}), IsOk());
  ASSERT_THAT(store->Compact(), IsOk());
  StoreOptions options = Options();
  options.path = directory_ / "copy";
  const auto copy = ValueOf(Store::Open(options));
  EXPECT_EQ(ValueOf(copy->Get(0, "key7")), "before");
  EXPECT_EQ(ValueOf(copy->Get(1, "blob")), blob);
  Put(*copy, "key7", "another");
  EXPECT_EQ(ValueOf(store->Get(0, "key7")), "after");
}

TEST_F(StoreTest, AClosedStoreIsCopiedWithItsLog) {
  const std::string killed = FillAndKill();
  const auto disk = os::MakeSystemDisk();
  ASSERT_THAT(CopyClosedStore(*disk, killed, directory_ / "copy"), IsOk());
  StoreOptions options = Options();
  options.path = directory_ / "copy";
  const auto copy = ValueOf(Store::Open(options));
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(ValueOf(copy->Get(0, "key" + std::to_string(i))), std::string(100, 'v'));
  }
  ASSERT_THAT(copy->Compact(), IsOk());
  const auto origin = ValueOf(Store::Open(Killed()));
  EXPECT_EQ(ValueOf(origin->Get(0, "key199")), std::string(100, 'v'));
}

}  // namespace
}  // namespace levada::db::rocks
