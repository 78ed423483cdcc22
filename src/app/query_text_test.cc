#include "app/query_text.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json.h"

namespace levada::app {
namespace {

Json ResultOf(const char* columns, const char* rows) {
  Json result = ParseJson(std::string(R"({"columns":)") + columns + R"(,"rows":)" + rows + "}");
  result["row_count"] = result["rows"].size();
  result["changes"] = 2;
  result["last_row_id"] = 7;
  result["rows_read"] = 1200;
  result["rows_written"] = 3;
  result["duration_us"] = 1234;
  return result;
}

QueryStyle StyleOf(QueryMode mode, bool has_headers = true) {
  QueryStyle style;
  style.mode = mode;
  style.has_headers = has_headers;
  return style;
}

QueryText Read(const Json& result, const QueryStyle& style) {
  const QueryAnswer answer = ReadQueryAnswer(Dump({{"results", Json::array({result})}}), style);
  EXPECT_EQ(answer.error, "");
  return answer.statements.at(0);
}
std::string TextOfResult(const Json& result, const QueryStyle& style) {
  return Read(result, style).rows;
}
std::string WhatIsCut(const Json& result) { return Read(result, QueryStyle()).cut; }
std::string SummaryOf(const Json& result) { return Read(result, QueryStyle()).summary; }

constexpr const char* kRows = R"([[1,"a,b",2.0],[20,null,{"hex":"00ff"}],[3,"",{"real":"-Inf"}]])";
constexpr const char* kColumns = R"(["id","name","v"])";

TEST(QueryText, IsATable) {
  EXPECT_EQ(TextOfResult(ResultOf(kColumns, kRows), StyleOf(QueryMode::kTable)),
            "id  name  v\n"
            " 1  a,b   2.0\n"
            "20  NULL  X'00ff'\n"
            " 3        -Inf\n");
  EXPECT_EQ(TextOfResult(ResultOf(R"(["a"])", "[[1]]"), StyleOf(QueryMode::kTable, false)), "1\n");
}

TEST(QueryText, IsCsvThatTellsNullFromAnEmptyText) {
  EXPECT_EQ(TextOfResult(ResultOf(kColumns, kRows), StyleOf(QueryMode::kCsv)),
            "id,name,v\n1,\"a,b\",2.0\n20,,X'00ff'\n3,\"\",-Inf\n");
  EXPECT_EQ(TextOfResult(ResultOf(R"(["a"])", R"([["x\"y\n"]])"), StyleOf(QueryMode::kCsv, false)),
            "\"x\"\"y\n\"\n");
}

TEST(QueryText, IsALineOfJsonForEachStatement) {
  EXPECT_EQ(TextOfResult(ResultOf(R"(["a","a"])", R"([[1,{"hex":"00ff"}],[null,{"real":"Inf"}]])"),
                         StyleOf(QueryMode::kJson)),
            R"({"results":[{"a":1,"a:1":[0,255]},{"a":null,"a:1":null}],"meta":{"duration":1.234,)"
            R"("changes":2,"last_row_id":7,"rows_read":1200,"rows_written":3},"truncated":false})"
            "\n");
}

TEST(QueryText, IsALineForEachValue) {
  EXPECT_EQ(TextOfResult(ResultOf(R"(["id","name"])", R"([[1,"a"],[2,null]])"),
                         StyleOf(QueryMode::kLine)),
            "  id = 1\nname = a\n\n  id = 2\nname = NULL\n");
}

TEST(QueryText, IsNothingWithoutColumns) {
  for (const QueryMode mode : {QueryMode::kTable, QueryMode::kCsv, QueryMode::kLine}) {
    EXPECT_EQ(TextOfResult(ResultOf("[]", "[]"), StyleOf(mode)), "");
  }
}

TEST(QueryText, MovesNoCursor) {
  const Json result = ResultOf(R"(["a"])", R"([["x\u001b[2Jy\nz"]])");
  for (const QueryMode mode : {QueryMode::kTable, QueryMode::kLine}) {
    EXPECT_EQ(TextOfResult(result, StyleOf(mode)).find('\x1b'), std::string::npos);
  }
}

TEST(QueryText, SaysWhatIsCut) {
  Json result = ResultOf(R"(["a"])", "[[1],[2]]");
  EXPECT_EQ(WhatIsCut(result), "");
  result["row_count"] = 1'000'000;
  EXPECT_NE(WhatIsCut(result).find("1,000,000"), std::string::npos);
  EXPECT_NE(TextOfResult(result, StyleOf(QueryMode::kJson)).find(R"("truncated":true)"),
            std::string::npos);
}

TEST(QueryAnswer, IsAnError) {
  const QueryAnswer answer = ReadQueryAnswer(
      R"({"error":{"message":"no such table: t","code":"SQLITE_ERROR","offset":14}})", {});
  EXPECT_EQ(answer.error, "no such table: t");
  EXPECT_EQ(answer.error_offset, 14);
  EXPECT_TRUE(answer.statements.empty());
}

TEST(Summary, CountsRowsOrChanges) {
  EXPECT_EQ(SummaryOf(ResultOf(R"(["a"])", "[[1]]")), "1 row; 1,200 rows read, 3 written; 1.2 ms");
  EXPECT_EQ(SummaryOf(ResultOf("[]", "[]")), "2 changes; 1,200 rows read, 3 written; 1.2 ms");
}

}  // namespace
}  // namespace levada::app
