#include "readers/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace levada::readers {
namespace {

using parquet_format::SchemaTree;
using ::testing::HasSubstr;

SchemaTree Tree(const std::string& columns) {
  auto tree = parquet_format::ParseSchemaText("message m { " + columns + " }");
  EXPECT_TRUE(tree.ok()) << tree.status().ToString();
  return *tree;
}

Verdict Compare(const std::string& there, const std::string& candidate, Reader reader) {
  return CompareSchemas(Tree(there), Tree(candidate), reader);
}

TEST(Compare, FindsEqualSchemasMergeableForEveryReader) {
  const std::string columns =
      "optional int64 id = 1; optional binary name (STRING) = 2; optional int32 day (DATE) = 3;";
  for (const Reader reader :
       {Reader::kSpark3, Reader::kSpark4, Reader::kHive, Reader::kDuckDb, Reader::kIcebergReady}) {
    const Verdict verdict = Compare(columns, columns, reader);
    EXPECT_TRUE(verdict.mergeable() && verdict.readable()) << NameOf(reader);
    EXPECT_EQ(verdict.columns.size(), 3U);
    EXPECT_EQ(FindReader(NameOf(reader)), reader);
  }
}

TEST(Compare, NamesTheCastThatMakesAColumnFit) {
  const Verdict verdict =
      Compare("optional int32 a; optional int64 b (TIMESTAMP(MICROS,true));",
              "optional int64 a; optional int64 b (TIMESTAMP(MICROS,false));", Reader::kSpark3);
  EXPECT_FALSE(verdict.mergeable());
  EXPECT_EQ(verdict.columns[0].fix, "cast: { a: int32 }");
  EXPECT_EQ(verdict.columns[1].fix, "cast: { b: \"timestamp(us, UTC)\" }");
  EXPECT_THAT(verdict.columns[0].why, HasSubstr("bigint"));
}

TEST(Compare, KnowsThatSparkFourReadsAWiderColumnAndMergesNone) {
  const Verdict three = Compare("optional int64 a;", "optional int32 a;", Reader::kSpark3);
  const Verdict four = Compare("optional int64 a;", "optional int32 a;", Reader::kSpark4);
  EXPECT_FALSE(three.readable() || three.mergeable());
  EXPECT_TRUE(four.readable());
  EXPECT_FALSE(four.mergeable());
}

TEST(Compare, TellsOfColumnsThatSparkHasNoTypeFor) {
  const Verdict verdict =
      Compare("optional int32 a;", "optional int32 a; optional int64 t (TIMESTAMP(NANOS,true));",
              Reader::kSpark4);
  EXPECT_FALSE(verdict.mergeable());
  EXPECT_THAT(verdict.columns[1].why, HasSubstr("nanoseconds"));
}

TEST(Compare, TakesMissingAndNewColumnsForSpark) {
  const Verdict verdict = Compare("optional int32 a; optional int32 b;",
                                  "optional int32 a; optional int32 c;", Reader::kSpark3);
  EXPECT_TRUE(verdict.mergeable() && verdict.readable());
  EXPECT_EQ(verdict.columns.size(), 3U);
  EXPECT_FALSE(verdict.notes.empty());
}

TEST(Compare, SeesNamesThatDifferByCaseAlone) {
  EXPECT_TRUE(Compare("optional int32 a;", "optional int32 A;", Reader::kSpark3).mergeable());
  EXPECT_FALSE(Compare("optional int32 a;", "optional int32 a; optional int32 A;", Reader::kSpark3)
                   .mergeable());
  const Verdict iceberg = Compare("optional int32 a;", "optional int32 A;", Reader::kIcebergReady);
  EXPECT_EQ(iceberg.columns[0].fix, "rename: { A: a }");
}

TEST(Compare, KnowsWhatTheOthersRefuse) {
  EXPECT_FALSE(Compare("optional int32 a (INTEGER(32,false));",
                       "optional int32 a (INTEGER(32,false));", Reader::kHive)
                   .mergeable());
  EXPECT_FALSE(
      Compare("optional int96 a;", "optional int96 a;", Reader::kIcebergReady).mergeable());
  EXPECT_FALSE(Compare("optional int32 a; optional int32 b;", "optional int32 a;", Reader::kDuckDb)
                   .readable());
  EXPECT_FALSE(
      Compare("optional int32 a;", "optional int32 a; required int32 b;", Reader::kIcebergReady)
          .mergeable());
  EXPECT_FALSE(
      Compare("optional int32 a = 1;", "optional int32 a = 2;", Reader::kIcebergReady).mergeable());
  EXPECT_TRUE(Compare("optional int64 a;", "optional int32 a;", Reader::kIcebergReady).readable());
}

}  // namespace
}  // namespace levada::readers
