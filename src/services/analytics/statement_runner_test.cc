#include "services/analytics/statement_runner.h"

#include "base/testing.h"
#include "os/faulty_disk.h"
#include "os/memory_disk.h"
#include "os/temporary_directory.h"

namespace levada::services::analytics {
namespace {

using testing::HasSubstr;

/// Says what it was asked, and what stood in the file of rows then.
class FakeConnection final : public db::chdb::Connection {
 public:
  explicit FakeConnection(os::Disk& disk) : disk_(disk) {}
  Result<std::string> Run(std::string_view sql) override {
    sql_ = sql;
    ARROW_ASSIGN_OR_RAISE(const auto rows, os::ReadFile(disk_, "engine/rows.bin", 1 << 20));
    rows_ = rows.value_or("none");
    if (fails) return Fault(FaultCode::kQueryFailed, "no").With("code", "60");
    return answer;
  }
  const std::string& sql() const { return sql_; }
  const std::string& rows() const { return rows_; }

  std::string answer = "text";
  bool fails = false;

 private:
  os::Disk& disk_;
  std::string sql_;
  std::string rows_;
};

struct Fixture {
  Fixture() { EXPECT_THAT(memory.CreateDirectories("engine"), IsOk()); }
  Result<std::string> Run(const Statement& statement) { return runner.Run(connection, statement); }

  os::MemoryDisk memory;
  os::FaultyDisk disk{memory};
  FakeConnection connection{disk};
  StatementRunner runner{disk, "engine", 10};
};

TEST(StatementRunnerTest, GivesRowsInAFileAndNeverInTheText) {
  Fixture f;
  const std::string rows("a\n\n; DROP TABLE d\0\xff", 19);
  for (const bool fails : {false, true}) {
    f.connection.fails = fails;
    const auto answer =
        f.Run({StatementKind::kChange, "INSERT FROM INFILE {rows} FORMAT RowBinary", rows});
    EXPECT_EQ(answer.ok(), !fails);
    EXPECT_EQ(f.connection.sql(), "INSERT FROM INFILE 'engine/rows.bin' FORMAT RowBinary");
    EXPECT_EQ(f.connection.rows(), rows);
    EXPECT_FALSE(ValueOf(f.memory.Stat("engine/rows.bin")));
  }
}

TEST(StatementRunnerTest, RunsNoInsertWithoutItsRows) {
  Fixture f;
  f.disk.Arm({.operations = {os::DiskOperation::kAppend}, .error = ENOSPC});
  EXPECT_THAT(f.Run({StatementKind::kChange, "INSERT {rows}", "rows"}),
              FailsWith(FaultCode::kQueryFailed, HasSubstr("rows.bin")));
  EXPECT_EQ(f.connection.sql(), "");
}

TEST(StatementRunnerTest, AnAnswerHasALimit) {
  Fixture f;
  EXPECT_EQ(ValueOf(f.Run({StatementKind::kQuery, "SELECT '{rows}'"})), "text");
  EXPECT_EQ(f.connection.sql(), "SELECT '{rows}'");
  f.connection.answer = "eleven byte";
  const auto answer = f.Run({StatementKind::kQuery, "SELECT 1"});
  ASSERT_THAT(answer, FailsWith(FaultCode::kQueryFailed));
  EXPECT_EQ(FaultOf(answer.status()).Detail("code"), "396");
}

TEST(StatementRunnerTest, SyncsWhatIsMade) {
  Fixture f;
  const os::TemporaryDirectory directory;
  const StatementRunner there(f.disk, directory.path(), 10);
  EXPECT_THAT(there.Run(f.connection, {StatementKind::kCreate, "CREATE"}), IsOk());
  EXPECT_THAT(f.Run({StatementKind::kCreate, "CREATE"}),
              FailsWith(FaultCode::kQueryFailed, HasSubstr("durable")));
}

}  // namespace
}  // namespace levada::services::analytics
