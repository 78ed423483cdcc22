#include "elt/ledger.h"

#include <gtest/gtest.h>

#include "elt/fake_stages.h"
#include "os/temporary_directory.h"

namespace levada::elt {
namespace {

class LedgerTest : public testing::Test {
 protected:
  std::unique_ptr<Ledger> Open() {
    auto ledger = Ledger::Open(here.ctx, *disk, directory.path());
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    return std::move(ledger).ValueOr(nullptr);
  }
  static LedgerRun Published() {
    return {"orders", "2026-01-01", "published", "aa", 1, 3, 3, 100, 4, 4096, "t0", "t1", ""};
  }

  fake::Surroundings here;
  std::unique_ptr<os::Disk> disk = os::MakeSystemDisk();
  os::TemporaryDirectory directory;
};

TEST_F(LedgerTest, KeepsRunsOverAReopen) {
  ASSERT_TRUE(Open()->PutRun(here.ctx, Published()).ok());
  auto runs = Open()->Runs("orders");
  ASSERT_TRUE(runs.ok());
  ASSERT_EQ(runs->size(), 1u);
  EXPECT_EQ(runs->front(), Published());
  EXPECT_TRUE(Open()->Runs("other")->empty());
  EXPECT_EQ(Open()->Runs("")->size(), 1u);
}

TEST_F(LedgerTest, ARunIsKeptOnceAndUpdated) {
  auto ledger = Open();
  LedgerRun run = Published();
  run.state = "running";
  ASSERT_TRUE(ledger->PutRun(here.ctx, run).ok());
  ASSERT_TRUE(ledger->PutRun(here.ctx, Published()).ok());
  EXPECT_EQ(ledger->Runs("orders")->size(), 1u);
  EXPECT_EQ(ledger->Runs("orders")->front().state, "published");
}

TEST_F(LedgerTest, ADamagedFileIsPutAsideAndBegunAnew) {
  ASSERT_TRUE(os::WriteFileDurably(*disk, directory / "ledger.db",
                                   "this is not a database, "
                                   "not even a small one")
                  .ok());
  auto ledger = Open();
  ASSERT_NE(ledger, nullptr);
  EXPECT_TRUE(ledger->Runs("")->empty());
  bool aside = false;
  auto entries = disk->List(directory.path());
  for (const auto& entry : *entries) {
    aside |= entry.name.starts_with("ledger.db.damaged-");
  }
  EXPECT_TRUE(aside);
}

TEST_F(LedgerTest, ATruncatedFileIsPutAside) {
  {
    auto ledger = Open();
    for (int i = 0; i < 200; ++i) {
      LedgerRun run = Published();
      run.label = std::to_string(i);
      ASSERT_TRUE(ledger->PutRun(here.ctx, run).ok());
    }
  }
  const std::string path = directory / "ledger.db";
  auto content = os::ReadFile(*disk, path, 1 << 20);
  ASSERT_TRUE(content.ok() && content->has_value());
  ASSERT_TRUE(
      os::WriteFileDurably(*disk, path, (*content)->substr(0, (*content)->size() / 2)).ok());
  ASSERT_NE(Open(), nullptr);
}

TEST_F(LedgerTest, RebuildReplacesWhatIsKnownByWhatTheTargetSays) {
  auto ledger = Open();
  ASSERT_TRUE(ledger->PutRun(here.ctx, Published()).ok());
  LedgerRun foreign = Published();
  foreign.pipeline = "other";
  ASSERT_TRUE(ledger->PutRun(here.ctx, foreign).ok());
  PublishedRun finished;
  finished.pipeline = "orders";
  finished.label = "2026-01-02";
  finished.finished = true;
  finished.rows = 7;
  PublishedRun begun;
  begun.pipeline = "orders";
  begun.label = "2026-01-03";
  begun.pending.emplace();
  begun.pending->partitions.resize(4);
  begun.partitions.push_back({"p0000", "a", 1, 0, {}});
  ASSERT_TRUE(ledger->Rebuild(here.ctx, "orders", {finished, begun}).ok());
  auto runs = *ledger->Runs("orders");
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].label, "2026-01-02");
  EXPECT_EQ(runs[0].state, "published");
  EXPECT_EQ(runs[1].state, "running");
  EXPECT_EQ(runs[1].partitions_done, 1);
  EXPECT_EQ(runs[1].partitions_total, 4);
  EXPECT_EQ(ledger->Attempts("orders", "2026-01-03")->size(), 1u);
  EXPECT_EQ(ledger->Runs("other")->size(), 1u);
}

TEST_F(LedgerTest, APlaceThatCannotBeWrittenIsNoFaultOfTheLedger) {
  auto ledger = Ledger::Open(here.ctx, *disk, "/proc/self");
  ASSERT_FALSE(ledger.ok());
  EXPECT_EQ(CodeOf(ledger.status()), FaultCode::kTargetUnwritable);
  EXPECT_NE(FaultOf(ledger.status()).help().find("--state"), std::string::npos);
}

TEST_F(LedgerTest, ADirectoryThatCannotBeMadeIsNamed) {
  ASSERT_TRUE(os::WriteFileDurably(*disk, directory / "file", "x").ok());
  auto ledger = Ledger::Open(here.ctx, *disk, directory / "file/state");
  ASSERT_FALSE(ledger.ok());
  EXPECT_NE(ledger.status().message().find("file/state"), std::string::npos);
}

TEST_F(LedgerTest, APipelineThatCouldNotBeginIsKnownUntilItCan) {
  const auto ledger = Open();
  const Status away = Fault(FaultCode::kSourceUnreachable, "no answer");
  ASSERT_TRUE(ledger->PutBeginning(here.ctx, "orders", away).ok());
  ASSERT_TRUE(ledger->PutBeginning(here.ctx, "orders", away).ok());
  const auto runs = *ledger->Runs("orders");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs.front().label, "");
  EXPECT_EQ(runs.front().state, "failed");
  EXPECT_EQ(runs.front().error, "LV2001: no answer");
  ASSERT_TRUE(ledger->PutBeginning(here.ctx, "orders", Status::OK()).ok());
  EXPECT_TRUE(ledger->Runs("orders")->empty());
}

}  // namespace
}  // namespace levada::elt
