#include "connectors/generate/row_range.h"

#include "base/testing.h"

namespace levada::generate {
namespace {

using testing::ElementsAre;

TEST(RowRange, ReadsBackWhatItWrites) {
  const RowRange range{5, 50'000'000'000};
  EXPECT_EQ(ValueOf(RowRange::FromJson(range.ToJson(), 50'000'000'000)), range);
}

TEST(RowRange, RefusesRecordsOfOthers) {
  for (const char* json :
       {"", "{}", "[]", "null", "{\"from\":0}", "{\"from\":0,\"to\":\"5\"}",
        "{\"from\":-1,\"to\":5}", "{\"from\":5,\"to\":4}", "{\"from\":0,\"to\":11}",
        "{\"from\":0,\"to\":5.5}", "{\"from\":0,\"to\":5,\"more\":1}",
        "{\"from\":0,\"to\":18446744073709551615}", "{\"from\":-9223372036854775808,\"to\":0}",
        "{\"from\":0,\"to\":5"}) {
    EXPECT_THAT(RowRange::FromJson(json, 10), FailsWith(FaultCode::kManifestCorrupt)) << json;
  }
}

TEST(RowRange, EvenRangesDifferByARowAtMost) {
  EXPECT_THAT(EvenRanges({0, 10}, 3), ElementsAre(RowRange{0, 3}, RowRange{3, 6}, RowRange{6, 10}));
  EXPECT_THAT(EvenRanges({5, 7}, 8), ElementsAre(RowRange{5, 6}, RowRange{6, 7}));
  EXPECT_THAT(EvenRanges({5, 5}, 8), ElementsAre(RowRange{5, 5}));
}

TEST(RowRange, RangesOfASizeAreCutAtItsMultiples) {
  EXPECT_THAT(RangesOfSize({0, 10}, 4),
              ElementsAre(RowRange{0, 4}, RowRange{4, 8}, RowRange{8, 10}));
  EXPECT_THAT(RangesOfSize({6, 9}, 4), ElementsAre(RowRange{6, 8}, RowRange{8, 9}));
  EXPECT_THAT(RangesOfSize({0, 8}, 4), ElementsAre(RowRange{0, 4}, RowRange{4, 8}));
  EXPECT_THAT(RangesOfSize({3, 3}, 4), ElementsAre(RowRange{3, 3}));
  EXPECT_THAT(RangesOfSize({3, 5}, INT64_MAX), ElementsAre(RowRange{3, 5}));
  for (int64_t from = 0; from < 12; ++from) {
    for (int64_t to = from; to < 12; ++to) {
      for (int64_t size = 1; size < 6; ++size) {
        const RowRange range{from, to};
        EXPECT_EQ(RangesOfSize(range, size).size(), static_cast<size_t>(CountOfSize(range, size)));
      }
    }
  }
}

}  // namespace
}  // namespace levada::generate
