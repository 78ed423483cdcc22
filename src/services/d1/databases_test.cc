#include "services/d1/databases.h"

#include <future>

#include "os/temporary_directory.h"
#include "services/d1/d1_check.h"
#include "services/d1/database_fixture.h"

namespace levada::services::d1 {
namespace {

using testing::HasSubstr;

const Actor kTester{"tester", ""};

class DatabasesTest : public testing::Test {
 protected:
  DatabasesTest() {
    control = ValueOf(Control::Open(directory.path() + "/control.db",
                                    MasterKey::Of(std::string(32, 'k')), test.clock, *random));
    account = ValueOf(control->CreateAccount("default", kTester));
    Start();
  }
  void Start() {
    databases.reset();
    databases =
        ValueOf(Databases::Open("d1", *control, disk, test.clock, *test.log, nullptr, limits));
  }
  Resource Make(const std::string& name) {
    return *ValueOf(databases->Create(account, name, kTester));
  }
  std::string Ask(const Resource& resource, const std::string& sql) {
    std::promise<Result<Ran>> promise;
    databases->Of(resource)->Run({{sql, {}}}, true,
                                 [&promise](Result<Ran> ran) { promise.set_value(ran); });
    const Result<Ran> ran = promise.get_future().get();
    if (!ran.ok()) return ran.status().ToString();
    if (ran->answer.error) return ran->answer.error->message;
    const auto& rows = ran->answer.results.back().rows;
    return rows.empty() ? "" : std::to_string(std::get<int64_t>(rows[0][0]));
  }
  std::string PathOf(const Resource& resource) const {
    return "d1/" + std::to_string(resource.number);
  }
  Findings Check() {
    Findings findings;
    std::map<uint64_t, std::string> known;
    for (const Resource& each : control->Resources(0, ResourceKind::kDatabase)) {
      known[each.number] = each.name;
    }
    EXPECT_THAT(CheckD1(test.context(), disk, {"d1", true, known}, findings), IsOk());
    return findings;
  }

  TestContext test;
  os::TemporaryDirectory directory;
  os::MemoryDisk memory;
  os::FaultyDisk disk{memory};
  std::unique_ptr<Random> random = MakeSeededRandom(5);
  std::unique_ptr<Control> control;
  Account account;
  DatabasesLimits limits;
  std::unique_ptr<Databases> databases;
};

TEST_F(DatabasesTest, EachHasItsOwnContentAndAUuid) {
  const Resource one = Make("one");
  const Resource two = Make("two");
  EXPECT_EQ(one.id.size(), 36);
  EXPECT_EQ(one.id[14], '4');
  EXPECT_FALSE(ValueOf(databases->Create(account, "one", kTester)));
  EXPECT_EQ(Ask(one, "CREATE TABLE t (a); INSERT INTO t VALUES (7)"), "");
  EXPECT_THAT(Ask(two, "SELECT a FROM t"), HasSubstr("no such table"));
  Start();
  EXPECT_EQ(Ask(one, "SELECT a FROM t"), "7");
  EXPECT_EQ(databases->counts().open, 1);
}

TEST_F(DatabasesTest, ADeletedOneIsGoneWithItsFiles) {
  const Resource one = Make("one");
  EXPECT_EQ(Ask(one, "CREATE TABLE t (a)"), "");
  EXPECT_THAT(databases->Delete(one, kTester), IsOk());
  EXPECT_FALSE(control->FindResource(account.row, ResourceKind::kDatabase, one.id));
  EXPECT_FALSE(ValueOf(disk.Stat(PathOf(one))));
  EXPECT_EQ(databases->counts().requests, 1);
}

TEST_F(DatabasesTest, WhatWasNotMadeToTheEndIsNobodys) {
  for (int64_t nth = 1;; ++nth) {
    disk.Arm({.operations = os::WritingOperations(), .nth = nth});
    const auto made = databases->Create(account, "one", kTester);
    const bool fired = disk.fired();
    disk.Disarm();
    if (!fired) break;
    EXPECT_FALSE(made.ok());
    EXPECT_TRUE(control->Resources(0, ResourceKind::kDatabase).empty());
  }
  EXPECT_EQ(control->Resources(0, ResourceKind::kDatabase).size(), 1);
  // A daemon that ended in between.
  const auto begun = *ValueOf(
      control->CreateResource(account, ResourceKind::kDatabase, "two", kBegunSettings, kTester));
  EXPECT_FALSE(Databases::IsReady(begun));
  ASSERT_THAT(disk.CreateDirectories(PathOf(begun) + "/history"), IsOk());
  Start();
  EXPECT_FALSE(control->FindResourceByNumber(begun.number));
  EXPECT_FALSE(ValueOf(disk.Stat(PathOf(begun))));
}

TEST_F(DatabasesTest, ADeletionThatWasBegunIsFinishedAndNothingElseIsRemoved) {
  const Resource kept = Make("kept");
  const Resource gone = Make("gone");
  const Resource unknown = Make("unknown");
  for (const Resource& each : {kept, gone, unknown}) EXPECT_EQ(Ask(each, "CREATE TABLE t (a)"), "");
  databases.reset();
  for (const Resource& each : {kept, gone}) {
    ASSERT_THAT(os::WriteFileDurably(disk, PathOf(each) + ".deleted", ""), IsOk());
  }
  ASSERT_THAT(control->DeleteResource(gone, kTester), IsOk());
  // As in a control.db from a backup.
  ASSERT_THAT(control->DeleteResource(unknown, kTester), IsOk());
  Start();
  EXPECT_FALSE(ValueOf(disk.Stat(PathOf(gone))));
  EXPECT_TRUE(ValueOf(disk.Stat(PathOf(unknown) + "/database")));
  EXPECT_EQ(Ask(kept, "SELECT count(*) FROM t"), "0");
  for (const Resource& each : {kept, gone}) {
    EXPECT_FALSE(ValueOf(disk.Stat(PathOf(each) + ".deleted")));
  }
}

TEST_F(DatabasesTest, ADirectoryThatIsThereIsNotTakenForANewOne) {
  const Resource one = Make("one");
  const std::string next = "d1/" + std::to_string(one.number + 1);
  ASSERT_THAT(disk.CreateDirectories(next + "/history"), IsOk());
  EXPECT_THAT(databases->Create(account, "two", kTester), FailsWith(FaultCode::kStoreDamaged));
  EXPECT_TRUE(ValueOf(disk.Stat(next + "/history")));
  EXPECT_TRUE(ValueOf(databases->Create(account, "two", kTester)));
}

TEST_F(DatabasesTest, WhatWasDeletedMeanwhileIsStopped) {
  const Resource one = Make("one");
  EXPECT_THAT(databases->Delete(one, kTester), IsOk());
  EXPECT_THAT(Ask(one, "SELECT 1"), HasSubstr("closed"));
  EXPECT_FALSE(ValueOf(disk.Stat(PathOf(one))));
}

TEST_F(DatabasesTest, ThoseThatNobodyUsesAreClosedAndTooManyToo) {
  limits.open_max = 2;
  Start();
  std::vector<Resource> made;
  for (const char* name : {"a", "b", "c"}) {
    made.push_back(Make(name));
    EXPECT_EQ(Ask(made.back(), "CREATE TABLE t (a)"), "");
    test.clock.Advance(1000);
  }
  EXPECT_EQ(databases->counts().open, 2);
  EXPECT_FALSE(databases->Of(made[0])->counts().is_open) << "the one asked the longest ago";
  test.clock.Advance(120'000'000);
  // What Tend began in the background has to end first.
  const auto clock = MakeSystemClock();
  for (int i = 0; i < 10'000 && databases->counts().open > 0; ++i) {
    databases->Tend();
    clock->SleepUntil(clock->Steady() + std::chrono::milliseconds(1), {});
  }
  EXPECT_EQ(databases->counts().open, 0);
  for (const Resource& each : made) EXPECT_EQ(Ask(each, "SELECT count(*) FROM t"), "0");
}

TEST_F(DatabasesTest, ACheckNamesADamagedPageAndItsDatabase) {
  const Resource shop = Make("shop");
  EXPECT_EQ(Ask(shop, "CREATE TABLE t (a)"), "");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Ask(shop, "INSERT INTO t VALUES (hex(zeroblob(3000)))"), "");
  }
  databases.reset();
  EXPECT_EQ(Check().damage(), 0);
  FlipBit(memory, PathOf(shop) + "/database", int64_t{4096} * 6 + 9);
  const Findings findings = Check();
  ASSERT_EQ(findings.damage(), 1);
  EXPECT_EQ(findings.kept()[0].where, "database \"shop\"");
  EXPECT_EQ(findings.kept()[0].detail, "page 7 of database");
}

