#include "formats/otlp/metrics_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/json.h"

namespace levada::otlp {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const MetricsHead kHead{{{"service.name", "levada"}}, "levada", "0.1.0", 1'000'000, 2'000'003};

/// The metrics of the one scope of the one resource.
Json MetricsOf(const std::vector<MetricFamily>& families) {
  const Json json = ParseJson(MetricsJson(families, kHead));
  return json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
}

TEST(MetricsJson, SaysWhoSpeaks) {
  EXPECT_EQ(MetricsJson({}, kHead),
            R"({"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name",)"
            R"("value":{"stringValue":"levada"}}]},"scopeMetrics":[{"scope":{"name":"levada",)"
            R"("version":"0.1.0"},"metrics":[]}]}]})");
}

TEST(MetricsJson, ACounterIsACumulativeSumFromTheStart) {
  const Json metrics = MetricsOf({{"x_seconds_total", MetricKind::kCounter, "Help.", {{{}, 2.5}}}});
  EXPECT_EQ(metrics, ParseJson(R"([{"name":"x_seconds_total","description":"Help.","unit":"s",
      "sum":{"dataPoints":[{"attributes":[],"startTimeUnixNano":"1000000000",
        "timeUnixNano":"2000003000","asDouble":2.5}],
        "aggregationTemporality":2,"isMonotonic":true}}])"));
}

TEST(MetricsJson, AGaugeHasNoStart) {
  const Json metrics = MetricsOf(
      {{"x_bytes", MetricKind::kGauge, "Help.", {{{{"store", "kv"}, {"kind", "a\"b"}}, 1e18}}}});
  EXPECT_EQ(metrics, ParseJson(R"([{"name":"x_bytes","description":"Help.","unit":"By",
      "gauge":{"dataPoints":[{"attributes":[{"key":"store","value":{"stringValue":"kv"}},
        {"key":"kind","value":{"stringValue":"a\"b"}}],
        "timeUnixNano":"2000003000","asDouble":1e18}]}}])"));
}

TEST(MetricsJson, AHistogramHasItsBounds) {
  MetricSample sample;
  sample.histogram = MetricHistogram{{0.5, 1}, {3, 0, uint64_t{1} << 60}, 7.25};
  const Json metrics = MetricsOf({{"x", MetricKind::kHistogram, "Help.", {sample}}});
  EXPECT_EQ(metrics, ParseJson(R"([{"name":"x","description":"Help.","histogram":{"dataPoints":[
      {"attributes":[],"startTimeUnixNano":"1000000000","timeUnixNano":"2000003000",
       "count":"1152921504606846979","sum":7.25,"bucketCounts":["3","0","1152921504606846976"],
       "explicitBounds":[0.5,1.0]}],"aggregationTemporality":2}}])"));
}

TEST(MetricsJson, WhatHasNoSamplesIsLeftOut) {
  EXPECT_THAT(MetricsOf({{"x", MetricKind::kGauge, "Help.", {}}}), IsEmpty());
}

TEST(MetricsJson, NumbersThatJsonHasNotAreTexts) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::string text = MetricsJson(
      {{"x",
        MetricKind::kGauge,
        "",
        {{{}, infinity}, {{}, -infinity}, {{}, std::numeric_limits<double>::quiet_NaN()}}}},
      kHead);
  for (const char* written :
       {R"("asDouble":"Infinity")", R"("asDouble":"-Infinity")", R"("asDouble":"NaN")"}) {
    EXPECT_THAT(text, HasSubstr(written));
  }
}

TEST(ExportAnswer, APartialSuccessSaysWhatWasRejected) {
  for (const char* number : {"7", "\"7\""}) {
    const ExportAnswer answer =
        ParseExportAnswer(std::string(R"({"partialSuccess":{"rejectedDataPoints":)") + number +
                          R"(,"errorMessage":"too\nold"}})");
    EXPECT_EQ(answer.rejected_points, 7);
    EXPECT_EQ(answer.message, "too old");
  }
}

TEST(ExportAnswer, AFailureHasAMessage) {
  EXPECT_EQ(ParseExportAnswer(R"({"code":3,"message":"bad data"})").message, "bad data");
  EXPECT_EQ(
      ParseExportAnswer(R"({"message":")" + std::string(10'000, 'x') + R"("})").message.size(),
      500U);
}

TEST(ExportAnswer, WhatIsNoneSaysNothing) {
  const std::string whole = R"({"partialSuccess":{"rejectedDataPoints":"7","errorMessage":"x"}})";
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(ParseExportAnswer(whole.substr(0, size)).message, IsEmpty()) << size;
  }
  for (const char* text : {"{}", "[]", "null", R"({"partialSuccess":{}})", R"({"message":3})",
                           R"({"partialSuccess":[]})", "<html>", "\xff"}) {
    const ExportAnswer answer = ParseExportAnswer(text);
    EXPECT_EQ(answer.rejected_points, 0) << text;
    EXPECT_THAT(answer.message, IsEmpty()) << text;
  }
  EXPECT_EQ(
      ParseExportAnswer(R"({"partialSuccess":{"rejectedDataPoints":"many"}})").rejected_points, 0);
}

}  // namespace
}  // namespace levada::otlp
