#include "formats/aesql/binder.h"

#include "base/testing.h"
#include "formats/aesql/functions.h"
#include "formats/aesql/translate.h"

namespace levada::aesql {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::vector<Dataset> kDatasets = {{"readings", {"db", "t1"}}, {"visits", {"db", "t2"}}};

/// "unknown_column: unknown column "x" at line 1, column 8; help", or "accepted".
std::string Refused(const std::string& sql) {
  const auto translation = Translate(sql, kDatasets);
  const auto* problem = std::get_if<Problem>(&translation);
  if (problem == nullptr) return "accepted";
  EXPECT_LE(problem->range.begin, problem->range.end);
  EXPECT_LE(problem->range.end, sql.size());
  return std::string(CodeName(problem->code)) + ": " + Describe(sql, *problem);
}

/// Of `expression` over a dataset.
std::string RefusedValue(const std::string& expression) {
  return Refused("SELECT " + expression + " FROM readings");
}

std::string Rendered(const std::string& sql) {
  const auto translation = Translate(sql, kDatasets);
  if (std::holds_alternative<Problem>(translation)) return Refused(sql);
  const std::string& text = std::get<Translation>(translation).sql;
  return text.substr(0, text.find(" SETTINGS "));
}

TEST(Binder, KnowsDatasetsAndColumns) {
  EXPECT_EQ(Refused("SELECT 1 FROM reading"),
            "unknown_dataset: unknown dataset \"reading\" at line 1, column 15; did you mean "
            "\"readings\"?");
  EXPECT_THAT(Refused("SELECT 1 FROM t1"), HasSubstr("unknown dataset")) << "ours is not theirs";
  EXPECT_THAT(Refused("SELECT 1 FROM READINGS"), HasSubstr("did you mean \"readings\"?"));
  EXPECT_THAT(RefusedValue("blob21"), HasSubstr("unknown column \"blob21\""));
  EXPECT_THAT(RefusedValue("Blob1"), HasSubstr("did you mean \"blob1\"?"));
  EXPECT_THAT(RefusedValue("now"), HasSubstr("now()"));
  EXPECT_THAT(RefusedValue("\"warm place\""), HasSubstr("'single quotes'"));
  EXPECT_THAT(Refused("SELECT blob1"), HasSubstr("without FROM"));
  EXPECT_THAT(Refused("SELECT *"), HasSubstr("without FROM"));
  EXPECT_THAT(Refused("SELECT blob1 FROM (SELECT blob2 FROM readings)"),
              HasSubstr("unknown column \"blob1\""));
  EXPECT_EQ(Refused("SELECT * FROM (SELECT blob2, 1 AS one FROM readings) WHERE one = 1"),
            "accepted");
}

TEST(Binder, KnowsFunctions) {
  EXPECT_EQ(RefusedValue("toStartOfHours(timestamp)"),
            "unknown_function: unknown function \"toStartOfHours\" at line 1, column 8; did you "
            "mean toStartOfHour?");
  for (const char* call :
       {"file('/etc/passwd')", "url('http://a')", "sleep(1)", "getSetting('a')", "uniq(blob1)",
        "groupArray(blob1)", "toString(1)", "arrayJoin(blob1)", "tuple(1)", "greatest(1, 2)",
        "dictGet('a', 'b', 1)", "toFloat64(1)", "currentUser()", "concat('a', 'b')",
        "lengthUTF8(blob1)", "uniqExact(blob1)", "equals(1, 1)", "toIntervalDay(1)"}) {
    EXPECT_THAT(RefusedValue(call), StartsWith("unknown_function: ")) << call;
  }
  EXPECT_EQ(RefusedValue("TOSTARTOFHOUR(timestamp)"), "accepted");
}

TEST(Binder, CountsArguments) {
  EXPECT_THAT(RefusedValue("count(blob1)"), HasSubstr("count(DISTINCT column)"));
  EXPECT_THAT(RefusedValue("sum()"), HasSubstr("sum takes 1 argument, got 0"));
  EXPECT_THAT(RefusedValue("round(1, 2, 3)"), HasSubstr("round takes 1 or 2 arguments, got 3"));
  EXPECT_THAT(RefusedValue("now(1)"), HasSubstr("now takes no arguments, got 1"));
  EXPECT_THAT(RefusedValue("format()"), HasSubstr("at least 1 argument"));
  EXPECT_THAT(RefusedValue("quantileExactWeighted(double1, _sample_interval)"),
              HasSubstr("parentheses of its own"));
  EXPECT_THAT(RefusedValue("quantileExactWeighted(0.1, 0.2)(double1, _sample_interval)"),
              HasSubstr("one parameter"));
  EXPECT_THAT(RefusedValue("round(1)(2)"), HasSubstr("no parameters"));
  EXPECT_THAT(RefusedValue("sum(1)(2)"), HasSubstr("no parameters"));
  EXPECT_THAT(RefusedValue("sum(*)"), HasSubstr("only count takes a *"));
  EXPECT_THAT(RefusedValue("max(DISTINCT double1)"), HasSubstr("max has no DISTINCT"));
  EXPECT_THAT(RefusedValue("count(DISTINCT blob1, blob2)"), HasSubstr("takes 1 argument, got 2"));
  EXPECT_THAT(RefusedValue("count(DISTINCT)"), HasSubstr("takes 1 argument, got 0"));
  EXPECT_THAT(RefusedValue("count(DISTINCT *)"), StartsWith("syntax: "));
}

TEST(Binder, KnowsKinds) {
  EXPECT_EQ(RefusedValue("sum(blob1)"),
            "bad_type: argument 1 of sum: expected a number, got a string at line 1, column 12; "
            "write sum([DISTINCT] number)");
  EXPECT_THAT(RefusedValue("max(blob5)"), HasSubstr("a number or a time, got a string"));
  EXPECT_THAT(RefusedValue("length(double1)"), HasSubstr("a string, got a double"));
  EXPECT_THAT(RefusedValue("bitAnd(double1, 1)"), HasSubstr("toUInt32"));
  EXPECT_THAT(RefusedValue("toHour(blob1)"), HasSubstr("convert with toDateTime"));
  EXPECT_THAT(RefusedValue("sumIf(double1, blob1)"),
              HasSubstr("argument 2 of sumIf: expected a condition, got a string"));
  EXPECT_THAT(RefusedValue("if(double1, 1, 2)"), HasSubstr("compare it"));
  EXPECT_THAT(RefusedValue("if(true, 1, 'a')"), HasSubstr("an integer and a string"));
  EXPECT_EQ(RefusedValue("if(true, 1, double1)"), "accepted");
  EXPECT_THAT(RefusedValue("blob1 + 1"), HasSubstr("+: expected two numbers, or a datetime and"));
  EXPECT_THAT(RefusedValue("blob1 * 2"), HasSubstr("*: expected two numbers"));
  EXPECT_THAT(RefusedValue("-blob1"), HasSubstr("expected a number"));
  EXPECT_THAT(RefusedValue("timestamp + timestamp"), HasSubstr("datetime and an interval"));
  EXPECT_THAT(RefusedValue("timestamp - 1.5"), HasSubstr("datetime and an interval"));
  EXPECT_THAT(RefusedValue("INTERVAL '1' DAY - timestamp"), HasSubstr("datetime and an interval"));
  EXPECT_THAT(RefusedValue("double1 = '1'"), HasSubstr("numbers are written without quotes"));
  EXPECT_THAT(RefusedValue("blob1 IN (1, 2)"), HasSubstr("IN: expected two values of one kind"));
  EXPECT_THAT(RefusedValue("blob1 BETWEEN 1 AND 2"), HasSubstr("BETWEEN"));
  EXPECT_THAT(RefusedValue("double1 LIKE '1%'"), HasSubstr("LIKE: expected two strings"));
  EXPECT_THAT(RefusedValue("NOT blob1"), HasSubstr("NOT: expected a condition"));
  EXPECT_THAT(RefusedValue("timestamp = 1.5"), HasSubstr("one kind"));
  EXPECT_THAT(RefusedValue("topK(blob1) = 1"), HasSubstr("a list"));
  EXPECT_THAT(Refused("SELECT 1 FROM readings WHERE blob1"), HasSubstr("WHERE: expected"));
  EXPECT_THAT(Refused("SELECT count() FROM readings HAVING 'a'"), HasSubstr("HAVING: expected"));
  EXPECT_THAT(Refused("SELECT blob1 FROM readings ORDER BY INTERVAL '1' DAY"),
              HasSubstr("an interval"));
}

TEST(Binder, KnowsWhatMustBeWritten) {
  EXPECT_THAT(RefusedValue("quantileExactWeighted(1.5)(double1, 1)"), HasSubstr("from 0 to 1"));
  EXPECT_THAT(RefusedValue("quantileExactWeighted(double2)(double1, 1)"), HasSubstr("0 to 1"));
  EXPECT_THAT(RefusedValue("quantileExactWeighted(0.5)(double1, double2)"), HasSubstr("toUInt32"));
  EXPECT_THAT(RefusedValue("topK(0)(blob1)"), HasSubstr("from 1 to"));
  EXPECT_THAT(RefusedValue("topK(70000)(blob1)"), HasSubstr("from 1 to"));
  EXPECT_THAT(RefusedValue("round(double1, double2)"), HasSubstr("a written integer"));
  EXPECT_THAT(RefusedValue("formatDateTime(timestamp, blob1)"), HasSubstr("string in quotes"));
  EXPECT_THAT(RefusedValue("toDateTime(blob1, blob2)"), HasSubstr("timezone"));
  EXPECT_THAT(RefusedValue("toDateTime(blob1, 'a b')"), HasSubstr("timezone"));
  EXPECT_THAT(RefusedValue("toStartOfInterval(timestamp, 60)"), HasSubstr("INTERVAL '15' MINUTE"));
  EXPECT_THAT(RefusedValue("toStartOfInterval(timestamp, INTERVAL '0' DAY)"), HasSubstr("above 0"));
  EXPECT_THAT(RefusedValue("blob1 IN (blob2)"), HasSubstr("a OR x = b"));
  EXPECT_THAT(RefusedValue("format(blob1, 1)"), HasSubstr("string in quotes"));
  EXPECT_THAT(RefusedValue("format('{} {}', 1)"), HasSubstr("for each of 1 values"));
  for (const char* pattern : {"{", "}", "{{}}", "{a}", "{1}", "{0} {}", "{} {0}"}) {
    EXPECT_THAT(RefusedValue("format('" + std::string(pattern) + "', 1)"),
                StartsWith("bad_arguments: "))
        << pattern;
  }
}

TEST(Binder, ChecksLiterals) {
  EXPECT_THAT(RefusedValue("18446744073709551616"), HasSubstr("more than 64 bits"));
  EXPECT_THAT(RefusedValue("-9223372036854775809"), HasSubstr("more than 64 bits"));
  EXPECT_THAT(RefusedValue("1e999"), HasSubstr("out of a double's range"));
  EXPECT_THAT(RefusedValue("timestamp - INTERVAL '-1' DAY"), HasSubstr("a whole number"));
  EXPECT_THAT(RefusedValue("timestamp - INTERVAL '99999999999' DAY"), HasSubstr("up to"));
  for (const char* time : {"2025-10-27T16:55:25Z", "2025-10-27 16:55", "2025-13-01", "yesterday",
                           "2025-10-27 24:00:00", "99999999999", "", "2025-10-27 16:55:25+02:00",
                           "1969-12-31", "2025-10-27 16:55:25."}) {
    const std::string quoted = "'" + std::string(time) + "'";
    EXPECT_THAT(RefusedValue("toDateTime(" + quoted + ")"), HasSubstr("no datetime")) << time;
    EXPECT_THAT(RefusedValue("timestamp > " + quoted), HasSubstr("no datetime")) << time;
  }
}

TEST(Binder, KeepsAggregatesApart) {
  EXPECT_THAT(RefusedValue("sum(max(double1))"), HasSubstr("aggregate max in the aggregate sum"));
  EXPECT_THAT(RefusedValue("max(double1) AS m, sum(m)"), HasSubstr("in the aggregate sum"));
  EXPECT_THAT(Refused("SELECT 1 FROM readings WHERE sum(double1) > 1"), HasSubstr("HAVING"));
  EXPECT_THAT(Refused("SELECT sum(double1) AS s FROM readings WHERE s > 1"), HasSubstr("HAVING"));
  EXPECT_THAT(Refused("SELECT 1 FROM readings GROUP BY sum(double1)"), HasSubstr("GROUP BY"));
  EXPECT_THAT(Refused("SELECT sum(double1) FROM readings GROUP BY 1"), HasSubstr("GROUP BY"));
}

TEST(Binder, WantsColumnsGrouped) {
  EXPECT_EQ(Refused("SELECT blob1, count() FROM readings"),
            "not_grouped: column \"blob1\" is neither in GROUP BY nor in an aggregate at line 1, "
            "column 8; add it to GROUP BY, or take argMax(blob1, timestamp)");
  EXPECT_THAT(Refused("SELECT blob1 FROM readings GROUP BY blob2"), HasSubstr("\"blob1\""));
  EXPECT_THAT(Refused("SELECT * FROM readings GROUP BY blob1"), HasSubstr("GROUP BY"));
  EXPECT_THAT(Refused("SELECT count() FROM readings GROUP BY blob1 ORDER BY blob2"),
              HasSubstr("\"blob2\""));
  EXPECT_THAT(Refused("SELECT count() FROM readings HAVING double1 > 1"), HasSubstr("\"double1\""));
  EXPECT_THAT(Refused("SELECT blob1 FROM readings HAVING double1 > 1"), HasSubstr("write WHERE"));
  EXPECT_THAT(Refused("SELECT count() FROM readings ORDER BY timestamp"),
              HasSubstr("\"timestamp\""));
  EXPECT_EQ(Refused("SELECT length(blob1) + 1, 5 FROM readings GROUP BY length(blob1)"),
            "accepted");
  EXPECT_THAT(Refused("SELECT length(blob1) FROM readings GROUP BY length(blob2)"),
              HasSubstr("\"blob1\""));
  EXPECT_THAT(Refused("SELECT blob1 FROM readings ORDER BY 2"), HasSubstr("position 2"));
  EXPECT_THAT(Refused("SELECT blob1 FROM readings ORDER BY 0"), HasSubstr("position 0"));
}

TEST(Binder, WritesAliasesOut) {
  EXPECT_EQ(Rendered("SELECT double1 AS a, a + a AS b FROM readings WHERE b > 1 ORDER BY b"),
            "SELECT __source.`double1` AS `a`, plus(__source.`double1`, __source.`double1`) AS `b` "
            "FROM `db`.`t1` AS __source WHERE greater(plus(__source.`double1`, "
            "__source.`double1`), 1) ORDER BY plus(__source.`double1`, __source.`double1`) ASC");
  EXPECT_THAT(RefusedValue("a AS b, b AS a"), HasSubstr("circle"));
  EXPECT_THAT(RefusedValue("blob2 AS blob1, blob1 AS blob2"), HasSubstr("circle"));
  EXPECT_THAT(RefusedValue("a AS a"), HasSubstr("circle"));
  EXPECT_EQ(
      Rendered("SELECT double1 + 1 AS a, double1 * 2 AS double1 FROM readings"),
      "SELECT plus(multiply(__source.`double1`, 2), 1) AS `a`, multiply(__source.`double1`, 2) "
      "AS `double1` FROM `db`.`t1` AS __source")
      << "whichever comes first";
  EXPECT_THAT(RefusedValue("1 AS a, 2 AS a"), HasSubstr("two columns \"a\""));
  EXPECT_THAT(RefusedValue("*, blob1"), HasSubstr("two columns \"blob1\""));
  EXPECT_THAT(RefusedValue("*, blob1 AS again"), "accepted");
  // Each alias twice in the next: 2^40 nodes, were there no limit.
  std::string sql = "SELECT double1 AS a0";
  for (int i = 1; i <= 40; ++i) {
    const std::string before = "a" + std::to_string(i - 1);
    sql += ", " + before + " + " + before + " AS a" + std::to_string(i);
  }
  EXPECT_THAT(Refused(sql + " FROM readings"), HasSubstr("too large"));
  std::string chain = "SELECT double1 AS a0";
  for (int i = 1; i <= 400; ++i) {
    chain += ", -a" + std::to_string(i - 1) + " AS a" + std::to_string(i);
  }
  EXPECT_THAT(Refused(chain + " FROM readings"), HasSubstr("too large"));
}

TEST(Binder, LeavesNothingOfTheTextInTheSql) {
  const std::string sql = Rendered(
      "SELECT 'a''b\\c`' AS \"x`'y\" /* settings */ FROM readings -- format\n WHERE blob1 = 'd'");
  EXPECT_EQ(sql,
            "SELECT 'a\\'b\\\\c`' AS `x\\`'y` FROM `db`.`t1` AS __source WHERE "
            "equals(__source.`blob1`, 'd')");
  EXPECT_THAT(Rendered("SHOW TABLES"), HasSubstr("['readings', 'visits']"));
  EXPECT_THAT(Rendered("SHOW TIMEZONES"), HasSubstr("system.time_zones"));
}

TEST(Binder, HoldsTheSizeOfTheEngineSql) {
  // Shorter than the limit of a query; each name grows on its way.
  std::string sql = "SELECT count() FROM readings WHERE double1 IN (1";
  while (sql.size() < 60'000) sql += ",1";
  EXPECT_THAT(Refused(sql + ")"), StartsWith("too_large: "));
  sql = "SELECT count() FROM readings WHERE double1 = 1";
  for (int i = 0; i < 1000; ++i) sql += " OR double1 = 1";
  EXPECT_EQ(Refused(sql), "accepted");
}

TEST(Functions, ReferToOnesOfTheirOwn) {
  for (const Function& function : Functions()) {
    EXPECT_EQ(FindFunction(function.name), &function) << "twice: " << function.name;
    EXPECT_THAT(std::string(function.usage), HasSubstr(std::string(function.name) + "("));
    EXPECT_THAT(std::string(function.summary), Not(HasSubstr("|")));
  }
  EXPECT_EQ(Functions().size(), FunctionNames().size());
}

}  // namespace
}  // namespace levada::aesql
