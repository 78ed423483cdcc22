#include "connectors/postgres/bounds.h"

#include "base/testing.h"

namespace levada::postgres {
namespace {

using testing::ElementsAre;
using Kind = PartitionBounds::Kind;

std::vector<PartitionBounds> Examples() {
  std::vector<PartitionBounds> examples =
      RangesBetween("id", Order::kInteger, {{"0", false}, {"0", true}, {"500", false}});
  for (PartitionBounds& range : RangesBetween("na\"me", Order::kText, {{"it's", false}})) {
    examples.push_back(range);
  }
  examples.push_back({});
  examples.push_back(
      {.kind = Kind::kValue, .by = "region", .order = Order::kText, .values = {"EU"}});
  examples.push_back({.kind = Kind::kRest, .by = "region", .values = {"EU", "U'S"}});
  examples.push_back({.kind = Kind::kHash,
                      .by = "id",
                      .modulus = 8,
                      .remainder = 3,
                      .run_order = Order::kTimestamptz});
  return examples;
}

TEST(PartitionBounds, ReadsBackWhatItWrites) {
  for (const PartitionBounds& bounds : Examples()) {
    EXPECT_EQ(ValueOf(PartitionBounds::FromJson(bounds.ToJson())), bounds) << bounds.ToJson();
  }
}

TEST(PartitionBounds, OfTheWholeWindowKeepTheOrderOfItsColumn) {
  const PartitionBounds bounds{.run_order = Order::kDate};
  EXPECT_EQ(ValueOf(PartitionBounds::FromJson(bounds.ToJson())), bounds);
  EXPECT_EQ(bounds.Predicate(), "");
}

TEST(PartitionBounds, SaysInSqlWhichRowsItMeans) {
  std::vector<std::string> predicates;
  for (const PartitionBounds& bounds : Examples()) predicates.push_back(bounds.Predicate());
  EXPECT_THAT(
      predicates,
      ElementsAre(
          "(\"id\" < '0' OR \"id\" IS NULL)", "\"id\" = '0'", "\"id\" > '0' AND \"id\" < '500'",
          "\"id\" >= '500'", "(\"na\"\"me\" COLLATE \"C\" < 'it''s' OR \"na\"\"me\" IS NULL)",
          "\"na\"\"me\" COLLATE \"C\" >= 'it''s'", "", "\"region\" COLLATE \"C\" = 'EU'",
          "(\"region\" IS NULL OR \"region\" NOT IN ('EU', 'U''S'))",
          "(pg_catalog.hashtextextended(coalesce(\"id\"::pg_catalog.text, '') COLLATE \"C\", 0) & "
          "9223372036854775807) % 8 = 3"));
}

TEST(PartitionBounds, SaysInWordsWhichRowsItMeans) {
  std::vector<std::string> meanings;
  for (const PartitionBounds& bounds : Examples()) meanings.push_back(bounds.Meaning());
  EXPECT_THAT(meanings,
              ElementsAre("id < 0 or is null", "id = 0", "id in (0, 500)", "id >= 500",
                          "na\"me < it's or is null", "na\"me >= it's", "all rows", "region = 'EU'",
                          "region not in ('EU', 'U''S') or is null", "hash(id) mod 8 = 3"));
}

TEST(PartitionBounds, MakesOneRangeMoreThanCuts) {
  EXPECT_THAT(RangesBetween("id", Order::kInteger, {}), ElementsAre(PartitionBounds{}));
  const auto ranges = RangesBetween("id", Order::kInteger, {{"1", false}, {"2", false}});
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_TRUE(ranges[0].nulls);
  EXPECT_FALSE(ranges[1].nulls);
  EXPECT_EQ(ranges[1].from, ranges[0].to);
  EXPECT_EQ(ranges[2].to, std::nullopt);
}

TEST(PartitionBounds, RefusesWhatItDoesNotWrite) {
  for (
      const char* json :
      {"", "null", "[]", "{", "{}", R"({"kind":"none"})", R"({"kind":1})",
       R"({"kind":"all","window_order":"size"})", R"({"kind":"all","window_order":1})",
       R"({"kind":"range","by":"id"})", R"({"kind":"range","by":"id","order":"size","nulls":true})",
       R"({"kind":"range","by":1,"order":"integer","nulls":true})",
       R"({"kind":"range","by":"id","order":"integer","from":5,"nulls":true})",
       R"({"kind":"range","by":"id","order":"integer","from":{"value":5,"after":true},"nulls":true})",
       R"({"kind":"value","by":"id","order":"integer","values":[]})",
       R"({"kind":"rest","by":"id","order":"integer","values":[1]})",
       R"({"kind":"hash","by":"id","order":"integer","modulus":0,"remainder":0})",
       R"({"kind":"hash","by":"id","order":"integer","modulus":2,"remainder":2})",
       R"({"kind":"hash","by":"id","order":"integer","modulus":"2","remainder":1})"}) {
    EXPECT_THAT(PartitionBounds::FromJson(json), FailsWith(FaultCode::kManifestCorrupt)) << json;
  }
}

TEST(SliceBounds, CutTheBlocksWithoutAGap) {
  const auto slices = SlicesOf(1001, 3);
  ASSERT_EQ(slices.size(), 3u);
  EXPECT_EQ(slices[0].Predicate(),
            "ctid >= '(0,0)'::pg_catalog.tid AND ctid < '(333,0)'::pg_catalog.tid");
  EXPECT_EQ(slices[1].from, *slices[0].to);
  EXPECT_EQ(slices[2].from, *slices[1].to);
  EXPECT_EQ(slices[2].Predicate(), "ctid >= '(667,0)'::pg_catalog.tid");
}

TEST(SliceBounds, AreNotMoreThanBlocks) {
  EXPECT_EQ(SlicesOf(2, 8).size(), 2u);
  EXPECT_THAT(SlicesOf(0, 8), ElementsAre(SliceBounds{}));
  EXPECT_THAT(SlicesOf(100, 1), ElementsAre(SliceBounds{}));
  EXPECT_EQ(SliceBounds{}.Predicate(), "");
}

TEST(SliceBounds, ReadBackWhatTheyWrite) {
  for (const SliceBounds& slice : SlicesOf(4'000'000'000, 4)) {
    EXPECT_EQ(ValueOf(SliceBounds::FromJson(slice.ToJson())), slice);
  }
  EXPECT_EQ(ValueOf(SliceBounds::FromJson(SliceBounds{}.ToJson())), SliceBounds{});
  for (const char* json :
       {"", "[]", R"({"ctid":[0]})", R"({"ctid":[-1,null]})", R"({"ctid":["0",null]})",
        R"({"ctid":[0,4294967295]})", R"({"ctid":[0,1e30]})", R"({"ctid":{}})"}) {
    EXPECT_THAT(SliceBounds::FromJson(json), FailsWith(FaultCode::kManifestCorrupt)) << json;
  }
}

}  // namespace
}  // namespace levada::postgres
