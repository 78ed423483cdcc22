#include "services/d1/point.h"

#include <fmt/format.h>

#include <array>

#include "formats/checksums/crc.h"

namespace levada::services::d1 {
namespace {

constexpr size_t kBookmarkBytes = 8 + 1 + 8 + 1 + 8 + 1 + 32;

uint64_t CheckOf(uint64_t database, uint32_t epoch, uint64_t seq, int64_t ms) {
  return checksums::ExtendCrc(checksums::CrcKind::kCrc64Nvme, 0,
                              fmt::format("{:x} {:x} {:x} {:x}", database, epoch, seq, ms));
}

/// Lower-case hex and nothing else.
std::optional<uint64_t> Hex(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'a' || c > 'f')) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

}  // namespace

std::string FormatBookmark(uint64_t database, const Point& point) {
  return fmt::format("{:08x}-{:08x}-{:08x}-{:016x}{:016x}", point.epoch, point.seq >> 32,
                     point.seq & 0xffffffff, static_cast<uint64_t>(point.ms),
                     CheckOf(database, point.epoch, point.seq, point.ms));
}

std::optional<Bookmark> ParseBookmark(uint64_t database, std::string_view text) {
  if (text.size() != kBookmarkBytes) return std::nullopt;
  for (const size_t dash : {8, 17, 26}) {
    if (text[dash] != '-') return std::nullopt;
  }
  std::array<uint64_t, 5> parts{};
  constexpr std::array<std::array<size_t, 2>, 5> kPlaces{
      {{0, 8}, {9, 8}, {18, 8}, {27, 16}, {43, 16}}};
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto part = Hex(text.substr(kPlaces[i][0], kPlaces[i][1]));
    if (!part) return std::nullopt;
    parts[i] = *part;
  }
  const Bookmark bookmark{static_cast<uint32_t>(parts[0]), parts[1] << 32 | parts[2],
                          static_cast<int64_t>(parts[3])};
  if (CheckOf(database, bookmark.epoch, bookmark.seq, bookmark.ms) != parts[4]) return std::nullopt;
  return bookmark;
}

}  // namespace levada::services::d1
