#include "services/d1/d1_json.h"

#include <limits>

#include "base/json.h"
#include "base/testing.h"

namespace levada::services::d1 {
namespace {

using db::sqlite::Blob;
using db::sqlite::SqlAnswer;
using db::sqlite::SqlResult;
using db::sqlite::SqlValue;
using testing::HasSubstr;

TEST(D1JsonTest, ReadsTheThreeShapesOfARequest) {
  const ParsedRequest one = ParseRequest(R"({"sql":"SELECT 1"})");
  ASSERT_FALSE(one.refusal);
  EXPECT_FALSE(one.is_list);
  ASSERT_EQ(one.texts.size(), 1);
  EXPECT_EQ(one.texts[0].sql, "SELECT 1");
  for (const char* text : {R"([{"sql":"a"},{"sql":"b","params":[1]}])",
                           R"({"batch":[{"sql":"a","params":null},{"sql":"b","params":[1]}]})"}) {
    const ParsedRequest two = ParseRequest(text);
    ASSERT_FALSE(two.refusal) << text;
    EXPECT_TRUE(two.is_list);
    ASSERT_EQ(two.texts.size(), 2);
    EXPECT_EQ(two.texts[1].parameters, std::vector<SqlValue>{int64_t{1}});
  }
}

TEST(D1JsonTest, ReadsParametersAsJavaScriptMeansThem) {
  const ParsedRequest request = ParseRequest(
      R"({"sql":"?","params":[1,-2,1.5,"é",null,true,[],[0,255],18446744073709551615]})");
  ASSERT_FALSE(request.refusal);
  const std::vector<SqlValue> expected = {int64_t{1},       int64_t{-2},  1.5,
                                          std::string("é"), SqlValue(),   int64_t{1},
                                          Blob(),           Blob{0, 255}, 18446744073709551616.0};
  EXPECT_EQ(request.texts[0].parameters, expected);
}

TEST(D1JsonTest, RefusesWhatIsNoRequest) {
  for (const char* text : {"", "{", "1", "null", "[]", "[1]", "{}", R"({"sql":1})",
                           R"({"batch":1})", R"({"batch":[]})", R"({"sql":"a","params":1})",
                           R"({"sql":"a","params":[{}]})", R"({"sql":"a","params":[[256]]})",
                           R"({"sql":"a","params":[[-1]]})", R"({"sql":"a","params":[["a"]]})"}) {
    EXPECT_TRUE(ParseRequest(text).refusal) << text;
  }
}

SqlAnswer AnswerOf(std::vector<SqlValue> row) {
  SqlAnswer answer;
  answer.results.resize(1);
  for (size_t i = 0; i < row.size(); ++i)
    answer.results[0].columns.push_back("c\"" + std::to_string(i));
  answer.results[0].rows.push_back(std::move(row));
  answer.size_bytes = 8192;
  return answer;
}

TEST(D1JsonTest, WritesValuesAsJavaScriptReadsThem) {
  const SqlAnswer answer =
      AnswerOf({SqlValue(), int64_t{INT64_MIN}, 0.1, 1e300, -0.5,
                std::numeric_limits<double>::infinity(), std::string("a\"\n"), Blob{1, 255}});
  const auto objects = ResultsJson(answer, RowShape::kObjects, AnswerItems::kStatements, 1);
  const Json item = ParseJson(objects.value())[0];
  EXPECT_EQ(Dump(item["results"]),
            R"([{"c\"0":null,"c\"1":-9223372036854775808,"c\"2":0.1,"c\"3":1e+300,"c\"4":-0.5,)"
            R"("c\"5":null,"c\"6":"a\"\n","c\"7":[1,255]}])");
  EXPECT_EQ(item["success"], true);
  const auto columns = ResultsJson(answer, RowShape::kColumns, AnswerItems::kStatements, 1);
  const Json raw = ParseJson(columns.value())[0]["results"];
  EXPECT_EQ(raw["columns"].size(), 8);
  EXPECT_EQ(raw["rows"][0][7], Json::array({1, 255}));
}

TEST(D1JsonTest, MetaHasAllThatClientsLookFor) {
  SqlAnswer answer = AnswerOf({int64_t{1}});
  answer.is_changed = true;
  answer.results[0].changes = 3;
  answer.results[0].last_row_id = 9;
  answer.results[0].rows_read = 4;
  answer.results[0].rows_written = 5;
  answer.results[0].duration_us = 1500;
  const Json meta =
      ParseJson(ResultsJson(answer, RowShape::kObjects, AnswerItems::kTexts, 1).value())[0]["meta"];
  EXPECT_EQ(Dump(meta),
            R"({"served_by":"levada","served_by_region":"","served_by_colo":"",)"
            R"("served_by_primary":true,"timings":{"sql_duration_ms":1.5},"duration":1.5,)"
            R"("changes":3,"last_row_id":9,"changed_db":true,"size_after":8192,"rows_read":4,)"
            R"("rows_written":5,"total_attempts":1})");
}

TEST(D1JsonTest, GivesEachTextOneResult) {
  SqlAnswer answer;
  for (const size_t text : {0, 0, 2}) {
    SqlResult result;
    result.text = text;
    result.columns = {"a"};
    result.rows = {{int64_t{1}}};
    result.changes = 2;
    answer.results.push_back(std::move(result));
  }
  const Json items =
      ParseJson(ResultsJson(answer, RowShape::kObjects, AnswerItems::kTexts, 3).value());
  ASSERT_EQ(items.size(), 3);
  EXPECT_EQ(items[0]["meta"]["changes"], 4);
  EXPECT_TRUE(items[1]["results"].empty());
  EXPECT_EQ(items[2]["results"].size(), 1);
  EXPECT_EQ(ParseJson(ResultsJson(answer, RowShape::kObjects, AnswerItems::kStatements, 3).value())
                .size(),
            3);
}

TEST(D1JsonTest, AnAnswerThatIsTooLongIsNone) {
  const SqlAnswer answer = AnswerOf({std::string(5000, 'x')});
  EXPECT_TRUE(ResultsJson(answer, RowShape::kObjects, AnswerItems::kTexts, 1, 10'000));
  EXPECT_FALSE(ResultsJson(answer, RowShape::kObjects, AnswerItems::kTexts, 1, 4'000));
}

}  // namespace
}  // namespace levada::services::d1
