#include "connectors/parquet/directory_router.h"

#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "connectors/parquet/lake_fixture.h"
#include "formats/parquet/file_reader.h"
#include "places/local_place.h"

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

// A router on a disk of its own, with limits that some thousand rows meet.
class Router {
 public:
  explicit Router(RouterLimits limits) : limits_(limits) {
    layout_.partition_by = {"country"};
    layout_.created_by = "levada version 0.1.0";
    layout_.encode.row_group_rows = 1'000;
    layout_.encode.chunk_rows = 100;
    layout_.encode.codec = parquet_format::Codec::kNone;  // thousands of small pages
    layout_.encode.level = 0;
    partition_.id = "p0000";
    attempt_.partition = &partition_;
    attempt_.attempt_id = "00000000000000a1";
    target_.place = place_.get();
    target_.names = &names_;
    target_.layout = &layout_;
    target_.attempt = &attempt_;
    target_.on_staged = [this](const std::string& path) { staged_.insert(path); };
  }

  parquet_format::EncodeOptions& encode() { return layout_.encode; }
  /// Of every file that was created, sealed or not.
  const std::set<std::string>& staged() const { return staged_; }
  int64_t peak_bytes() const { return test_.pool.max_memory(); }
  int64_t held_bytes() const { return test_.pool.bytes_allocated(); }

  /// Staged name and content of what is on the disk.
  std::map<std::string, std::string> Files() {
    std::map<std::string, std::string> files;
    for (const std::string& path : staged_) {
      const auto content = ValueOf(os::ReadFile(disk_, "/lake/" + path, 1 << 30));
      if (content) files[path] = *content;
    }
    return files;
  }

  /// All batches; Finish unless `finish` is false.
  Result<std::vector<elt::WrittenFile>> Route(const std::vector<elt::BatchPtr>& batches,
                                              bool finish = true) {
    Context ctx = test_.context();
    ARROW_ASSIGN_OR_RAISE(auto router, DirectoryRouter::Make(target_, RowSchema(), limits_));
    for (const auto& batch : batches) ARROW_RETURN_NOT_OK(router.Write(ctx, batch));
    if (!finish) return std::vector<elt::WrittenFile>();
    return router.Finish(ctx);
  }

  /// The ids of a file, in their order, and how many row groups they are in.
  std::pair<std::vector<int64_t>, size_t> Ids(const elt::WrittenFile& file) {
    Context ctx = test_.context();
    const auto opened = ValueOf(place_->Open(ctx, file.staged));
    const size_t row_groups =
        ValueOf(parquet_format::ReadFooter(opened, ctx.pool)).row_group_rows.size();
    const auto reader = ValueOf(
        parquet_format::OpenReader(ValueOf(place_->Open(ctx, file.staged)),
                                   FileSchemaOf(*RowSchema(), layout_.partition_by), {}, ctx.pool));
    const auto table = ValueOf(reader->ToTable());
    std::vector<int64_t> ids;
    for (const auto& chunk : table->column(0)->chunks()) {
      const auto& array = static_cast<const arrow::Int64Array&>(*chunk);
      for (int64_t i = 0; i < array.length(); ++i) ids.push_back(array.Value(i));
    }
    return {ids, row_groups};
  }

 private:
  os::MemoryDisk disk_;
  std::unique_ptr<places::Place> place_ = places::MakeLocalPlace(disk_, "/lake");
  TestContext test_;
  const RouterLimits limits_;
  const LakeNames names_{"all"};
  LakeLayout layout_;
  elt::Partition partition_;
  elt::Attempt attempt_;
  SliceTarget target_;
  std::set<std::string> staged_;
};

