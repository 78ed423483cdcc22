#include "services/analytics/point.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "base/byte_order.h"
#include "base/json.h"
#include "base/timestamp.h"

namespace levada::services::analytics {
namespace {

constexpr WallMicros kSecond = 1'000'000;
constexpr int64_t kDay = 86'400;
constexpr size_t kTimesBytes = 4 + 4;
constexpr size_t kTextsOfRow = 1 + kBlobsMax;
constexpr size_t kDoublesBytes = 8 * kDoublesMax;

/// Collects what a point is made of; the first problem stays.
class Reader {
 public:
  Reader(const PointLimits& limits, WallMicros now) : limits_(limits), now_(now) {
    point_.at = now;
  }

  bool Fail(std::string message) {
    if (problem_.empty()) problem_ = std::move(message);
    return false;
  }
  bool SetIndex(std::string text) {
    if (text.size() > limits_.index_bytes_max) {
      return Fail(fmt::format("size of index exceeds {} bytes", limits_.index_bytes_max));
    }
    point_.index = std::move(text);
    return true;
  }
  bool SetBlob(size_t at, std::string text) {
    blob_bytes_ += text.size();
    if (blob_bytes_ > limits_.blob_bytes_max) {
      return Fail(fmt::format("cumulative size of blobs exceeds {} bytes", limits_.blob_bytes_max));
    }
    point_.blobs[at] = std::move(text);
    return true;
  }
  bool SetDouble(size_t at, const Json& value) {
    const std::optional<double> number = NumberOf(value);
    if (!number) return Fail(fmt::format("double {} is not a number", at + 1));
    point_.doubles[at] = *number;
    return true;
  }
  bool SetTime(WallMicros at) {
    if (at < now_ - limits_.retention) return Fail("timestamp is older than points are kept");
    if (at > now_ + limits_.ahead_max) return Fail("timestamp is in the future");
    point_.at = at;
    return true;
  }
  std::variant<DataPoint, BadPoint> Take() {
    if (!problem_.empty()) return BadPoint{std::move(problem_)};
    return std::move(point_);
  }

 private:
  /// A number, or what stands for one that JSON has not: NaN, infinities, 64-bit integers.
  static std::optional<double> NumberOf(const Json& value) {
    if (value.is_number()) return value.get<double>();
    if (!value.is_string()) return std::nullopt;
    const auto& text = value.get_ref<const std::string&>();
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_whole = error == std::errc() && end == text.data() + text.size();
    if (!is_whole || !std::isfinite(number)) return std::nullopt;
    return number;
  }

  const PointLimits& limits_;
  const WallMicros now_;
  DataPoint point_;
  size_t blob_bytes_ = 0;
  std::string problem_;
};

/// An array of byte numbers as the bytes; nullopt when it is something else.
std::optional<std::string> BytesOf(const Json& value) {
  if (!value.is_array()) return std::nullopt;
  std::string bytes;
  bytes.reserve(value.size());
  for (const Json& each : value) {
    if (!each.is_number_unsigned() || each.get<uint64_t>() > 255) return std::nullopt;
    bytes.push_back(static_cast<char>(each.get<uint64_t>()));
  }
  return bytes;
}

/// 3 of ("blob4", "blob"): the place of a numbered field, from 0.
std::optional<size_t> PlaceOf(std::string_view name, std::string_view prefix, size_t count) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  if (number < 1 || number > count) return std::nullopt;
  return number - 1;
}

bool ReadNanoseconds(Reader& reader, const Json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : Dump(value);
  int64_t nanoseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), nanoseconds);
  if (error != std::errc() || end != text.data() + text.size()) {
    return reader.Fail("timestamp is not a number");
  }
  return nanoseconds == 0 || reader.SetTime(nanoseconds / 1000);
}

bool ReadBindingField(Reader& reader, const std::string& name, const Json& value) {
  if (value.is_null()) return true;
  if (name == "timestamp") return ReadNanoseconds(reader, value);
  if (const auto place = PlaceOf(name, "double", kDoublesMax)) {
    return reader.SetDouble(*place, value);
  }
  const auto blob = PlaceOf(name, "blob", kBlobsMax);
  if (!blob && name != "index1") return true;  // accountId, dataset: the grant says whose it is
  std::optional<std::string> bytes = BytesOf(value);
  if (!bytes) return reader.Fail(fmt::format("{} is not an array of bytes", name));
  return blob ? reader.SetBlob(*blob, *std::move(bytes)) : reader.SetIndex(*std::move(bytes));
}

bool ReadList(Reader& reader, const std::string& name, const Json& list, size_t most) {
  if (!list.is_array()) return reader.Fail(fmt::format("{} is not an array", name));
  if (list.size() > most) {
    return reader.Fail(fmt::format("maximum of {} {} supported", most, name));
  }
  for (size_t i = 0; i < list.size(); ++i) {
    const Json& value = list[i];
    if (name == "doubles") {
      if (!reader.SetDouble(i, value)) return false;
      continue;
    }
    if (!value.is_string() && !value.is_null()) {
      return reader.Fail(fmt::format("{} are not all text", name));
    }
    std::string text = value.is_null() ? std::string() : value.get<std::string>();
    const bool is_set =
        name == "blobs" ? reader.SetBlob(i, std::move(text)) : reader.SetIndex(std::move(text));
    if (!is_set) return false;
  }
  return true;
}

