#pragma once
// WindowBounds: the part of a relation that belongs to one window. SQLite has no time types, so a
// window is a range of texts: ISO dates and timestamps sort as texts in the order of time.

#include <arrow/type.h>

#include <memory>
#include <optional>
#include <string>

#include "elt/run.h"

namespace levada::sqlite {

/// Recorded with the Split and never computed again. Without a window `column` is empty.
struct WindowBounds {
  std::string column;
  std::string from;  ///< "2026-01-01", or "2026-01-01 05:00" where a bound is no midnight
  std::string to;
  bool nulls = false;      ///< this window also takes the rows without a time
  bool null_error = true;  ///< a row without a time is an error

  std::string ToJson() const;
  /// kManifestCorrupt for anything else.
  static Result<WindowBounds> FromJson(const std::string& json);
  bool operator==(const WindowBounds&) const = default;
};

/// The bounds of `run` on a column of `type`. Values have no zone, so they are read on the clock of
/// the window's own time zone: what it shows twice belongs to the later window, what it skips to
/// the window behind the skip. kBadWindow for a type that is no date, timestamp or text, for a
/// timestamp with an offset, and for hours on a column of dates.
Result<WindowBounds> BoundsOf(const elt::RunInstance& run, const arrow::DataType& type);

/// The condition that selects the rows of the window; empty without one. Where both bounds are
/// midnights it is one range, which an index on the column answers.
std::string Condition(const WindowBounds& bounds);

/// The condition of rows that no window would take: NULL where that is an error, and what does not
/// begin like a date. Empty without a window.
std::string StrayCondition(const WindowBounds& bounds);

/// The condition of rows of the window that are in it by chance: texts of another form than ISO
/// dates and timestamps do not sort like time, and those with an offset do only where all have the
/// same, which is allowed where the window's own clock shows UTC (`is_utc`) and they say so. Empty
/// without a window.
std::string MisfitCondition(const WindowBounds& bounds, bool is_utc);

/// "created_at in [2026-01-01, 2026-01-02)", "all rows"
std::string Meaning(const WindowBounds& bounds);

}  // namespace levada::sqlite