// Of 40 or 301 countries and NULL in turn, with some rows that are larger than a block.
std::vector<elt::BatchPtr> AlternatingRows(int64_t rows, int64_t batch_rows, int64_t countries) {
  const auto all = RowsFrom(0, rows, countries);
  arrow::StringBuilder notes;
  const auto& short_notes = static_cast<const arrow::StringArray&>(*all->column(2));
  for (int64_t row = 0; row < rows; ++row) {
    (void)notes.Append(row % 1'000 == 499 ? std::string(80'000, 'x') : short_notes.GetString(row));
  }
  const auto whole = ValueOf(all->SetColumn(2, all->schema()->field(2), ValueOf(notes.Finish())));
  std::vector<elt::BatchPtr> batches;
  for (int64_t at = 0; at < rows; at += batch_rows) batches.push_back(whole->Slice(at, batch_rows));
  return batches;
}

// A row takes some 40 bytes in a block: of these rows there are several blocks.
constexpr int64_t kSmallBlock = 40'000;
constexpr int64_t kPlenty = 1 << 30;

TEST(DirectoryRouter, CutsFilesByTheOrderOfRowsAndNotByBatches) {
  struct Case {
    const char* meaning;
    int64_t countries;
    RouterLimits limits;
    std::vector<int64_t> batch_rows;
    size_t files;
  };
  const std::vector<Case> cases = {
      {"one file for each value, of several row groups",
       40,
       {kSmallBlock, 50, 400'000, kPlenty},
       {1, 7, 100, 999, 3'000},
       41},
      {"the same of hundreds", 301, {kSmallBlock, 400, 2'000'000, kPlenty}, {7, 3'000}, 302},
      {"fewer files at once than values", 40, {kSmallBlock, 16, 100'000, kPlenty}, {7, 3'000}, 0},
      {"footers that fill up", 40, {kSmallBlock, 50, 100'000, 60}, {100, 999}, 0},
      {"nothing held", 40, {kSmallBlock, 4, 0, 0}, {100, 999}, 0},
  };
  for (const Case& each : cases) {
    std::map<std::string, std::string> expected;
    for (const int64_t batch_rows : each.batch_rows) {
      Router router(each.limits);
      ASSERT_THAT(router.Route(AlternatingRows(3'000, batch_rows, each.countries)), IsOk());
      const auto files = router.Files();
      if (expected.empty()) expected = files;
      EXPECT_TRUE(files == expected) << each.meaning << ", batches of " << batch_rows;
    }
    if (each.files > 0) {
      EXPECT_EQ(expected.size(), each.files) << each.meaning;
    } else {
      EXPECT_GT(expected.size(), static_cast<size_t>(each.countries) + 1)
          << each.meaning << ": directories go on under the next number";
    }
  }
}

TEST(DirectoryRouter, GivesAlternatingRowsFewFilesOfFewRowGroups) {
  Lake lake;
  lake.options().partition_by = {"country"};
  const auto stream = RowStream(0, 3'000, 100, 40);
  ASSERT_THAT(LoadAll(lake, *stream), IsOk());
  EXPECT_THAT(lake.DataFiles(), SizeIs(41));

  Router router({kSmallBlock, kOpenFilesMax, 10'000'000, kPlenty});
  const auto files = ValueOf(router.Route(AlternatingRows(10'000, 999, 301)));
  EXPECT_EQ(files.size(), 302u);
  int64_t rows = 0;
  for (const elt::WrittenFile& file : files) {
    const auto [ids, row_groups] = router.Ids(file);
    EXPECT_TRUE(std::ranges::is_sorted(ids, std::less_equal<>())) << "in their order, each once";
    EXPECT_EQ(static_cast<int64_t>(ids.size()), file.rows);
    EXPECT_EQ(row_groups, 1u) << file.path << ": no block ends a row group";
    rows += file.rows;
  }
  EXPECT_EQ(rows, 10'000);
}

TEST(DirectoryRouter, ClosesTheFilesThatWaitLongestForARow) {
  Router router({.block_bytes = 1, .open_files = 2, .held_bytes = 0, .column_chunks = kPlenty});
  // Row 11 is of NULL; the others of 3 countries: c0 c2 c1 c0 c2 c2 c1 c0 c2 c1 ...
  const auto files = ValueOf(router.Route({RowsFrom(1, 3), RowsFrom(1, 1), RowsFrom(3, 1)}));
  std::map<std::string, int> numbers;
  for (const elt::WrittenFile& file : files) ++numbers[os::ParentPath(file.path)];
  std::vector<std::string> order;
  for (const int64_t n : {1, 2, 3, 1, 3}) order.push_back(std::to_string((n * 7 + n / 5) % 3));
  ASSERT_THAT(order, ElementsAre("1", "2", "0", "1", "0"));
  EXPECT_THAT(numbers, ElementsAre(testing::Pair("country=c0", 1), testing::Pair("country=c1", 2),
                                   testing::Pair("country=c2", 1)));
}

TEST(DirectoryRouter, StaysNearItsLimitsHoweverManyRowsCome) {
  const RouterLimits limits{kSmallBlock, 400, 1'500'000, kPlenty};
  std::vector<int64_t> peaks;
  for (const int64_t rows : {5'000, 20'000}) {
    Router router(limits);
    ASSERT_THAT(router.Route(AlternatingRows(rows, 500, 301)), IsOk());
    peaks.push_back(router.peak_bytes());
    EXPECT_EQ(router.held_bytes(), 0);
  }
  EXPECT_LT(peaks[1], limits.held_bytes + 1'000'000);
  EXPECT_LT(peaks[1], peaks[0] + peaks[0] / 10);
}

TEST(DirectoryRouter, EncodesSortedRowsWithoutRegroupingThem) {
  // The same rows, ordered by country beforehand: what a directory gets is the same.
  arrow::Int64Builder indices;
  const auto rows = RowsFrom(0, 2'000, 5);
  const auto& countries = static_cast<const arrow::StringArray&>(*rows->column(1));
  for (const char* country : {"c0", "c1", "c2", "c3", "c4"}) {
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      if (countries.IsValid(row) && countries.GetView(row) == country) (void)indices.Append(row);
    }
  }
  for (int64_t row = 0; row < rows->num_rows(); ++row) {
    if (countries.IsNull(row)) (void)indices.Append(row);
  }
  const arrow::Datum sorted = ValueOf(arrow::compute::Take(rows, ValueOf(indices.Finish())));
  const RouterLimits limits{kPlenty, kOpenFilesMax, kPlenty, kPlenty};
  Router alternating(limits), in_order(limits);
  ASSERT_THAT(alternating.Route({rows}), IsOk());
  ASSERT_THAT(
      in_order.Route({sorted.record_batch()->Slice(0, 777), sorted.record_batch()->Slice(777)}),
      IsOk());
  EXPECT_THAT(alternating.Files(), SizeIs(6));
  EXPECT_TRUE(alternating.Files() == in_order.Files());
}

TEST(DirectoryRouter, LeavesNothingThatItDidNotName) {
  Router router({kSmallBlock, 16, 100'000, kPlenty});
  ASSERT_THAT(router.Route(AlternatingRows(4'000, 500, 40), /*finish=*/false), IsOk());
  EXPECT_THAT(router.staged(), testing::Not(IsEmpty()));
  EXPECT_LE(router.Files().size() + 16, router.staged().size()) << "open ones go by themselves";
}

TEST(DirectoryRouter, LeavesNoStagedFileOfALoadThatFailed) {
  for (const char* failpoint : {"load.file_created=error@20", "load.row_group_written=error@20",
                                "load.before_sync=error@20", "load.file_staged=error@20"}) {
    Lake lake;
    lake.options().partition_by = {"country"};
    lake.Arm(failpoint);
    const auto stream = RowStream(0, 3'000, 100, 40);
    EXPECT_FALSE(LoadAll(lake, *stream).ok()) << failpoint;
    EXPECT_THAT(lake.Leftovers(), IsEmpty()) << failpoint;
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
  const std::string dead = "/.levada-all-0123456789abcdef-part-all-p0000-0-0000-r1.parquet.staged";
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
