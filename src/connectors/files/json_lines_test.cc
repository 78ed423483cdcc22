#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/files/files_fixture.h"

namespace levada::files {
namespace {

using testing::HasSubstr;

using JsonLines = FilesFixture;

TEST_F(JsonLines, TypesAreThoseOfTheValues) {
  Write(
      "a.jsonl",
      "{\"id\": 1, \"x\": 1.5, \"ok\": true, \"at\": \"2026-01-31 05:00:00\", \"n\": null}\n"
      "{\"id\": 2, \"x\": 2, \"ok\": null, \"tags\": [\"a\", \"b\"], \"who\": {\"name\": \"\"}}\n");
  const Read read = ReadAll("a.jsonl");
  EXPECT_EQ(TypeOf(read, "id"), "int64");
  EXPECT_EQ(TypeOf(read, "x"), "double");
  EXPECT_EQ(TypeOf(read, "ok"), "bool");
  EXPECT_EQ(TypeOf(read, "at"), "string");
  EXPECT_EQ(TypeOf(read, "n"), "string");
  EXPECT_EQ(Column(read, "ok"), "true, null");
  EXPECT_EQ(TypeOf(read, "tags"), "list<item: string>");
  EXPECT_EQ(TypeOf(read, "who"), "struct<name: string>");
}

TEST_F(JsonLines, TypesOfTheUserAreExact) {
  Write("a.jsonl",
        "{\"price\": 0.10, \"at\": \"2026-01-31T05:00:00Z\", \"n\": 7}\n{\"price\": \"2.5\"}\n");
  const Read read = ReadAll(
      "a.jsonl",
      "types: { price: \"decimal(18,2)\", at: \"timestamp(us, UTC)\", n: int8, rare: text }\n");
  EXPECT_EQ(Column(read, "price"), "0.10, 2.50");
  EXPECT_EQ(TypeOf(read, "at"), "timestamp[us, tz=UTC]");
  EXPECT_EQ(TypeOf(read, "n"), "int8");
  EXPECT_EQ(Column(read, "rare"), "null, null");
}

TEST_F(JsonLines, ValuesBehindTheSampleThatDoNotFitAreErrorsWithTheirPlace) {
  std::string rows;
  for (int i = 1; i <= 15'000; ++i) rows += "{\"id\": " + std::to_string(i) + ", \"s\": \"x\"}\n";
  Write("a.jsonl", rows + "{\"id\": \"none\"}\n");
  Fault fault = Fails("a.jsonl");
  EXPECT_EQ(fault.code(), FaultCode::kValueRefused);
  EXPECT_THAT(fault.message(), HasSubstr("a.jsonl\": line 15001: column \"id\": expected int64"));
  Write("a.jsonl", rows + "{\"id\": 1.5}\n");
  EXPECT_EQ(Fails("a.jsonl").Detail("row"), "15001");
  Write("a.jsonl", rows + "{\"id\": 1, \"new\": 1}\n");
  fault = Fails("a.jsonl");
  EXPECT_EQ(fault.code(), FaultCode::kSchemaDrift);
  EXPECT_EQ(fault.Detail("column"), "new");
  EXPECT_EQ(ReadAll("a.jsonl", "columns: [id]\n").table->num_rows(), 15'001);
  Write("a.jsonl", rows + "{\"id\": 1\n");
  fault = Fails("a.jsonl");
  EXPECT_EQ(fault.code(), FaultCode::kSourceFileMalformed);
  EXPECT_THAT(fault.message(), HasSubstr("line 15001: it is not one JSON document"));
}

TEST_F(JsonLines, WhatIsNoObjectIsMalformed) {
  Write("a.jsonl", "{\"id\": 1}\n[1]\n");
  const Fault fault = Fails("a.jsonl");
  EXPECT_EQ(fault.code(), FaultCode::kSourceFileMalformed);
  EXPECT_THAT(fault.message(), HasSubstr("line 2"));
}

TEST_F(JsonLines, AKeyOfSeveralKindsNeedsToBeLeftOut) {
  Write("a.jsonl", "{\"id\": 1, \"x\": 1}\n{\"id\": 2, \"x\": \"two\"}\n");
  EXPECT_EQ(Fails("a.jsonl").code(), FaultCode::kValueRefused);
  EXPECT_EQ(Column(ReadAll("a.jsonl", "columns: [id]\ntypes: { id: int64 }\n"), "id"), "1, 2");
}

TEST_F(JsonLines, ColumnsStandAsTheirKeysAreMet) {
  Write("a.jsonl", "{\"a\": 1, \"b\": \"x\"}\n{\"c\": true, \"b\": \"y\"}\n");
  const auto names = ReadAll("a.jsonl", "types: { c: bool, b: text }\n").table->schema();
  EXPECT_EQ(names->field_names(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(JsonLines, BlankLinesAreNoRows) {
  Write("a.jsonl", "\n{\"id\": 1}\n\n  \r\n{\"id\": 2}");
  EXPECT_EQ(Column(ReadAll("a.jsonl"), "id"), "1, 2");
}

TEST_F(JsonLines, SmallBatchesHaveTheSameRows) {
  std::string rows;
  for (int i = 1; i <= 3'000; ++i) {
    rows += "{\"id\": " + std::to_string(i) + ", \"s\": \"" +
            std::string(static_cast<size_t>(i % 97), 'x') + "\"}\n";
  }
  Write("a.jsonl", rows);
  EXPECT_TRUE(
      ReadAll("a.jsonl").table->Equals(*ReadAll("a.jsonl", "", {}, {.rows = 7, .bytes = 1}).table));
}

TEST_F(JsonLines, TextsThatAreNotUtf8AreRefused) {
  Write("a.jsonl", "{\"s\": \"a\"}\n{\"s\": \"\xE9\"}\n");
  const Fault fault = Fails("a.jsonl");
  EXPECT_THAT(CodeName(fault.code()), testing::AnyOf(std::string("LV3104"), std::string("LV2108")));
}

TEST_F(JsonLines, EveryTruncationIsReadOrRefused) {
  const std::string whole =
      "{\"id\": 1, \"s\": \"\\u00e9\", \"l\": [1, {\"x\": null}]}\n{\"id\": 2}\n";
  for (size_t size = 0; size < whole.size(); ++size) {
    Write("t/a.jsonl", whole.substr(0, size));
    const auto read = TryRead("t/a.jsonl");
    EXPECT_TRUE(read.ok() || CodeOf(read.status()) != FaultCode::kInternal) << size;
  }
}

TEST_F(JsonLines, DeepNestingIsRefused) {
  Write("a.jsonl", "{\"a\": " + std::string(200'000, '[') + std::string(200'000, ']') + "}\n");
  EXPECT_NE(Fails("a.jsonl").code(), FaultCode::kInternal);
}

TEST_F(JsonLines, DeepNestingOverManyLinesIsRefused) {
  std::string text = "{\"a\": ";
  for (int i = 0; i < 4'900; ++i) text += std::string(30, '[') + "\n";
  for (int i = 0; i < 4'900; ++i) text += std::string(30, ']') + "\n";
  Write("a.jsonl", text + "}\n");
  EXPECT_EQ(Fails("a.jsonl").code(), FaultCode::kSourceFileMalformed);
}

TEST_F(JsonLines, SamplesOfManyFilesHaveALimit) {
  const std::string text(1'000, 'x');
  std::string same;
  for (int i = 0; i < 70; ++i) same += "{\"id\": 1, \"s\": \"" + text + "\"}\n";
  for (int file = 0; file < 270; ++file) {
    const std::string key = std::to_string(1'000 + file);
    std::string other;
    for (int i = 0; i < 70; ++i) other += "{\"k" + key + "\": \"" + text + "\"}\n";
    Write("same/" + key + ".jsonl", same);
    Write("other/" + key + ".jsonl", other);
  }
  EXPECT_THAT(Describe("same", "schema: union\n").status(), IsOk());
  EXPECT_EQ(CodeOf(Describe("other", "schema: union\n").status()), FaultCode::kImpossiblePlan);
}

}  // namespace
}  // namespace levada::files
