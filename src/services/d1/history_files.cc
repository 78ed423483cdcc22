#include "services/d1/history_files.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

namespace levada::services::d1 {
namespace {

constexpr size_t kStemBytes = 16 + 1 + 8 + 1 + 16 + 1 + 8;

std::string_view EndingOf(HistoryFileKind kind) {
  switch (kind) {
    case HistoryFileKind::kSegment:
      return ".log";
    case HistoryFileKind::kThinned:
      return ".thin";
    case HistoryFileKind::kBase:
      return ".base";
  }
  return "";
}

template <typename T>
bool Hex(std::string_view digits, T& out) {
  uint64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  out = static_cast<T>(value);
  return parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
}

std::optional<Point> PointOfStem(std::string_view stem) {
  Point point;
  if (stem.size() != kStemBytes || stem[16] != '-' || stem[25] != '-' || stem[42] != '-' ||
      !Hex(stem.substr(0, 16), point.seq) || !Hex(stem.substr(17, 8), point.epoch) ||
      !Hex(stem.substr(26, 16), point.ms) || !Hex(stem.substr(43, 8), point.page_count)) {
    return std::nullopt;
  }
  return point;
}

}  // namespace

std::string HistoryPath(const std::string& directory, HistoryFileKind kind, const Point& point) {
  return os::JoinPath(
      directory, fmt::format("{:016x}-{:08x}-{:016x}-{:08x}{}", point.seq, point.epoch,
                             static_cast<uint64_t>(point.ms), point.page_count, EndingOf(kind)));
}

Result<HistoryFiles> ListHistory(os::Disk& disk, const std::string& directory) {
  HistoryFiles files;
  ARROW_ASSIGN_OR_RAISE(const auto entries, disk.List(directory));
  for (const os::DirectoryEntry& entry : entries) {
    if (entry.is_directory) continue;
    const std::string_view name = entry.name;
    const std::string path = os::JoinPath(directory, name);
    if (name.ends_with(kUnfinished)) files.leftovers.push_back(path);
    const auto point = PointOfStem(name.substr(0, std::min(name.size(), kStemBytes)));
    if (!point) continue;
    const std::string_view ending = name.substr(kStemBytes);
    if (ending == EndingOf(HistoryFileKind::kBase)) {
      files.bases.push_back({HistoryFileKind::kBase, *point, path});
    } else if (ending == EndingOf(HistoryFileKind::kSegment)) {
      files.segments.push_back({HistoryFileKind::kSegment, *point, path});
    } else if (ending == EndingOf(HistoryFileKind::kThinned)) {
      // Its name comes behind that of the segment it was made of.
      if (!files.segments.empty() && files.segments.back().point == *point) {
        files.leftovers.push_back(files.segments.back().path);
        files.segments.pop_back();
      }
      files.segments.push_back({HistoryFileKind::kThinned, *point, path});
    }
  }
  return files;
}

}  // namespace levada::services::d1
