#include "connectors/parquet/slice_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connectors/parquet/lake_fixture.h"

namespace levada::parquet {
namespace {

// Rejects one row before each batch and one at its end, and looks at what has not been taken yet.
class RejectingStream final : public elt::BatchStream {
 public:
  RejectingStream(std::unique_ptr<MemoryStream> rows, elt::RejectBuffer& rejects)
      : rows_(std::move(rows)), rejects_(rejects) {}
  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }
  Status ReadNext(elt::BatchPtr* out) override {
    most_waiting = std::max(most_waiting, rejects_.size());
    ARROW_RETURN_NOT_OK(rejects_.Add({"cast", "id", "out of range", std::to_string(rejected++)}));
    return rows_->ReadNext(out);
  }
  Result<elt::StreamEnd> Finish() override { return rows_->Finish(); }
  Status Close() override { return rows_->Close(); }

  size_t most_waiting = 0;
  int rejected = 0;

 private:
  std::unique_ptr<MemoryStream> rows_;
  elt::RejectBuffer& rejects_;
};

// A slice about to be loaded.
class LoadSliceTest : public testing::Test {
 protected:
  const Pipeline pipeline;
  Lake lake;
  const std::unique_ptr<elt::TargetRun> target = ValueOf(lake.Begin(pipeline));
  const elt::SplitRecord split = ValueOf(target->RecordSplit(lake.ctx(), pipeline.Split()));
  const elt::Attempt attempt = Lake::AttemptAt(*target, split.partitions[0], 0, "0123456789abcdef");
};

TEST_F(LoadSliceTest, WritesRejectedRowsBetweenBatches) {
  RejectingStream stream(RowStream(0, 1000, 10), *attempt.rejects);
  const elt::Receipt receipt = ValueOf(target->Load(lake.ctx(), attempt, stream));
  EXPECT_EQ(stream.most_waiting, 0u) << "each was taken before the next batch";
  const Json rejects = ParseJson(receipt.state)["rejects"];
  EXPECT_EQ(rejects["rows"], stream.rejected);
  std::string expected;
  for (int i = 0; i < stream.rejected; ++i) {
    expected += R"({"stage":"cast","column":"id","reason":"out of range","row":)" +
                std::to_string(i) + "}\n";
  }
  EXPECT_EQ(lake.Content(rejects["staged"].get<std::string>()), expected);
  EXPECT_EQ(rejects["bytes"], expected.size());
}

TEST_F(LoadSliceTest, LeavesNoRejectsBehindWhenItFails) {
  auto rows = RowStream(0, 100, 10);
  rows->failure = Fault(FaultCode::kSourceConnectionLost, "gone");
  RejectingStream stream(std::move(rows), *attempt.rejects);
  EXPECT_THAT(target->Load(lake.ctx(), attempt, stream),
              FailsWith(FaultCode::kSourceConnectionLost));
  EXPECT_THAT(target->Discard(lake.ctx(), attempt), IsOk());
  EXPECT_THAT(lake.Leftovers(), testing::IsEmpty());
}

}  // namespace
}  // namespace levada::parquet