TEST_F(DatabasesTest, ACheckNamesWhatIsMissingAndWhatIsNobodys) {
  const Resource shop = Make("shop");
  databases.reset();
  ASSERT_THAT(os::RemoveTree(disk, PathOf(shop)), IsOk());
  ASSERT_THAT(disk.CreateDirectories("d1/99/history"), IsOk());
  const Findings findings = Check();
  ASSERT_EQ(findings.damage(), 1);
  EXPECT_EQ(findings.leftovers(), 1);
  EXPECT_EQ(findings.kept()[1].what, "database_missing");
}

TEST_F(DatabasesTest, TransactionsBehindTheFileAreNoDamageOfIt) {
  const Resource shop = Make("shop");
  EXPECT_EQ(Ask(shop, "CREATE TABLE t (a); INSERT INTO t VALUES (1)"), "");
  EXPECT_EQ(Check().damage(), 0) << "as after a kill";
  databases.reset();
}

TEST_F(DatabasesTest, ATransactionThatIsNotWholeIsSaidToBeLeftOut) {
  const Resource shop = Make("shop");
  EXPECT_EQ(Ask(shop, "CREATE TABLE t (a); INSERT INTO t VALUES (1)"), "");
  EXPECT_EQ(Ask(shop, "INSERT INTO t VALUES (2)"), "");
  const auto segment = ValueOf(ListHistory(disk, PathOf(shop) + "/history")).segments.at(0);
  const int64_t size = ValueOf(disk.Stat(segment.path))->size_bytes;
  EXPECT_EQ(Check().leftovers(), 0) << "as after a kill";
  FlipBit(memory, segment.path, size - 1000);
  const Findings findings = Check();
  EXPECT_EQ(findings.damage(), 0);
  ASSERT_EQ(findings.leftovers(), 1);
  EXPECT_EQ(findings.kept()[0].what, "history_cut");
  const HistoryReader reader(disk, PathOf(shop) + "/history", shop.number, "shop");
  const HistoryEnd end = ValueOf(reader.End());
  EXPECT_EQ(end.last.seq, 1);
  EXPECT_GT(end.cut_bytes, 1000);
  databases.reset();
}

}  // namespace
}  // namespace levada::services::d1
