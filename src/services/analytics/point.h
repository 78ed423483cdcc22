#pragma once
// DataPoint: what a Worker writes with writeDataPoint, from the two forms in which it comes (the
// binding's JSON, and a line of a bulk write) to a row of the engine. Pure functions.
//
// The binding's JSON is workerd's (src/workerd/api/analytics-engine.capnp, as JSON): text as arrays
// of byte numbers, doubles as numbers or, where JSON has none for them, as strings. A line of a
// bulk write is the argument of writeDataPoint, with a timestamp or without:
//
//     {"indexes": ["a"], "blobs": ["x", null], "doubles": [1, 2.5], "timestamp":
//     "2026-11-30T14:00:00Z"}

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "services/analytics/segment_record.h"

namespace levada::services::analytics {

inline constexpr size_t kBlobsMax = 20;
inline constexpr size_t kDoublesMax = 20;

struct PointLimits {
  size_t index_bytes_max = 96;
  size_t blob_bytes_max = 16'000;  ///< of all blobs of a point
  size_t points_max = 10'000;      ///< of one bulk write
  size_t bulk_bytes_max = size_t{32} << 20;
  size_t binding_bytes_max = size_t{256} << 10;  ///< text is up to four bytes a byte there
  WallMicros retention = WallMicros{92} * 86'400 * 1'000'000;  ///< three months at most
  WallMicros ahead_max = WallMicros{3600} * 1'000'000;         ///< of a client's clock before ours
};

struct DataPoint {
  WallMicros at = 0;
  std::string index;
  std::array<std::string, kBlobsMax> blobs;   ///< '' where there is none
  std::array<double, kDoublesMax> doubles{};  ///< 0 where there is none
};

/// Why it is none; lower case, for the client.
struct BadPoint {
  std::string message;
};

/// `now` is the time of a point that brings none.
std::variant<DataPoint, BadPoint> ParseBindingPoint(const PointLimits& limits, WallMicros now,
                                                    std::string_view json);
std::variant<DataPoint, BadPoint> ParseLine(const PointLimits& limits, WallMicros now,
                                            std::string_view json);
/// All lines or the first that is none, with its number. Empty lines are passed over.
std::variant<std::vector<DataPoint>, BadPoint> ParseLines(const PointLimits& limits, WallMicros now,
                                                          std::string_view ndjson);

/// The Monday of a time's week in UTC, in days since 1970.
uint32_t WeekOf(WallMicros at);
/// Appends the point in the engine's RowBinary: timestamp, _sample_interval, index1, blob1 to
/// blob20, double1 to double20.
void AppendRow(const DataPoint& point, std::string& out);
/// Bytes of the row that `bytes` begin with; nullopt where that is none.
std::optional<size_t> RowBytes(std::string_view bytes);
/// By week, in the order given.
std::vector<Rows> RowsOf(uint64_t dataset, std::span<const DataPoint> points);

}  // namespace levada::services::analytics
