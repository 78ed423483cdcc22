#include "connectors/sqlite/rowid_spread.h"

#include <limits>
#include <set>

#include "connectors/sqlite/sqlite_fixture.h"

namespace levada::sqlite {
namespace {

using testing::ElementsAre;

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kGreatest = std::numeric_limits<int64_t>::max();

RowidSpread Of(std::vector<RowidSpan> spans) { return RowidSpread(std::move(spans)); }

class RowidSpreadTest : public SqliteFixture {
 protected:
  RowidSpread Spread(const std::set<int64_t>& ids) {
    auto writer = Writer();
    EXPECT_THAT(writer->Execute(ctx_,
                                "DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY "
                                "KEY); BEGIN"),
                IsOk());
    auto insert = ValueOf(writer->Prepare(ctx_, "INSERT INTO t VALUES (?1)"));
    for (const int64_t id : ids) EXPECT_THAT(insert.Bind(1, id).Run(ctx_), IsOk());
    EXPECT_THAT(writer->Execute(ctx_, "COMMIT"), IsOk());
    return ValueOf(RowidSpread::Find(ctx_, *writer, "\"t\"", "rowid"));
  }
  /// How many of the ids lie in each range.
  static std::vector<int64_t> Loads(const std::set<int64_t>& ids,
                                    const std::vector<int64_t>& cuts) {
    std::vector<int64_t> loads(cuts.size() + 1);
    for (const int64_t id : ids) {
      ++loads[static_cast<size_t>(std::ranges::upper_bound(cuts, id) - cuts.begin())];
    }
    return loads;
  }
};

TEST_F(RowidSpreadTest, IsEmptyForATableWithoutRows) {
  const RowidSpread spread = Spread({});
  EXPECT_TRUE(spread.empty());
  EXPECT_EQ(spread.width(), 0);
  EXPECT_THAT(spread.EvenCuts(4), ElementsAre());
}

TEST_F(RowidSpreadTest, CutsOneSpanEvenly) {
  EXPECT_THAT(Of({{1, 100}}).EvenCuts(4), ElementsAre(26, 51, 76));
  EXPECT_THAT(Of({{1, 100}}).EvenCuts(1), ElementsAre());
  EXPECT_THAT(Of({{-5, 4}}).EvenCuts(2), ElementsAre(0));
  EXPECT_THAT(Of({{7, 7}}).EvenCuts(5), ElementsAre());
  EXPECT_THAT(Of({{1, 3}}).EvenCuts(10), ElementsAre(2, 3));
  EXPECT_THAT(Of({{kLeast, kGreatest}}).EvenCuts(2), ElementsAre(0));
  EXPECT_EQ(Of({{kLeast, kGreatest}}).width(), kGreatest);
  EXPECT_EQ(Of({{1, 10}, {21, 30}}).WidthWithin(5, 25), 10);
  EXPECT_EQ(Of({{1, 10}, {21, 30}}).WidthWithin(11, 21), 0);
}

TEST_F(RowidSpreadTest, LeavesGapsOut) {
  std::set<int64_t> ids{kLeast, kGreatest};
  for (int64_t i = 1; i <= 1000; ++i) ids.insert(i);
  for (int64_t i = 1; i <= 1000; ++i) ids.insert(5'000'000'000 + i);
  const RowidSpread spread = Spread(ids);
  EXPECT_EQ(spread.width(), 2002);
  EXPECT_EQ(spread.least(), kLeast);
  EXPECT_EQ(spread.greatest(), kGreatest);
  for (const int64_t load : Loads(ids, spread.EvenCuts(4))) EXPECT_NEAR(load, 500, 2);
}

TEST_F(RowidSpreadTest, IsNoWorseThanEvenRangesForRandomIds) {
  auto chance = MakeSeededRandom(3);
  std::set<int64_t> ids;
  while (ids.size() < 4000) ids.insert(static_cast<int64_t>(chance->Next()));
  const RowidSpread spread = Spread(ids);
  for (const int64_t load : Loads(ids, spread.EvenCuts(4))) EXPECT_NEAR(load, 1000, 150);
}

TEST_F(RowidSpreadTest, HoldsEveryRowAndEachSpanEndsAtRows) {
  auto chance = MakeSeededRandom(5);
  for (int round = 0; round < 10; ++round) {
    std::set<int64_t> ids;
    int64_t id = static_cast<int64_t>(chance->Next()) / 4;
    for (int i = 0; i < 500; ++i) {
      id += 1 + static_cast<int64_t>(chance->Next() >> (8 + chance->Next() % 56)) / 1000;
      ids.insert(id);
    }
    const RowidSpread spread = Spread(ids);
    size_t held = 0;
    int64_t last = kLeast;
    for (const RowidSpan& span : spread.spans()) {
      EXPECT_LE(span.least, span.greatest);
      EXPECT_TRUE(held == 0 || span.least > last);
      last = span.greatest;
      EXPECT_TRUE(ids.contains(span.least) && ids.contains(span.greatest));
      held += static_cast<size_t>(
          std::distance(ids.lower_bound(span.least), ids.upper_bound(span.greatest)));
    }
    EXPECT_EQ(held, ids.size());
    const std::vector<int64_t> cuts = spread.EvenCuts(7);
    EXPECT_TRUE(std::ranges::is_sorted(cuts));
    EXPECT_EQ(std::ranges::adjacent_find(cuts), cuts.end());
  }
}

}  // namespace
}  // namespace levada::sqlite
