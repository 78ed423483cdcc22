#pragma once
// Metrics as a collector of OpenTelemetry takes them: the values of base/metrics.h as the JSON of
// an ExportMetricsServiceRequest, and what its answer says. Bytes alone: who sends them, when and
// where to is the caller's.
//
// Source: OTLP 1.x, opentelemetry-proto docs/specification.md ("JSON Protobuf Encoding") and
// opentelemetry/proto/metrics/v1/metrics.proto.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"

namespace levada::otlp {

/// Names and values, in the order sent; each name once.
using Attributes = std::vector<std::pair<std::string, std::string>>;

/// What is said of all metrics of one export.
struct MetricsHead {
  Attributes resource;        ///< "service.name" and the like: who speaks
  std::string scope_name;     ///< of the program's part that measures
  std::string scope_version;  ///< empty: not said
  WallMicros start = 0;       ///< since when counters and histograms count
  WallMicros now = 0;         ///< when they were read
};

/// Sums are cumulative from `start`. Names are those of Prometheus' text; the unit is what they end
/// in. Families without samples are left out.
std::string MetricsJson(const std::vector<MetricFamily>& families, const MetricsHead& head);

/// What a collector says beside its status.
struct ExportAnswer {
  int64_t rejected_points = 0;
  std::string message;  ///< of a refusal, a partial one or a warning; at most 500 bytes
};
/// Of a body of JSON, whatever it is: one that is none says nothing.
ExportAnswer ParseExportAnswer(std::string_view body);

}  // namespace levada::otlp
