// Points of clients: what a binding sends, and the lines of a bulk write. What is taken makes a row
// whose end is found again. The first byte chooses.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "services/analytics/point.h"

namespace levada::services::analytics {
namespace {

constexpr WallMicros kNow = 1'764'511'200'000'000;

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void CheckPoint(const PointLimits& limits, const DataPoint& point) {
  size_t blob_bytes = 0;
  for (const std::string& blob : point.blobs) blob_bytes += blob.size();
  Check(blob_bytes <= limits.blob_bytes_max && point.index.size() <= limits.index_bytes_max);
  Check(point.at >= kNow - limits.retention && point.at <= kNow + limits.ahead_max);
  std::string row;
  AppendRow(point, row);
  Check(RowBytes(row + "more") == row.size());
}

}  // namespace

void ReadAny(uint8_t choice, std::string_view text) {
  const PointLimits limits{.blob_bytes_max = 50, .points_max = 8};
  if (choice % 3 == 0) {
    const auto lines = ParseLines(limits, kNow, text);
    if (const auto* points = std::get_if<std::vector<DataPoint>>(&lines)) {
      for (const DataPoint& point : *points) CheckPoint(limits, point);
    }
  } else if (choice % 3 == 1) {
    const auto point = ParseBindingPoint(limits, kNow, text);
    if (const auto* taken = std::get_if<DataPoint>(&point)) CheckPoint(limits, *taken);
  } else {
    const auto size = RowBytes(text);
    Check(!size || *size <= text.size());
  }
}

}  // namespace levada::services::analytics

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  levada::services::analytics::ReadAny(
      data[0], std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  return 0;
}
