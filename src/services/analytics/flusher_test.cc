#include "services/analytics/flusher.h"

#include <future>
#include <map>

#include "base/testing.h"
#include "os/faulty_disk.h"
#include "os/memory_disk.h"
#include "services/analytics/point.h"

namespace levada::services::analytics {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// An engine that keeps rows by the insert they came with, and forgets tokens where it is told to:
/// a loss of power may do that to the real one.
class FakeEngine final : public Engine {
 public:
  const std::string& database() const override { return database_; }
  void Stop() override {}
  EngineCounts counts() const override { return {}; }
  Result<std::string> Run(const Statement& statement) override {
    const std::lock_guard lock(mutex_);
    if (++calls_ == fails_at_ && !fails_behind_) return Lost();
    std::string answer;
    const std::string& sql = statement.sql;
    if (statement.kind == StatementKind::kQuery) {
      answer = std::to_string(Count(sql)) + "\n";
    } else if (statement.kind == StatementKind::kChange) {
      ARROW_RETURN_NOT_OK(Insert(sql));
    } else {
      tables_.insert(Between(sql, "EXISTS ", " ("));
    }
    if (calls_ == fails_at_) return Lost();
    return answer;
  }
  /// The nth statement is lost, before it was done or `behind`.
  void FailAt(int nth, bool behind) { fails_at_ = nth, fails_behind_ = behind; }
  void ForgetTokens() { tokens_.clear(); }
  void DropTables() { tables_.clear(), rows_.clear(); }
  bool fired() const { return calls_ >= fails_at_; }
  /// How often each insert's rows are there, by its token.
  const std::map<std::string, int>& rows() const { return rows_; }

 private:
  static Fault Lost() { return Fault(FaultCode::kSourceConnectionLost, "the engine ended"); }
  static std::string Between(const std::string& text, const std::string& begin,
                             const std::string& end) {
    const size_t at = text.find(begin) + begin.size();
    return text.substr(at, text.find(end, at) - at);
  }
  static std::string SegmentOf(const std::string& token) {
    return token.substr(0, token.find(':'));
  }
  Status Insert(const std::string& sql) {
    const std::string table = Between(sql, "INTO ", " (");
    if (!tables_.contains(table)) {
      return Fault(FaultCode::kQueryFailed, "no table " + table).With("code", "60");
    }
    const std::string token = Between(sql, "token = '", "'");
    if (tokens_.insert(token).second) ++rows_[token + " " + table];
    return Status::OK();
  }
  int Count(const std::string& sql) {
    const std::string key = Between(sql, "`_segment` = ", " AND");
    const std::string table = Between(sql, "FROM ", " WHERE");
    int count = 0;
    for (const auto& [row, times] : rows_) {
      if (SegmentOf(row) == key && row.ends_with(" " + table)) count += times;
    }
    return count;
  }

  const std::string database_ = "analytics";
  std::mutex mutex_;
  int calls_ = 0;
  int fails_at_ = 0;
  bool fails_behind_ = false;
  std::set<std::string> tables_;
  std::set<std::string> tokens_;
  std::map<std::string, int> rows_;
};

struct Fixture {
  Status Open() {
    flush.reset();
    log.reset();
    auto opened =
        WriteAhead::Open(disk, "wal", {.segment_rows_max = 3}, test.clock, *random, *test.log);
    if (!opened.ok()) return opened.status();
    log = std::move(*opened);
    flush = std::make_unique<SegmentFlush>(*log, engine, [](uint64_t dataset) {
      return dataset == 9 ? std::nullopt : std::optional<std::string>("set");
    });
    return Status::OK();
  }
  Status Put(uint64_t dataset) {
    DataPoint point;
    point.at = test.clock.Now();
    std::promise<Status> promise;
    const bool taken = log->Submit(RowsOf(dataset, {&point, 1}),
                                   [&](const Status& status) { promise.set_value(status); });
    return taken ? promise.get_future().get() : Status::CapacityError("full");
  }
  /// One try at each ended segment, oldest first, until one fails.
  Status FlushAll() {
    while (log->counts().unflushed_segments > 0) {
      ARROW_RETURN_NOT_OK(flush->Run(log->WaitForSegment({}).value()));
    }
    return Status::OK();
  }

