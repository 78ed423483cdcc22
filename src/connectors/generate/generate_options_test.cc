#include "connectors/generate/generate_options.h"

#include <string>

#include "connectors/generate/generate_fixture.h"
#include "connectors/generate/preset_tables.h"

namespace levada::generate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class GenerateOptionsTest : public GenerateFixture {
 protected:
  Result<elt::WrittenOptions> FromUrl(const std::string& url) {
    return catalog_.FindConsumer("generate")->from_url(url);
  }
};

TEST_F(GenerateOptionsTest, NeedsRowsAndExactlyOneOfTableAndColumns) {
  EXPECT_THAT(Make("table: narrow\nrows: 0"), IsOk());
  EXPECT_THAT(Make("columns: { id: int64 }\nrows: 1"), IsOk());
  EXPECT_THAT(Make("rows: 1"), FailsWith(FaultCode::kMissingKey, HasSubstr("columns")));
  EXPECT_THAT(Make("table: narrow"), FailsWith(FaultCode::kMissingKey, HasSubstr("rows")));
  EXPECT_THAT(Make("table: narrow\ncolumns: { id: int64 }\nrows: 1"),
              FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_THAT(Make("table: orders\nrows: 1"), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Make("columns: {}\nrows: 1"), FailsWith(FaultCode::kBadValue, HasSubstr("empty")));
}

TEST_F(GenerateOptionsTest, NumbersAreBounded) {
  EXPECT_THAT(Make("table: narrow\nrows: 50000000000"), IsOk());
  for (const char* wrong :
       {"rows: 50000000001", "rows: -1", "rows: 1\nseed: -1", "rows: 1\nslices: 0",
        "rows: 1\nslices: 17", "rows: 1\npartition: { size: 0 }",
        "rows: 1\npartition: { count: 10001 }"}) {
    EXPECT_THAT(Make("table: narrow\n" + std::string(wrong)), FailsWith(FaultCode::kBadValue))
        << wrong;
  }
}

TEST_F(GenerateOptionsTest, ARowFitsIntoABatch) {
  const std::string columns =
      "rows: 2\ncolumns: { a: { type: text, length: 1048576 }, b: { type: binary, length: 1048576 "
      "}, "
      "c: { type: text, length: 1048576 }, d: { type: text, length: ";
  EXPECT_THAT(Make(columns + "1048000 } }"), IsOk());
  EXPECT_THAT(Make(columns + "1048576 } }"),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("longest row")));
}

TEST_F(GenerateOptionsTest, APartitionIsCutInOneWay) {
  const std::string table = "table: narrow\nrows: 10\npartition: ";
  EXPECT_THAT(Make(table + "{ size: 3 }"), IsOk());
  EXPECT_THAT(Make(table + "{ count: 3 }"), IsOk());
  EXPECT_THAT(Make(table + "{}"), FailsWith(FaultCode::kMissingKey));
  EXPECT_THAT(Make(table + "{ size: 3, count: 3 }"), FailsWith(FaultCode::kImpossiblePlan));
  EXPECT_THAT(Make(table + "{ by: id }"), FailsWith(FaultCode::kUnknownKey));
}

TEST_F(GenerateOptionsTest, SlicesAreRefusedWhereAPartitionMustBeOne) {
  const std::string yaml = "table: narrow\nrows: 10\nslices: ";
  EXPECT_THAT(Make(yaml + "2", /*whole_partitions=*/true),
              FailsWith(FaultCode::kImpossiblePlan, HasSubstr("slices")));
  EXPECT_THAT(Make(yaml + "1", /*whole_partitions=*/true), IsOk());
  EXPECT_THAT(Make(yaml + "2"), IsOk());
}

TEST_F(GenerateOptionsTest, ReportsEveryProblemWithItsPlace) {
  const Status status =
      Make(
          "rows: 10\ncolumns:\n  a: varchar(20)\n  A: { type: int8, min: 300 }\n  \"\": text\n"
          "  b: { type: text, min: 1, nulls: 2 }\npartition: {}\n")
          .status();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(CodeOf(status), FaultCode::kBadValue);
  std::vector<std::string> places;
  const Fault fault = FaultOf(status);
  for (const Diagnostic& problem : fault.diagnostics()) {
    places.push_back(std::to_string(problem.span.line) + " " + CodeName(problem.code));
  }
  EXPECT_THAT(places, ElementsAre("3 LV1005", "4 LV1012", "4 LV1005", "5 LV1005", "6 LV1005",
                                  "6 LV1009", "7 LV1003"));
}

TEST_F(GenerateOptionsTest, EveryTableThatIsNamedIsKnown) {
  for (const std::string& name : PresetNames()) {
    EXPECT_FALSE(PresetColumns(name, 0).empty()) << name;
    EXPECT_THAT(Make("rows: 1\ntable: " + name), IsOk());
  }
  EXPECT_TRUE(PresetColumns("orders", 0).empty());
}

TEST_F(GenerateOptionsTest, TimesOfTheTablesHaveYearsOfFourDigits) {
  constexpr int64_t kYear10000 = 253'402'300'800'000'000;
  for (const std::string& name : PresetNames()) {
    for (const auto& column : PresetColumns(name, 0)) {
      const auto& rise = column->shape().rise;
      EXPECT_LT(rise ? (*rise)(kRowsMax - 1) : 0, kYear10000) << name;
    }
  }
}

TEST_F(GenerateOptionsTest, ReadsUrls) {
  EXPECT_THAT(ValueOf(FromUrl("generate:lineitem?rows=1000")),
              ElementsAre(Pair("table", "lineitem"), Pair("rows", "1000")));
  EXPECT_THAT(ValueOf(FromUrl("generate://wide-500?seed=7&rows=1")),
              ElementsAre(Pair("table", "wide-500"), Pair("seed", "7"), Pair("rows", "1")));
}

TEST_F(GenerateOptionsTest, RefusesUrlsThatSayTooLittleOrTooMuch) {
  for (const char* url :
       {"generate", "generate:", "generate://", "generate:?rows=1", "generate:narrow",
        "generate:narrow?", "generate:narrow?seed=1", "generate:narrow?rows",
        "generate:narrow?rows=", "generate:narrow?rows=-1", "generate:narrow?rows=1k",
        "generate:narrow?row=1"}) {
    EXPECT_THAT(FromUrl(url), FailsWith(FaultCode::kBadCommandLine)) << url;
  }
}

}  // namespace
}  // namespace levada::generate
