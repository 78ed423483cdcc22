#include "connectors/sqlite/rowid_spread.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace levada::sqlite {
namespace {

using db::sqlite::Database;
using db::sqlite::Statement;
using Wide = __int128;

// Two seeks each, some microseconds; as many gaps are found.
constexpr int kHalvings = 128;
// A narrower span is not worth a seek.
constexpr Wide kNarrow = 64;

Wide WidthOf(const RowidSpan& span) { return Wide{span.greatest} - span.least + 1; }

/// The two ends of the gap in `span` around `middle`: the last rowid below it and the first from
/// there on. The span has rows at its ends, so there are both; a damaged table may say otherwise.
Result<RowidSpan> GapAround(const Context& ctx, Statement& seek, const RowidSpan& span,
                            int64_t middle) {
  seek.Bind(1, middle);
  ARROW_ASSIGN_OR_RAISE(const bool row, seek.Step(ctx));
  RowidSpan gap{middle - 1, middle};
  if (row && !seek.IsNull(0) && !seek.IsNull(1)) gap = {seek.Int64(0), seek.Int64(1)};
  seek.Reset();
  const bool makes_sense = span.least <= gap.least && gap.least < middle &&
                           middle <= gap.greatest && gap.greatest <= span.greatest;
  return makes_sense ? gap : RowidSpan{middle - 1, middle};
}

}  // namespace

Result<RowidSpread> RowidSpread::Find(const Context& ctx, Database& database,
                                      const std::string& from, const std::string& row_id) {
  // One question each: SQLite seeks for a least or greatest value that is asked for alone.
  ARROW_ASSIGN_OR_RAISE(
      Statement ends,
      database.Prepare(ctx, "SELECT (SELECT min(" + row_id + ") FROM " + from + "), (SELECT max(" +
                                row_id + ") FROM " + from + ")"));
  ARROW_ASSIGN_OR_RAISE(const bool row, ends.Step(ctx));
  if (!row || ends.IsNull(0) || ends.IsNull(1)) return RowidSpread(std::vector<RowidSpan>{});
  std::vector<RowidSpan> spans{{ends.Int64(0), std::max(ends.Int64(0), ends.Int64(1))}};
  ends.Reset();
  ARROW_ASSIGN_OR_RAISE(
      Statement seek,
      database.Prepare(ctx, "SELECT (SELECT max(" + row_id + ") FROM " + from + " WHERE " + row_id +
                                " < ?1), (SELECT min(" + row_id + ") FROM " + from + " WHERE " +
                                row_id + " >= ?1)"));
  for (int i = 0; i < kHalvings; ++i) {
    const auto widest = std::ranges::max_element(spans, {}, WidthOf);
    if (WidthOf(*widest) < kNarrow) break;
    const auto middle = static_cast<int64_t>(Wide{widest->least} + WidthOf(*widest) / 2);
    ARROW_ASSIGN_OR_RAISE(const RowidSpan gap, GapAround(ctx, seek, *widest, middle));
    const RowidSpan right{gap.greatest, widest->greatest};
    widest->greatest = gap.least;
    spans.insert(widest + 1, right);
  }
  return RowidSpread(std::move(spans));
}

int64_t RowidSpread::WidthWithin(std::optional<int64_t> from, std::optional<int64_t> to) const {
  Wide width = 0;
  for (const RowidSpan& span : spans_) {
    const Wide first = from ? std::max<Wide>(span.least, *from) : Wide{span.least};
    const Wide end = to ? std::min<Wide>(Wide{span.greatest} + 1, *to) : Wide{span.greatest} + 1;
    if (end > first) width += end - first;
  }
  return static_cast<int64_t>(std::min<Wide>(width, std::numeric_limits<int64_t>::max()));
}

std::vector<int64_t> RowidSpread::EvenCuts(int64_t count) const {
  Wide width = 0;
  for (const RowidSpan& span : spans_) width += WidthOf(span);
  std::vector<int64_t> cuts;
  Wide before = 0;  // rowids in the spans before this one
  int64_t next = 1;
  for (const RowidSpan& span : spans_) {
    while (next < count && width * next / count < before + WidthOf(span)) {
      const auto cut = static_cast<int64_t>(span.least + (width * next / count - before));
      ++next;
      if (cut > least() && (cuts.empty() || cut > cuts.back())) cuts.push_back(cut);
    }
    before += WidthOf(span);
  }
  return cuts;
}

}  // namespace levada::sqlite
