#include "connectors/parquet/lake_binding.h"

#include <arrow/type.h>

#include "base/testing.h"
#include "connectors/parquet/directory_router.h"
#include "connectors/parquet/lake_layout.h"
#include "os/memory_disk.h"
#include "places/local_place.h"

namespace levada::parquet {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

elt::SchemaPtr Schema() {
  return arrow::schema(
      {arrow::field("id", arrow::int64()), arrow::field("amount", arrow::decimal128(15, 2)),
       arrow::field("country", arrow::utf8()), arrow::field("tags", arrow::list(arrow::utf8()))});
}

std::unique_ptr<places::Place> Place(const LakeOptions& options) {
  static os::MemoryDisk disk;
  return places::MakeLocalPlace(disk, options.path);
}

Result<elt::BoundTarget> Bind(const LakeOptions& options,
                              const std::vector<elt::ColumnHint>& hints = {},
                              const elt::SchemaPtr& schema = Schema()) {
  elt::RunInstance run;
  run.pipeline = "orders";
  run.window = elt::Window{1'767'225'600'000'000, 1'767'312'000'000'000, "2026-01-01", "UTC"};
  return BindLake(options, *Place(options), "levada version 0.1.0", schema, hints, run);
}

LakeOptions Options() {
  LakeOptions options;
  options.path = "./lake/orders";
  return options;
}

TEST(BindLake, FreezesWhatShapesBytesAndNames) {
  LakeOptions options = Options();
  options.layout = "day={run.start:%Y-%m-%d}";
  options.partition_by = {"country"};
  options.row_group_rows = 50'000;
  options.file_bytes = 5 << 20;
  const elt::BoundTarget bound = ValueOf(Bind(options));
  const LakeLayout layout = ValueOf(LakeLayout::FromJson(bound.frozen));
  EXPECT_EQ(layout.directory, "day=2026-01-01");
  EXPECT_EQ(layout.partition_by, options.partition_by);
  EXPECT_EQ(layout.created_by, "levada version 0.1.0");
  EXPECT_EQ(layout.encode.row_group_rows, 50'000);
  EXPECT_EQ(layout.encode.file_bytes, 5 << 20);
  EXPECT_EQ(bound.frozen, ValueOf(Bind(options)).frozen);
  EXPECT_EQ(bound.names, "day=2026-01-01/country=.../part-2026-01-01-p0000-0-0000.parquet");
}

TEST(BindLake, DoesNotFreezeThreads) {
  LakeOptions options = Options();
  const std::string frozen = ValueOf(Bind(options)).frozen;
  options.threads = 8;
  EXPECT_EQ(ValueOf(Bind(options)).frozen, frozen);
}

TEST(BindLake, TellsWhatTheTargetWillHave) {
  LakeOptions options = Options();
  options.partition_by = {"country"};
  const elt::BoundTarget bound = ValueOf(Bind(options));
  EXPECT_TRUE(bound.schema->Equals(*Schema()));
  ASSERT_THAT(bound.target_types, SizeIs(4));
  EXPECT_EQ(bound.target_types[0], "int64");
  EXPECT_EQ(bound.target_types[1], "int64 (Decimal(precision=15, scale=2))");
  EXPECT_THAT(bound.target_types[2], HasSubstr("country="));
  EXPECT_THAT(bound.description, HasSubstr("./lake/orders"));
  EXPECT_THAT(bound.description, HasSubstr("zstd"));
  EXPECT_THAT(bound.notes, Not(IsEmpty()));
}

TEST(BindLake, SaysWhichDecimalsAReaderRounds) {
  LakeOptions options = Options();
  options.profile = parquet_format::Profile::kArrow;
  const auto schema = arrow::schema({arrow::field("exact", arrow::decimal256(38, 2)),
                                     arrow::field("wide", arrow::list(arrow::decimal256(39, 2)))});
  const elt::BoundTarget bound = ValueOf(Bind(options, {}, schema));
  EXPECT_THAT(bound.notes, testing::ElementsAre(HasSubstr("\"wide\"")));
}

TEST(BindLake, CountsTheMemoryOfWhatWaitsForDirectories) {
  constexpr int64_t kMiB = 1 << 20;
  LakeOptions options = Options();
  options.row_group_bytes = 4 * kMiB;
  const int64_t one = ValueOf(Bind(options)).memory_bytes_per_slice;
  EXPECT_GT(one, 4 * kMiB);
  options.partition_by = {"country"};
  const int64_t many = ValueOf(Bind(options)).memory_bytes_per_slice;
  EXPECT_GT(many, one + kRowGroupsHeld * 4 * kMiB + 2 * kBlockBytes);
  EXPECT_LT(many, 500 * kMiB);
  options.row_group_bytes = 8 * kMiB;
  EXPECT_GT(ValueOf(Bind(options)).memory_bytes_per_slice, many + kRowGroupsHeld * 4 * kMiB);
}

TEST(BindLake, TakesHintsForFlatColumnsOnly) {
  std::vector<elt::ColumnHint> hints(4);
  for (auto& hint : hints) hint = {.distinct = 3, .average_bytes = 8, .null_fraction = 0};
  EXPECT_THAT(Bind(Options(), hints), IsOk());
}

TEST(BindLake, UsesDictionariesAsTold) {
  LakeOptions options = Options();
  options.dictionary = parquet_format::DictionaryUse::kOff;
  options.dictionary_of = {{"country", parquet_format::DictionaryUse::kOn}};
  options.statistics = false;
  const LakeLayout layout = ValueOf(LakeLayout::FromJson(ValueOf(Bind(options)).frozen));
  using Use = parquet_format::DictionaryUse;
  EXPECT_THAT(layout.encode.dictionary,
              testing::ElementsAre(Use::kOff, Use::kOff, Use::kOn, Use::kOff));
  EXPECT_THAT(layout.encode.statistics, testing::Each(false));
}

TEST(BindLake, RefusesWhatCannotWork) {
  LakeOptions options = Options();
  options.partition_by = {"contry"};
  EXPECT_THAT(Bind(options), FailsWith(FaultCode::kUnknownColumn, HasSubstr("contry")));
  EXPECT_THAT(FaultOf(Bind(options).status()).help(), HasSubstr("country"));
  options.partition_by = {"amount"};
  EXPECT_THAT(Bind(options), FailsWith(FaultCode::kBadLayout));
  options.partition_by = {"id"};
  EXPECT_THAT(Bind(options, {}, arrow::schema({arrow::field("id", arrow::int64())})),
              FailsWith(FaultCode::kBadLayout, HasSubstr("every column")));
  options = Options();
  options.layout = "Country={run.label}";
  EXPECT_THAT(Bind(options), FailsWith(FaultCode::kBadLayout, HasSubstr("Country")));
  options = Options();
  options.dictionary_of = {{"county", parquet_format::DictionaryUse::kOn}};
  EXPECT_THAT(Bind(options), FailsWith(FaultCode::kUnknownColumn, HasSubstr("county")));
  options = Options();
  EXPECT_THAT(Bind(options, {}, arrow::schema({arrow::field("a b", arrow::int64())})),
              FailsWith(FaultCode::kBadColumnName));
}

TEST(BindLake, RefusesALayoutOfWindowsForARunWithoutOne) {
  LakeOptions options = Options();
  options.layout = "day={run.start:%F}";
  elt::RunInstance run;
  run.pipeline = "orders";
  EXPECT_THAT(BindLake(options, *Place(options), "v", Schema(), {}, run),
              FailsWith(FaultCode::kBadLayout));
}

}  // namespace
}  // namespace levada::parquet
