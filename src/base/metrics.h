#pragma once
// Metrics: counts and measures of a running process as values, and their text as Prometheus reads
// it. Who counts what, and when, is theirs who make them; here nothing is registered and nothing is
// global.
//
// Source of the text: Prometheus' exposition format 0.0.4.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace levada {

enum class MetricKind : uint8_t {
  kCounter,  ///< only grows while the process lives; its name ends in _total
  kGauge,
  kHistogram,
};

/// How many observations fell where. `counts` has one more than `bounds`: those above the last.
struct MetricHistogram {
  std::vector<double> bounds;    ///< the largest value of each bucket, ascending
  std::vector<uint64_t> counts;  ///< of each bucket alone
  double sum = 0;                ///< of all observed values
};

struct MetricSample {
  /// Names are the program's, [a-z_]+; values may be anything.
  std::vector<std::pair<std::string_view, std::string>> labels = {};
  double value = 0;                               ///< of a histogram nothing
  std::optional<MetricHistogram> histogram = {};  ///< of a histogram
};

struct MetricFamily {
  std::string name;  ///< "levada_kv_bytes": in seconds and bytes, with the unit last
  MetricKind kind = MetricKind::kGauge;
  std::string help;  ///< one line, for people
  std::vector<MetricSample> samples = {};
};

/// Families without samples are left out.
std::string PrometheusText(const std::vector<MetricFamily>& families);

inline constexpr std::string_view kPrometheusContentType =
    "text/plain; version=0.0.4; charset=utf-8";

}  // namespace levada
