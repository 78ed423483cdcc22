#include "formats/otlp/metrics_json.h"

#include <charconv>
#include <cmath>
#include <numeric>

#include "base/json.h"
#include "base/text_columns.h"

namespace levada::otlp {
namespace {

constexpr int kCumulative = 2;  // AGGREGATION_TEMPORALITY_CUMULATIVE
constexpr size_t kMessageBytesMax = 500;

/// Of 64 bits: a text, as JSON has numbers of 53.
std::string Long(uint64_t value) { return std::to_string(value); }
std::string Nanos(WallMicros time) { return std::to_string(time) + "000"; }

/// What JSON has no number for is a text.
Json Double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

template <typename Name>
Json AttributesOf(const std::vector<std::pair<Name, std::string>>& pairs) {
  Json attributes = Json::array();
  for (const auto& [name, value] : pairs) {
    attributes.push_back({{"key", name}, {"value", {{"stringValue", value}}}});
  }
  return attributes;
}

/// As UCUM writes it.
std::string_view UnitOf(std::string_view name) {
  constexpr std::string_view kTotal = "_total";
  if (name.ends_with(kTotal)) name.remove_suffix(kTotal.size());
  if (name.ends_with("_seconds")) return "s";
  if (name.ends_with("_bytes")) return "By";
  return "";
}

/// What the points of all kinds have. A gauge has no start.
Json Point(const MetricSample& sample, const MetricsHead& head, bool has_start) {
  Json point = {{"attributes", AttributesOf(sample.labels)}};
  if (has_start) point["startTimeUnixNano"] = Nanos(head.start);
  point["timeUnixNano"] = Nanos(head.now);
  return point;
}

Json NumberPoints(const MetricFamily& family, const MetricsHead& head) {
  Json points = Json::array();
  for (const MetricSample& sample : family.samples) {
    Json point = Point(sample, head, family.kind == MetricKind::kCounter);
    point["asDouble"] = Double(sample.value);
    points.push_back(std::move(point));
  }
  return points;
}

Json HistogramPoints(const MetricFamily& family, const MetricsHead& head) {
  Json points = Json::array();
  for (const MetricSample& sample : family.samples) {
    if (!sample.histogram) continue;
    const MetricHistogram& histogram = *sample.histogram;
    Json point = Point(sample, head, true);
    point["count"] =
        Long(std::accumulate(histogram.counts.begin(), histogram.counts.end(), uint64_t{0}));
    point["sum"] = Double(histogram.sum);
    Json& counts = point["bucketCounts"] = Json::array();
    for (const uint64_t count : histogram.counts) counts.push_back(Long(count));
    Json& bounds = point["explicitBounds"] = Json::array();
    for (const double bound : histogram.bounds) bounds.push_back(Double(bound));
    points.push_back(std::move(point));
  }
  return points;
}

Json MetricOf(const MetricFamily& family, const MetricsHead& head) {
  Json metric = {{"name", family.name}, {"description", family.help}};
  if (!UnitOf(family.name).empty()) metric["unit"] = UnitOf(family.name);
  switch (family.kind) {
    case MetricKind::kCounter:
      metric["sum"] = {{"dataPoints", NumberPoints(family, head)},
                       {"aggregationTemporality", kCumulative},
                       {"isMonotonic", true}};
      break;
    case MetricKind::kGauge:
      metric["gauge"] = {{"dataPoints", NumberPoints(family, head)}};
      break;
    case MetricKind::kHistogram:
      metric["histogram"] = {{"dataPoints", HistogramPoints(family, head)},
                             {"aggregationTemporality", kCumulative}};
      break;
  }
  return metric;
}

/// A text of a stranger's, for a line of the log.
std::string MessageAt(const Json& object, const char* name) {
  if (!object.is_object() || !object.contains(name) || !object[name].is_string()) return {};
  return ShownText(object[name].get<std::string>()).substr(0, kMessageBytesMax);
}

/// A number of 64 bits is a text or a number.
int64_t LongAt(const Json& object, const char* name) {
  if (!object.contains(name)) return 0;
  const Json& value = object[name];
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_string()) return 0;
  const std::string text = value.get<std::string>();
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string MetricsJson(const std::vector<MetricFamily>& families, const MetricsHead& head) {
  Json metrics = Json::array();
  for (const MetricFamily& family : families) {
    if (!family.samples.empty()) metrics.push_back(MetricOf(family, head));
  }
  Json scope = {{"name", head.scope_name}};
  if (!head.scope_version.empty()) scope["version"] = head.scope_version;
  const Json scope_metrics = {{"scope", std::move(scope)}, {"metrics", std::move(metrics)}};
  const Json resource_metrics = {{"resource", {{"attributes", AttributesOf(head.resource)}}},
                                 {"scopeMetrics", Json::array({scope_metrics})}};
  return Dump({{"resourceMetrics", Json::array({resource_metrics})}});
}

ExportAnswer ParseExportAnswer(std::string_view body) {
  ExportAnswer answer;
  const Json json = ParseJson(body);
  if (!json.is_object()) return answer;
  answer.message = MessageAt(json, "message");  // of a google.rpc.Status
  if (!json.contains("partialSuccess") || !json["partialSuccess"].is_object()) return answer;
  const Json& partial = json["partialSuccess"];
  answer.rejected_points = LongAt(partial, "rejectedDataPoints");
  answer.message = MessageAt(partial, "errorMessage");
  return answer;
}

}  // namespace levada::otlp
