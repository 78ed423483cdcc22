#include "connectors/postgres/loader_fit.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "base/testing.h"
#include "tests/postgres_fixture.h"  // tidy: allow a header of tests

namespace levada::postgres {
namespace {

using testing::HasSubstr;
using tests::PostgresServer;

TargetColumn Column(const std::string& type, const std::string& cast, uint32_t base,
                    int32_t modifier) {
  TargetColumn column;
  column.name = "x";
  column.type = type;
  column.cast = cast;
  column.oid = column.base = base;
  column.modifier = modifier;
  return column;
}

TargetColumn TimestampColumn(int32_t digits) {
  return Column("timestamp(" + std::to_string(digits) + ") without time zone",
                "timestamp without time zone", 1114, digits);
}

TargetColumn NumericColumn() { return Column("numeric(4,2)", "numeric", 1700, (4 << 16) + 2 + 4); }

Fit FitOfType(const std::shared_ptr<arrow::DataType>& type, const TargetColumn& column) {
  return FitOf(*arrow::field("x", type), column);
}

TEST(LoaderFitTest, TakesNoTimesThatTheTableWouldRound) {
  for (const auto& [unit, digits] : {std::pair(arrow::TimeUnit::SECOND, 0),
                                     {arrow::TimeUnit::MILLI, 3},
                                     {arrow::TimeUnit::MICRO, 6},
                                     {arrow::TimeUnit::NANO, 6}}) {
    for (const int32_t modifier : {-1, 0, 2, 3, 5, 6}) {
      const bool fits = modifier < 0 || modifier >= digits;
      EXPECT_EQ(FitOfType(arrow::timestamp(unit), TimestampColumn(modifier)).expression.has_value(),
                fits)
          << digits << " into " << modifier;
    }
  }
  const Fit fit = FitOfType(arrow::timestamp(arrow::TimeUnit::MICRO), TimestampColumn(0));
  EXPECT_EQ(fit.expected, "timestamp with 6 digits of a second");
  EXPECT_THAT(fit.help, HasSubstr("alter column \"x\" type timestamp"));
  const TargetColumn of_day = Column("time(3) without time zone", "time", 1083, 3);
  EXPECT_FALSE(FitOfType(arrow::time64(arrow::TimeUnit::MICRO), of_day).expression);
  EXPECT_TRUE(FitOfType(arrow::time32(arrow::TimeUnit::MILLI), of_day).expression);
}

class LoaderFitServerTest : public testing::Test {
 protected:
  void SetUp() override { PostgresServer::Shared().NewDatabase(kDatabase); }

  /// What the table gets of a text, or what the server says.
  static std::string Cast(const TargetColumn& column, const std::string& text) {
    const std::string expression = FitOfType(arrow::utf8(), column).expression.value_or("none");
    PostgresServer::Shared().Execute(
        "create or replace function taken() returns text language plpgsql as $f$ begin return "
        "(select cast(" +
            expression + " as " + column.type + ") from (select cast(" + text +
            " as text) as x) s); exception when data_exception then return sqlerrm; end $f$",
        kDatabase);
    return PostgresServer::Shared().Value("select taken()", kDatabase);
  }

  static constexpr const char* kDatabase = "loader_fit";
};

TEST_F(LoaderFitServerTest, RefusesTextsThatTheTableWouldRound) {
  EXPECT_EQ(Cast(NumericColumn(), "'1.250'"), "1.25");
  EXPECT_EQ(Cast(NumericColumn(), "'NaN'"), "NaN");
  EXPECT_EQ(Cast(NumericColumn(), "null"), "NULL");
  EXPECT_THAT(Cast(NumericColumn(), "'1.255'"),
              HasSubstr("\"a value that does not fit numeric(4,2) exactly\""));
  EXPECT_THAT(Cast(NumericColumn(), "'123.45'"), HasSubstr("overflow"));
  EXPECT_EQ(Cast(TimestampColumn(0), "'2026-01-01 00:59:59'"), "2026-01-01 00:59:59");
  EXPECT_THAT(Cast(TimestampColumn(0), "'2026-01-01 00:59:59.7'"), HasSubstr("exactly"));
  TargetColumn numbers = NumericColumn();
  numbers.type = "numeric(4,2)[]";
  numbers.cast = "numeric[]";
  numbers.array = true;
  EXPECT_EQ(Cast(numbers, "'{1.50,null}'"), "{1.50,NULL}");
  EXPECT_THAT(Cast(numbers, "'{1.555}'"), HasSubstr("exactly"));
}

TEST(LoaderFitTest, RefusesTextsForDomainsThatRound) {
  TargetColumn domain = NumericColumn();
  domain.type = domain.cast = "price";
  const Fit fit = FitOfType(arrow::utf8(), domain);
  EXPECT_FALSE(fit.expression);
  EXPECT_THAT(fit.help, HasSubstr("alter column"));
}

TEST(LoaderFitTest, ComparesWithTheSliceWhatIsStored) {
  LoadPlan plan;
  plan.columns = {{"at", "timestamp", "timestamp(0) without time zone", "\"at\""}};
  plan.slice_column = "at";
  EXPECT_EQ(plan.SliceRowsOf("stage"),
            "(select cast(\"at\" as timestamp(0) without time zone) as \"at\" from stage) s");
}

}  // namespace
}  // namespace levada::postgres
