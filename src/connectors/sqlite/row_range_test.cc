#include "connectors/sqlite/row_range.h"

#include <limits>

#include "base/testing.h"

namespace levada::sqlite {
namespace {

RowRange Range(std::string by, std::optional<int64_t> from, std::optional<int64_t> to) {
  return RowRange{std::move(by), false, from, to};
}

TEST(RowRange, ComesBackFromItsRecord) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kGreatest = std::numeric_limits<int64_t>::max();
  for (const RowRange& range :
       {RowRange{}, Range("", std::nullopt, 5), Range("", kLeast, kGreatest), Range("", -1, {}),
        Range("a \"b\"", 0, 7), Range("ü", {}, {})}) {
    EXPECT_EQ(ValueOf(RowRange::FromJson(range.ToJson())), range) << range.ToJson();
  }
}

TEST(RowRange, RefusesWhatItDidNotWrite) {
  for (const char* text :
       {"", "[]", "1", R"({"by":null})", R"({"from":1,"to":2})", R"({"by":"","from":1,"to":2})",
        R"({"by":1,"from":1,"to":2})", R"({"by":null,"from":1.5,"to":2})",
        R"({"by":null,"from":"1","to":2})", R"({"by":null,"from":1})",
        R"({"by":null,"from":9223372036854775808,"to":null})"}) {
    EXPECT_THAT(RowRange::FromJson(text), FailsWith(FaultCode::kManifestCorrupt)) << text;
  }
}

TEST(RowRange, SaysItsRowsInSqlAndInWords) {
  EXPECT_EQ(RowRange{}.Condition("rowid"), "");
  EXPECT_EQ(Range("", {}, {}).Condition("rowid"), "");
  EXPECT_EQ(Range("", 1, 5).Condition("rowid"), "rowid >= 1 AND rowid < 5");
  EXPECT_EQ(Range("", {}, -5).Condition("rowid"), "rowid < -5");
  EXPECT_EQ(Range("a", {}, 5).Condition("\"a\""), "(\"a\" < 5 OR \"a\" IS NULL)");
  EXPECT_EQ(Range("a", 5, {}).Condition("\"a\""), "\"a\" >= 5");
  EXPECT_EQ(Range("", 1, 5).Meaning(), "rowid in [1, 5)");
  EXPECT_EQ(Range("a", {}, 5).Meaning(), "a < 5 or null");
  EXPECT_EQ(Range("a", 5, {}).Meaning(), "a >= 5");
}

TEST(RangesBetween, AreOpenAtBothEnds) {
  EXPECT_EQ(RangesBetween("a", {}), std::vector<RowRange>{RowRange{}});
  EXPECT_EQ(RangesBetween("a", {0, 5}),
            (std::vector<RowRange>{Range("a", {}, 0), Range("a", 0, 5), Range("a", 5, {})}));
}

TEST(PartitionBounds, HoldWindowAndRowsAndReadOlderRecords) {
  WindowBounds window{"at", "2026-01-01", "2026-01-02", true, false};
  for (const PartitionBounds& bounds :
       {PartitionBounds{}, PartitionBounds{window, {}}, PartitionBounds{{}, Range("", 1, 5)},
        PartitionBounds{window, Range("a", {}, 5)}}) {
    EXPECT_EQ(ValueOf(PartitionBounds::FromJson(bounds.ToJson())), bounds) << bounds.ToJson();
  }
  EXPECT_EQ(PartitionBounds{}.ToJson(), "{}");
  EXPECT_EQ(ValueOf(PartitionBounds::FromJson(window.ToJson())), (PartitionBounds{window, {}}));
  EXPECT_EQ(PartitionBounds{}.Meaning(), "all rows");
  EXPECT_EQ((PartitionBounds{window, Range("", 1, 5)}.Meaning()),
            "rowid in [1, 5) and at in [2026-01-01, 2026-01-02) or null");
  for (const char* text : {"", "[]", R"({"rows":{}})", R"({"rows":1})", R"({"ctid":[0,10]})"}) {
    EXPECT_THAT(PartitionBounds::FromJson(text), FailsWith(FaultCode::kManifestCorrupt)) << text;
  }
}

}  // namespace
}  // namespace levada::sqlite
