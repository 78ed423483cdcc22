#include "connectors/parquet/read_back.h"

#include <arrow/scalar.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/parquet/lake_fixture.h"

namespace levada::parquet {
namespace {

// Load, then read back the staged files; both sides as tables.
struct Loaded {
  Lake lake;
  std::unique_ptr<elt::TargetRun> target;
  elt::SplitRecord split;
  elt::Attempt attempt;
  elt::Receipt receipt;

  explicit Loaded(std::vector<std::string> partition_by, int64_t rows) {
    lake.options().partition_by = std::move(partition_by);
    const Pipeline pipeline{.partitions = 1, .slices = 1};
    target = ValueOf(lake.Begin(pipeline));
    split = ValueOf(target->RecordSplit(lake.ctx(), pipeline.Split()));
    attempt = Lake::AttemptAt(*target, split.partitions[0], 0, "00000000000000a1");
    receipt = ValueOf(target->Load(lake.ctx(), attempt, *RowStream(0, rows, 100)));
  }

  Result<std::vector<elt::BatchPtr>> ReadBack() {
    ARROW_ASSIGN_OR_RAISE(const auto stream, target->ReadBack(lake.ctx(), attempt, receipt));
    std::vector<elt::BatchPtr> batches;
    while (true) {
      elt::BatchPtr batch;
      ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
      if (batch == nullptr) break;
      ARROW_RETURN_NOT_OK(batch->ValidateFull());
      batches.push_back(std::move(batch));
    }
    ARROW_ASSIGN_OR_RAISE(const elt::StreamEnd end, stream->Finish());
    int64_t rows = 0;
    for (const auto& batch : batches) rows += batch->num_rows();
    EXPECT_EQ(end.rows_out, rows);
    return batches;
  }
};

std::vector<std::string> RowTexts(const std::vector<elt::BatchPtr>& batches) {
  std::vector<std::string> rows;
  for (const auto& batch : batches) {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      std::string text;
      for (const auto& column : batch->columns()) {
        text += ValueOf(column->GetScalar(row))->ToString() + "|";
      }
      rows.push_back(std::move(text));
    }
  }
  return rows;
}

TEST(ReadBack, GivesTheRowsInTheOrderWritten) {
  Loaded loaded({}, 1'000);
  const auto batches = ValueOf(loaded.ReadBack());
  EXPECT_TRUE(batches.front()->schema()->Equals(RowSchema()));
  EXPECT_EQ(RowTexts(batches), RowTexts({RowsFrom(0, 1'000)}));
}

TEST(ReadBack, MakesColumnsThatBecameDirectoriesAgain) {
  Loaded loaded({"country"}, 1'000);
  const auto batches = ValueOf(loaded.ReadBack());
  EXPECT_TRUE(batches.front()->schema()->Equals(RowSchema()));
  auto rows = RowTexts(batches), expected = RowTexts({RowsFrom(0, 1'000)});
  std::ranges::sort(rows);
  std::ranges::sort(expected);
  EXPECT_EQ(rows, expected);
}

TEST(ReadBack, GivesNoRowsOfAnEmptyFile) {
  Loaded loaded({"country"}, 0);
  EXPECT_TRUE(ValueOf(loaded.ReadBack()).empty());
}

TEST(ReadBack, ReportsAStagedFileThatIsGoneOrDamaged) {
  Loaded loaded({}, 1'000);
  const std::string staged = loaded.receipt.files[1].staged;
  const std::string whole = loaded.lake.Content(staged);
  loaded.lake.Write(staged, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(loaded.ReadBack(), FailsWith(FaultCode::kReadbackMismatch));
  loaded.lake.Remove(staged);
  EXPECT_THAT(loaded.ReadBack(), FailsWith(FaultCode::kTargetFileMissing));
}

}  // namespace
}  // namespace levada::parquet
