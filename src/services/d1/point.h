#pragma once
// Point: one state of a database, as its history counts them; and Bookmark, its name for people and
// for sessions of Workers.
//
// Each commit is the next point. A restore is one too, and begins an epoch: the points that it
// undid keep their numbers, so that it can be undone. Numbers are never given twice.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace levada::services::d1 {

struct Point {
  uint32_t epoch = 1;
  uint64_t seq = 0;         ///< 0: the empty database
  int64_t ms = 0;           ///< since 1970; never less than that of the point before
  uint32_t page_count = 1;  ///< of the database
  bool operator==(const Point&) const = default;
};

struct Bookmark {
  uint32_t epoch = 1;
  uint64_t seq = 0;
  int64_t ms = 0;
  bool operator==(const Bookmark&) const = default;
};

/// "00000001-00000000-0000024c-...": epoch, both halves of the number, and 32 digits of the time
/// and a check. Of two points of one database the later one's is greater, compared as text.
std::string FormatBookmark(uint64_t database, const Point& point);
/// nullopt for a text that is none, or is another database's.
std::optional<Bookmark> ParseBookmark(uint64_t database, std::string_view text);

/// The second whose last point stands for all of it once the history is thinned: points of
/// (s - 1, s] are of second s, so that a restore to a whole second finds the same before and after.
constexpr int64_t SecondOf(int64_t ms) { return ms / 1000 + (ms % 1000 > 0 ? 1 : 0); }

}  // namespace levada::services::d1
