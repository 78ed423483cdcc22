#include "connectors/parquet/directory_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/parquet/lake_fixture.h"
#include "connectors/parquet/slice_load.h"

namespace levada::parquet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// One partition of one slice through Begin to Finish.
Result<elt::Receipt> LoadAll(Lake& lake, elt::BatchStream& stream) {
  const Pipeline pipeline{.partitions = 1, .slices = 1};
  const auto loader = lake.Loader();
  ARROW_ASSIGN_OR_RAISE(const auto bound,
                        loader->Bind(lake.ctx(), stream.schema(), {}, pipeline.Run()));
  ARROW_ASSIGN_OR_RAISE(const auto target, loader->Begin(lake.ctx(), pipeline.Run(), bound));
  ARROW_ASSIGN_OR_RAISE(const auto split, target->RecordSplit(lake.ctx(), pipeline.Split()));
  const auto attempt = Lake::AttemptAt(*target, split.partitions[0], 0, "00000000000000a1");
  ARROW_ASSIGN_OR_RAISE(const elt::Receipt receipt, target->Load(lake.ctx(), attempt, stream));
  ARROW_RETURN_NOT_OK(target->Publish(lake.ctx(), attempt, std::vector{receipt}));
  ARROW_RETURN_NOT_OK(target->Finish(lake.ctx()));
  return receipt;
}

TEST(DirectoryRouter, WritesEachValueBelowItsDirectory) {
  Lake lake;
  lake.options().partition_by = {"country"};
  lake.options().file_bytes = 1 << 20;
  lake.options().layout = "all";
  const auto stream = RowStream(0, 1'000, 100);
  const elt::Receipt receipt = ValueOf(LoadAll(lake, *stream));
  EXPECT_EQ(receipt.rows, 1'000);
  EXPECT_THAT(NamesOf(lake.DataFiles()),
              ElementsAre("all/country=__HIVE_DEFAULT_PARTITION__/part-all-p0000-0-0000.parquet",
                          "all/country=c0/part-all-p0000-0-0000.parquet",
                          "all/country=c1/part-all-p0000-0-0000.parquet",
                          "all/country=c2/part-all-p0000-0-0000.parquet"));
  int64_t rows = 0;
  for (const elt::WrittenFile& file : receipt.files) rows += file.rows;
  EXPECT_EQ(rows, 1'000);
}

// More directories than open files, so that files are closed and their directories go on.
TEST(DirectoryRouter, CutsFilesByTheOrderOfRowsAndNotByBatches) {
  std::map<std::string, std::string> expected;
  for (const int64_t batch_rows : {1, 7, 100, 999, 3'000}) {
    Lake lake;
    lake.options().partition_by = {"country"};
    const auto stream = RowStream(0, 3'000, batch_rows, 40);
    ASSERT_THAT(LoadAll(lake, *stream), IsOk());
    const auto files = lake.DataFiles();
    if (expected.empty()) expected = files;
    EXPECT_EQ(files, expected) << batch_rows;
    EXPECT_GT(files.size(), 100u) << "directories go on under the next number";
  }
}

TEST(DirectoryRouter, NestsSeveralColumns) {
  Lake lake;
  lake.options().partition_by = {"country", "id"};
  const auto stream = RowStream(1, 3, 2);
  ASSERT_THAT(LoadAll(lake, *stream), IsOk());
  EXPECT_THAT(NamesOf(lake.DataFiles()),
              ElementsAre("country=c0/id=3/part-all-p0000-0-0000.parquet",
                          "country=c1/id=1/part-all-p0000-0-0000.parquet",
                          "country=c2/id=2/part-all-p0000-0-0000.parquet"));
}

TEST(DirectoryRouter, LeavesOneFileOfAnEmptyTable) {
  Lake lake;
  lake.options().partition_by = {"country", "id"};
  const auto stream = RowStream(0, 0, 1);
  ASSERT_THAT(LoadAll(lake, *stream), IsOk());
  EXPECT_THAT(NamesOf(lake.DataFiles()),
              ElementsAre("country=__HIVE_DEFAULT_PARTITION__/id=__HIVE_DEFAULT_PARTITION__/"
                          "part-all-p0000-0-0000.parquet"));
}

TEST(DirectoryRouter, RefusesAColumnWithTooManyValues) {
  Lake lake;
  lake.options().partition_by = {"id"};
  const auto stream = RowStream(0, kDirectoriesMax + 1, 5'000);
  EXPECT_THAT(LoadAll(lake, *stream),
              FailsWith(FaultCode::kValueRefused, HasSubstr("directories")));
  EXPECT_THAT(lake.Leftovers(), IsEmpty());
  EXPECT_FALSE(lake.Exists("id=0")) << "directories that stay empty go";
}

TEST(DirectoryRouter, RefusesAValueThatIsNoDirectory) {
  arrow::StringBuilder countries;
  (void)countries.AppendValues({"a", ""});
  const auto rows = RowsFrom(0, 2);
  const auto batch =
      ValueOf(rows->SetColumn(1, rows->schema()->field(1), ValueOf(countries.Finish())));
  MemoryStream stream(RowSchema(), {batch});
  Lake lake;
  lake.options().partition_by = {"country"};
  EXPECT_THAT(LoadAll(lake, stream), FailsWith(FaultCode::kValueRefused, HasSubstr("country")));
}

TEST(DirectoryRouter, SweepsWhatDeadAttemptsStagedInDirectories) {
  Lake lake;
  lake.options().partition_by = {"country"};
  const Pipeline pipeline{.partitions = 1, .slices = 1};
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  const std::string dead = "/.levada-all-0123456789abcdef-part-all-p0000-0-0000-r1.parquet";
  lake.Write("country=c0" + dead, "x");
  lake.Write("country=gone" + dead, "x");
  lake.Write("city=c0" + dead, "x");
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  EXPECT_THAT(lake.Leftovers(), SizeIs(1)) << "another column's directory is not ours";
  EXPECT_FALSE(lake.Exists("country=gone"));
}

TEST(DirectoryRouter, SurvivesFailpointsAndReplaces) {
  Lake undisturbed, lake;
  for (Lake* each : {&undisturbed, &lake}) each->options().partition_by = {"country"};
  const Pipeline pipeline;
  ASSERT_THAT(undisturbed.RunOnce(pipeline), IsOk());
  lake.Arm("publish.file_renamed=error@5");
  ASSERT_FALSE(lake.RunOnce(pipeline).ok());
  lake.Disarm();
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  EXPECT_EQ(lake.DataFiles(), undisturbed.DataFiles());
  ASSERT_THAT(lake.RunOnce(pipeline), IsOk());
  EXPECT_EQ(ContentsOf(lake.DataFiles()), ContentsOf(undisturbed.DataFiles()));
}

}  // namespace
}  // namespace levada::parquet