  TestContext test;
  os::MemoryDisk memory;
  os::FaultyDisk disk{memory};
  std::unique_ptr<Random> random = MakeSeededRandom(4);
  FakeEngine engine;
  std::unique_ptr<WriteAhead> log;
  std::unique_ptr<SegmentFlush> flush;
};

TEST(SegmentFlushTest, IsOneInsertOfEachDataset) {
  Fixture f;
  ASSERT_THAT(f.Open(), IsOk());
  for (const uint64_t dataset : {1, 2, 1}) ASSERT_THAT(f.Put(dataset), IsOk());
  (void)f.log->WaitForSegment({});
  ASSERT_THAT(f.FlushAll(), IsOk());
  ASSERT_EQ(f.engine.rows().size(), 2u);
  EXPECT_THAT(f.engine.rows().begin()->first, HasSubstr(":1-3 `analytics`.`d1`"));
  EXPECT_THAT(f.engine.rows().rbegin()->first, HasSubstr(":2-2 `analytics`.`d2`"));
  EXPECT_EQ(f.flush->counts().rows, 3u);
  EXPECT_EQ(f.log->counts().unflushed_segments, 0u);
}

TEST(SegmentFlushTest, PassesOverRowsOfADatasetThatIsGone) {
  Fixture f;
  ASSERT_THAT(f.Open(), IsOk());
  for (const uint64_t dataset : {9, 1, 9}) ASSERT_THAT(f.Put(dataset), IsOk());
  (void)f.log->WaitForSegment({});
  ASSERT_THAT(f.FlushAll(), IsOk());
  EXPECT_EQ(f.engine.rows().size(), 1u);
}

TEST(SegmentFlushTest, MakesATableAgainThatIsGone) {
  Fixture f;
  ASSERT_THAT(f.Open(), IsOk());
  for (int i = 0; i < 3; ++i) ASSERT_THAT(f.Put(1), IsOk());
  (void)f.log->WaitForSegment({});
  ASSERT_THAT(f.FlushAll(), IsOk());
  f.engine.DropTables();
  for (int i = 0; i < 3; ++i) ASSERT_THAT(f.Put(1), IsOk());
  const uint64_t segment = f.log->WaitForSegment({}).value();
  EXPECT_THAT(f.flush->Run(segment), FailsWith(FaultCode::kQueryFailed));
  EXPECT_THAT(f.flush->Run(segment), IsOk());
}

TEST(SegmentFlushTest, InsertsNothingTwiceWhateverIsLost) {
  for (const bool behind : {false, true}) {
    for (const bool restarts : {false, true}) {
      for (int nth = 1;; ++nth) {
        SCOPED_TRACE(testing::Message() << nth << " " << behind << " " << restarts);
        Fixture f;
        ASSERT_THAT(f.Open(), IsOk());
        for (const uint64_t dataset : {1, 2, 1, 2, 2, 1}) ASSERT_THAT(f.Put(dataset), IsOk());
        f.engine.FailAt(nth, behind);
        while (f.log->counts().unflushed_segments < 2) std::this_thread::yield();
        (void)f.FlushAll();
        const bool fired = f.engine.fired();
        if (restarts) {
          f.memory.Crash(static_cast<uint64_t>(nth));
          f.engine.ForgetTokens();
          ASSERT_THAT(f.Open(), IsOk());
        }
        ASSERT_THAT(f.FlushAll(), IsOk());
        EXPECT_EQ(f.engine.rows().size(), 4u);
        for (const auto& [token, times] : f.engine.rows()) EXPECT_EQ(times, 1) << token;
        if (!fired) break;
      }
    }
  }
}

TEST(SegmentFlushTest, InsertsNothingTwiceWhateverTheDiskDoes) {
  for (int64_t nth = 1;; ++nth) {
    SCOPED_TRACE(nth);
    Fixture f;
    ASSERT_THAT(f.Open(), IsOk());
    for (const uint64_t dataset : {1, 2, 1, 2, 2, 1}) ASSERT_THAT(f.Put(dataset), IsOk());
    while (f.log->counts().unflushed_segments < 2) std::this_thread::yield();
    f.disk.Arm({.operations = os::WritingOperations(), .nth = nth});
    (void)f.FlushAll();
    const bool fired = f.disk.fired();
    f.disk.Disarm();
    f.memory.Crash(static_cast<uint64_t>(nth));
    f.engine.ForgetTokens();
    ASSERT_THAT(f.Open(), IsOk());
    ASSERT_THAT(f.FlushAll(), IsOk());
    EXPECT_EQ(f.engine.rows().size(), 4u);
    for (const auto& [token, times] : f.engine.rows()) EXPECT_EQ(times, 1) << token;
    if (!fired) break;
  }
}

TEST(FlusherTest, GoesOnWhenTheEngineIsBack) {
  Fixture f;
  ASSERT_THAT(f.Open(), IsOk());
  f.engine.FailAt(2, false);
  const Flusher flusher(*f.log, *f.flush, {.retry_first = 1ms, .retry_max = 2ms}, *f.test.log);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(f.Put(1), IsOk());
  while (f.flush->counts().segments < 1) std::this_thread::yield();
  EXPECT_EQ(f.flush->counts().failures, 1u);
  EXPECT_EQ(f.engine.rows().size(), 1u);
}

TEST(StatementsTest, KnowNamesOfDatasets) {
  for (const char* name : {"a", "A-b_9", "0"}) EXPECT_TRUE(IsDatasetName(name)) << name;
  for (const char* name : {"", "a b", "a.b", "a`b", "\xc3\xa9"})
    EXPECT_FALSE(IsDatasetName(name)) << name;
  EXPECT_TRUE(IsDatasetName(std::string(128, 'x')));
  EXPECT_FALSE(IsDatasetName(std::string(129, 'x')));
}

TEST(StatementsTest, AnInsertIsOfRows) {
  std::vector<DataPoint> points(2);
  const std::vector<Insert> inserts = InsertsOf(5, RowsOf(1, points));
  ASSERT_EQ(inserts.size(), 1u);
  EXPECT_EQ(TokenOf(inserts[0]), "5:1-2");
  const Statement statement = ValueOf(InsertStatement("analytics", inserts[0]));
  EXPECT_THAT(statement.sql, HasSubstr("FROM INFILE {rows} "));
  EXPECT_EQ(statement.rows.size(), inserts[0].bytes.size() + 2 * 8);
  Insert cut = inserts[0];
  cut.bytes.pop_back();
  EXPECT_THAT(InsertStatement("analytics", cut), FailsWith(FaultCode::kStoreDamaged));
  Insert more = inserts[0];
  more.count = 3;
  EXPECT_THAT(InsertStatement("analytics", more), FailsWith(FaultCode::kStoreDamaged));
}

}  // namespace
}  // namespace levada::services::analytics
