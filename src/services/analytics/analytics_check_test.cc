#include "services/analytics/analytics_check.h"

#include "base/testing.h"
#include "os/memory_disk.h"
#include "services/analytics/point.h"
#include "services/analytics/segment.h"

namespace levada::services::analytics {
namespace {

class AnalyticsCheckTest : public testing::Test {
 protected:
  AnalyticsCheckTest() { EXPECT_THAT(disk_.CreateDirectories("ae/wal"), IsOk()); }

  std::string PathOf(uint64_t number) { return "ae/wal/" + NameOfSegment(number); }
  void Write(uint64_t number, uint64_t dataset, size_t points) {
    const auto writer = ValueOf(SegmentWriter::Create(disk_, PathOf(number), {number, 7}));
    for (int batch = 0; batch < 2; ++batch) {
      ASSERT_THAT(writer->Append(RowsOf(dataset, std::vector<DataPoint>(points))), IsOk());
    }
  }
  uint64_t Points(const KnownResources& datasets) {
    return ValueOf(CheckAnalytics(test_.context(), disk_, "ae", datasets, findings_)).points;
  }

  TestContext test_;
  os::MemoryDisk disk_;
  Findings findings_;
};

TEST_F(AnalyticsCheckTest, CountsPointsThatWait) {
  Write(1, 5, 3);
  Write(2, 5, 1);
  EXPECT_EQ(Points(std::map<uint64_t, std::string>{{5, "set"}}), 8u);
  EXPECT_EQ(findings_.damage() + findings_.leftovers(), 0u);
}

TEST_F(AnalyticsCheckTest, HasNothingToSayOfADirectoryThatIsNotThere) {
  EXPECT_EQ(ValueOf(CheckAnalytics(test_.context(), disk_, "none", {}, findings_)).points, 0u);
  EXPECT_EQ(findings_.damage(), 0u);
}

TEST_F(AnalyticsCheckTest, NamesWhatIsDamagedAndCountsTheRest) {
  Write(1, 5, 3);
  Write(2, 5, 1);
  const uint8_t other = 0;
  const auto file = ValueOf(disk_.OpenMutable(PathOf(1)));
  ASSERT_THAT(file->WriteAt(33, {&other, 1}), IsOk());
  EXPECT_EQ(Points({}), 2u);
  ASSERT_EQ(findings_.damage(), 1u);
  EXPECT_EQ(findings_.kept().front().where, PathOf(1));
}

TEST_F(AnalyticsCheckTest, RowsHaveToBeRows) {
  const auto writer = ValueOf(SegmentWriter::Create(disk_, PathOf(3), {3, 7}));
  const std::vector<Rows> rows{{5, 1, 1, "no row"}};
  ASSERT_THAT(writer->Append(rows), IsOk());
  (void)Points({});
  EXPECT_EQ(findings_.damage(), 1u);
}

TEST_F(AnalyticsCheckTest, PointsOfADatasetThatIsGoneAreLeftOver) {
  Write(1, 5, 1);
  (void)Points(std::map<uint64_t, std::string>{{6, "another"}});
  EXPECT_EQ(findings_.damage(), 0u);
  EXPECT_EQ(findings_.leftovers(), 1u);
}

}  // namespace
}  // namespace levada::services::analytics
