#pragma once
// RowidSpread: where the rowids of a table are, found by a few seeks. A table may have gaps of any
// size among them, up to one row at 1 and another at 2^63 - 1, and no statistics say where.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/context.h"
#include "db/sqlite/database.h"

namespace levada::sqlite {

/// [least, greatest], both of them rowids of rows.
struct RowidSpan {
  int64_t least = 0;
  int64_t greatest = 0;
  bool operator==(const RowidSpan&) const = default;
};

/// Where there may be rows, in order; between two spans there are none.
class RowidSpread final {
 public:
  explicit RowidSpread(std::vector<RowidSpan> spans) : spans_(std::move(spans)) {}

  /// Halves the widest span, again and again, and leaves the gap around its middle out: some
  /// hundred pairs of seeks at most. `from` is what stands behind FROM.
  static Result<RowidSpread> Find(const Context& ctx, db::sqlite::Database& database,
                                  const std::string& from, const std::string& row_id);

  bool empty() const { return spans_.empty(); }
  const std::vector<RowidSpan>& spans() const { return spans_; }
  int64_t least() const { return spans_.front().least; }
  int64_t greatest() const { return spans_.back().greatest; }
  /// Rowids inside the spans: at least as many as there are rows. At most 2^63 - 1.
  int64_t width() const { return WidthWithin(std::nullopt, std::nullopt); }
  /// Those of them in [from, to).
  int64_t WidthWithin(std::optional<int64_t> from, std::optional<int64_t> to) const;
  /// Cuts that make `count` ranges of about as many rowids each, fewer where there are fewer: a
  /// range begins at its cut.
  std::vector<int64_t> EvenCuts(int64_t count) const;

 private:
  std::vector<RowidSpan> spans_;
};

}  // namespace levada::sqlite
