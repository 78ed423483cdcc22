#include "services/analytics/point.h"

#include <cmath>

#include "base/testing.h"

namespace levada::services::analytics {
namespace {

using testing::HasSubstr;

constexpr WallMicros kNow = 1'764'511'200'000'000;  // 2025-11-30T14:00:00Z, a Sunday
constexpr WallMicros kDay = WallMicros{86'400} * 1'000'000;
const PointLimits kLimits;

DataPoint PointOf(std::variant<DataPoint, BadPoint> parsed) {
  if (const auto* bad = std::get_if<BadPoint>(&parsed)) throw std::runtime_error(bad->message);
  return std::get<DataPoint>(std::move(parsed));
}
DataPoint Line(std::string_view json) { return PointOf(ParseLine(kLimits, kNow, json)); }
DataPoint Binding(std::string_view json) { return PointOf(ParseBindingPoint(kLimits, kNow, json)); }
std::string WhyNot(std::string_view json) {
  const auto parsed = ParseLine(kLimits, kNow, json);
  const auto* bad = std::get_if<BadPoint>(&parsed);
  return bad == nullptr ? "" : bad->message;
}
std::string WhyNoBinding(std::string_view json) {
  const auto parsed = ParseBindingPoint(kLimits, kNow, json);
  const auto* bad = std::get_if<BadPoint>(&parsed);
  return bad == nullptr ? "" : bad->message;
}

TEST(PointTest, ReadsWhatABindingSends) {
  const DataPoint point = Binding(
      R"({"accountId":"1","dataset":[100,49],"schemaVersion":"0","index1":[97,195,169],)"
      R"("timestamp":"1764511199123456789","double1":1.5,"double2":"NaN","double3":"-Infinity",)"
      R"("double4":"9007199254740993","double20":0,"blob1":[],"blob2":[0,255],"blob3":null})");
  EXPECT_EQ(point.at, 1'764'511'199'123'456);
  EXPECT_EQ(point.index, "aé");
  EXPECT_EQ(point.blobs[1], std::string("\0\xff", 2));
  EXPECT_EQ(point.blobs[2], "");
  EXPECT_EQ(point.doubles[0], 1.5);
  EXPECT_TRUE(std::isnan(point.doubles[1]));
  EXPECT_EQ(point.doubles[2], -HUGE_VAL);
  EXPECT_EQ(point.doubles[3], 9007199254740992.0);
  EXPECT_EQ(Binding("{}").at, kNow);
}

TEST(PointTest, RefusesWhatABindingDoesNotSend) {
  EXPECT_THAT(WhyNoBinding("[]"), HasSubstr("object"));
  EXPECT_THAT(WhyNoBinding(R"({"blob1":[256]})"), HasSubstr("blob1"));
  EXPECT_THAT(WhyNoBinding(R"({"blob1":"x"})"), HasSubstr("blob1"));
  EXPECT_THAT(WhyNoBinding(R"({"index1":[-1]})"), HasSubstr("index1"));
  EXPECT_THAT(WhyNoBinding(R"({"double1":"1.5x"})"), HasSubstr("double 1"));
  EXPECT_THAT(WhyNoBinding(R"({"timestamp":"soon"})"), HasSubstr("timestamp"));
}

TEST(PointTest, ReadsALineOfABulkWrite) {
  const DataPoint point =
      Line(R"({"indexes":["i"],"blobs":["a",null,"c"],"doubles":[1,"Infinity",-2.5],)"
           R"("timestamp":"2025-11-29T14:00:00Z"})");
  EXPECT_EQ(point.at, kNow - kDay);
  EXPECT_EQ(point.index, "i");
  EXPECT_EQ(point.blobs[2], "c");
  EXPECT_EQ(point.doubles[1], HUGE_VAL);
  EXPECT_EQ(Line(R"({"timestamp":1764511199500})").at, kNow - 500'000);
  EXPECT_EQ(Line(R"({"blobs":null})").at, kNow);
}

TEST(PointTest, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(WhyNot("nothing"), HasSubstr("object"));
  EXPECT_THAT(WhyNot(R"({"index":["a"]})"), HasSubstr("\"index\""));
  EXPECT_THAT(WhyNot(R"({"indexes":["a","b"]})"), HasSubstr("maximum of 1 indexes"));
  EXPECT_THAT(WhyNot(R"({"doubles":[true]})"), HasSubstr("double 1"));
  EXPECT_THAT(WhyNot(R"({"blobs":[1]})"), HasSubstr("blobs"));
  EXPECT_THAT(WhyNot(R"({"blobs":{}})"), HasSubstr("array"));
  EXPECT_THAT(WhyNot(R"({"timestamp":"2025-01-01"})"), HasSubstr("older"));
  EXPECT_THAT(WhyNot(R"({"timestamp":"2026-01-01"})"), HasSubstr("future"));
  EXPECT_THAT(WhyNot(R"({"timestamp":1.5})"), HasSubstr("ISO"));
  EXPECT_THAT(WhyNot(R"({"timestamp":9223372036854775807})"), HasSubstr("timestamp"));
}

TEST(PointTest, HoldsTheLimits) {
  const auto line_of = [](size_t index, size_t blob) {
    return R"({"indexes":[")" + std::string(index, 'i') + R"("],"blobs":[")" +
           std::string(blob, 'b') + R"(","b"]})";
  };
  EXPECT_EQ(WhyNot(line_of(96, 15'999)), "");
  EXPECT_THAT(WhyNot(line_of(97, 1)), HasSubstr("96"));
  EXPECT_THAT(WhyNot(line_of(1, 16'000)), HasSubstr("16000"));
  std::string twenty_one = R"({"doubles":[0)";
  for (int i = 0; i < 20; ++i) twenty_one += ",0";
  EXPECT_THAT(WhyNot(twenty_one + "]}"), HasSubstr("20 doubles"));
}

TEST(PointTest, ReadsLinesOrNamesTheFirstThatIsWrong) {
  const PointLimits limits{.points_max = 3};
  const auto lines = [&](std::string_view text) { return ParseLines(limits, kNow, text); };
  EXPECT_EQ(std::get<0>(lines("{}\r\n\n{}\n{}")).size(), 3u);
  EXPECT_EQ(std::get<0>(lines("")).size(), 0u);
  EXPECT_THAT(std::get<1>(lines("{}\n\n{\n")).message, HasSubstr("line 3"));
  EXPECT_THAT(std::get<1>(lines("{}\n{}\n{}\n{}\n")).message, HasSubstr("at most 3"));
}

TEST(PointTest, AWeekBeginsOnMonday) {
  EXPECT_EQ(WeekOf(kNow), 20416u);  // 2025-11-24
  EXPECT_EQ(WeekOf(kNow + kDay), 20423u);
  EXPECT_EQ(WeekOf(0), 0u);
}

TEST(PointTest, RowsAreOfAWeekAndFindTheirEnds) {
  std::vector<DataPoint> points(3);
  points[0].at = kNow;
  points[0].blobs[19] = std::string(300, 'x');
  points[1].at = kNow + kDay;
  points[2].at = kNow;
  const std::vector<Rows> rows = RowsOf(9, points);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].count, 2u);
  EXPECT_EQ(rows[1].week, 20423u);
  const size_t first = RowBytes(rows[0].bytes).value();
  EXPECT_EQ(first, 8u + 20 + 2 + 300 + 160);
  const std::string_view rest = std::string_view(rows[0].bytes).substr(first);
  EXPECT_EQ(RowBytes(rest), rest.size());
  for (size_t size = 0; size < first; ++size) {
    EXPECT_FALSE(RowBytes(std::string_view(rows[0].bytes).substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace levada::services::analytics
