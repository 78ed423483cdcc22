#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace levada {
namespace {

TEST(PrometheusText, WritesHelpTypeAndSamples) {
  EXPECT_EQ(PrometheusText({{"a_total", MetricKind::kCounter, "of things", {{{}, 3}}},
                            {"b_bytes", MetricKind::kGauge, "h", {{{{"x", "1"}, {"y", "2"}}, 0.5}}},
                            {"nothing", MetricKind::kGauge, "h", {}}}),
            "# HELP a_total of things\n# TYPE a_total counter\na_total 3\n"
            "# HELP b_bytes h\n# TYPE b_bytes gauge\nb_bytes{x=\"1\",y=\"2\"} 0.5\n");
}

TEST(PrometheusText, AHistogramGrowsFromBucketToBucket) {
  MetricSample sample{{{"r", "/"}}, 0, MetricHistogram{{0.5, 2}, {1, 0, 2}, 7.25}};
  EXPECT_EQ(PrometheusText({{"s", MetricKind::kHistogram, "h", {sample}}}),
            "# HELP s h\n# TYPE s histogram\n"
            "s_bucket{r=\"/\",le=\"0.5\"} 1\ns_bucket{r=\"/\",le=\"2\"} 1\n"
            "s_bucket{r=\"/\",le=\"+Inf\"} 3\ns_sum{r=\"/\"} 7.25\ns_count{r=\"/\"} 3\n");
}

TEST(PrometheusText, EscapesWhatWouldEndALabelOrALine) {
  EXPECT_EQ(PrometheusText({{"a", MetricKind::kGauge, "b\\s\n\"q\"", {{{{"l", "q\"b\\s\n"}}, 1}}}}),
            "# HELP a b\\\\s\\n\"q\"\n# TYPE a gauge\na{l=\"q\\\"b\\\\s\\n\"} 1\n");
}

TEST(PrometheusText, NumbersAreExactOrSaid) {
  const auto text = [](double value) {
    const std::string all = PrometheusText({{"a", MetricKind::kGauge, "", {{{}, value}}}});
    return all.substr(all.rfind(' ') + 1);
  };
  EXPECT_EQ(text(9007199254740991.0), "9007199254740991\n");
  EXPECT_EQ(text(NAN), "NaN\n");
  EXPECT_EQ(text(-INFINITY), "-Inf\n");
}

}  // namespace
}  // namespace levada