bool ReadTime(Reader& reader, const Json& value) {
  if (value.is_number_integer()) {  // milliseconds, as Date.now() gives them
    const auto ms = value.get<int64_t>();
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 1000;
    if (ms < 0 || ms > kMost) return reader.Fail("timestamp is not a time");
    return reader.SetTime(ms * 1000);
  }
  const auto at = value.is_string() ? ParseTimestamp(value.get_ref<const std::string&>())
                                    : std::optional<WallMicros>();
  if (!at) {
    return reader.Fail("timestamp is neither ISO 8601 nor milliseconds since 1970");
  }
  return reader.SetTime(*at);
}

bool ReadLineField(Reader& reader, const std::string& name, const Json& value) {
  if (value.is_null()) return true;
  if (name == "indexes") return ReadList(reader, name, value, 1);
  if (name == "blobs") return ReadList(reader, name, value, kBlobsMax);
  if (name == "doubles") return ReadList(reader, name, value, kDoublesMax);
  if (name == "timestamp") return ReadTime(reader, value);
  return reader.Fail("a point has indexes, blobs, doubles and timestamp, and no " +
                     QuoteJson(name));
}

std::variant<DataPoint, BadPoint> Read(const PointLimits& limits, WallMicros now,
                                       std::string_view json,
                                       bool (*read)(Reader&, const std::string&, const Json&)) {
  const Json object = ParseJson(json);
  Reader reader(limits, now);
  if (!object.is_object()) return BadPoint{"it is not a JSON object"};
  for (const auto& [name, value] : object.items()) {
    if (!read(reader, name, value)) break;
  }
  return reader.Take();
}

/// LEB128, as RowBinary has it before a text.
void AppendText(std::string& out, std::string_view text) {
  size_t size = text.size();
  for (; size >= 128; size >>= 7) out.push_back(static_cast<char>((size & 127) | 128));
  out.push_back(static_cast<char>(size));
  out += text;
}

/// Where the text at `at` ends; nullopt when it does not.
std::optional<size_t> EndOfText(std::string_view bytes, size_t at) {
  uint64_t size = 0;
  for (int shift = 0; shift <= 28; shift += 7) {
    if (at >= bytes.size()) return std::nullopt;
    const auto byte = static_cast<uint8_t>(bytes[at++]);
    size |= uint64_t{byte & 127u} << shift;
    if (byte < 128) {
      if (size > bytes.size() - at) return std::nullopt;
      return at + size;
    }
  }
  return std::nullopt;
}

}  // namespace

std::variant<DataPoint, BadPoint> ParseBindingPoint(const PointLimits& limits, WallMicros now,
                                                    std::string_view json) {
  return Read(limits, now, json, ReadBindingField);
}

std::variant<DataPoint, BadPoint> ParseLine(const PointLimits& limits, WallMicros now,
                                            std::string_view json) {
  return Read(limits, now, json, ReadLineField);
}

std::variant<std::vector<DataPoint>, BadPoint> ParseLines(const PointLimits& limits, WallMicros now,
                                                          std::string_view ndjson) {
  std::vector<DataPoint> points;
  size_t number = 0;
  while (!ndjson.empty()) {
    const size_t end = std::min(ndjson.find('\n'), ndjson.size());
    std::string_view line = ndjson.substr(0, end);
    ndjson.remove_prefix(std::min(end + 1, ndjson.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (points.size() == limits.points_max) {
      return BadPoint{fmt::format("a write takes at most {} points", limits.points_max)};
    }
    auto point = ParseLine(limits, now, line);
    if (const auto* bad = std::get_if<BadPoint>(&point)) {
      return BadPoint{fmt::format("line {}: {}", number, bad->message)};
    }
    points.push_back(std::get<DataPoint>(std::move(point)));
  }
  return points;
}

uint32_t WeekOf(WallMicros at) {
  const int64_t day = std::max<int64_t>(at, 0) / kSecond / kDay;
  const int64_t behind_monday = (day + 3) % 7;  // 1970 began on a Thursday
  return static_cast<uint32_t>(std::max<int64_t>(day - behind_monday, 0));
}

void AppendRow(const DataPoint& point, std::string& out) {
  AppendLittleEndian(out, static_cast<uint64_t>(point.at / kSecond), 4);
  AppendLittleEndian(out, 1, 4);  // nothing is sampled
  AppendText(out, point.index);
  for (const std::string& blob : point.blobs) AppendText(out, blob);
  for (const double number : point.doubles) {
    AppendLittleEndian(out, std::bit_cast<uint64_t>(number), 8);
  }
}

std::optional<size_t> RowBytes(std::string_view bytes) {
  std::optional<size_t> at = kTimesBytes;
  for (size_t i = 0; i < kTextsOfRow && at; ++i) at = EndOfText(bytes, *at);
  if (!at || bytes.size() - *at < kDoublesBytes) return std::nullopt;
  return *at + kDoublesBytes;
}

std::vector<Rows> RowsOf(uint64_t dataset, std::span<const DataPoint> points) {
  std::map<uint32_t, Rows> by_week;
  for (const DataPoint& point : points) {
    const uint32_t week = WeekOf(point.at);
    Rows& rows = by_week.try_emplace(week, Rows{dataset, week, 0, {}}).first->second;
    ++rows.count;
    AppendRow(point, rows.bytes);
  }
  std::vector<Rows> all;
  for (auto& [week, rows] : by_week) all.push_back(std::move(rows));
  return all;
}

}  // namespace levada::services::analytics
