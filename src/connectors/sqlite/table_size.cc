#include "connectors/sqlite/table_size.h"

#include <fmt/format.h>

#include <algorithm>

namespace levada::sqlite {
namespace {

using db::sqlite::Cell;
using db::sqlite::CellType;
using db::sqlite::Database;
using db::sqlite::QuoteName;
using db::sqlite::Statement;

// Places and rows at each of them: a thousand rows are read at most.
constexpr size_t kPlacesMax = 16;
constexpr int kRowsAPlace = 64;
// More columns than these make an expression that SQLite refuses; they stand for the others.
constexpr size_t kColumnsMax = 200;
// Of the header of a row, for each column.
constexpr double kBytesAColumn = 1;

double NumberOf(const Cell& cell) {
  if (cell.type == CellType::kInteger) return static_cast<double>(cell.integer);
  return cell.type == CellType::kReal ? cell.real : 0;
}

}  // namespace

Result<int64_t> FileBytes(const Context& ctx, Database& database, const std::string& schema) {
  int64_t product = 1;
  for (const char* name : {"page_count", "page_size"}) {
    ARROW_ASSIGN_OR_RAISE(Statement pragma,
                          database.Prepare(ctx, "PRAGMA " + QuoteName(schema) + "." + name));
    ARROW_ASSIGN_OR_RAISE(const bool row, pragma.Step(ctx));
    // A damaged file may say anything.
    product *= row ? std::clamp<int64_t>(pragma.Int64(0), 0, int64_t{1} << 31) : 0;
    pragma.Reset();
  }
  return product;
}

Result<int64_t> TableBytes(const Context& ctx, Database& database, const Relation& relation,
                           const RowidSpread& spread) {
  std::string lengths;
  const size_t counted = std::min(relation.columns.size(), kColumnsMax);
  for (size_t c = 0; c < counted; ++c) {
    lengths += (c == 0 ? "" : " + ") +
               fmt::format("ifnull(length({}), 0)", QuoteName(relation.columns[c].name));
  }
  ARROW_ASSIGN_OR_RAISE(
      Statement sample,
      database.Prepare(
          ctx, fmt::format("SELECT count(*), 1.0 + max(r) - min(r), total(bytes) FROM (SELECT {0} "
                           "AS r, {1} AS bytes FROM {2} WHERE {0} >= ?1 ORDER BY {0} LIMIT {3})",
                           relation.row_id, lengths.empty() ? "0" : lengths, relation.from,
                           kRowsAPlace)));
  double rows = 0;
  double bytes = 0;
  double taken = 0;  // of the rowids around the rows, as shares
  double places = 0;
  const size_t step = spread.spans().size() / kPlacesMax + 1;
  for (size_t i = 0; i < spread.spans().size(); i += step) {
    sample.Bind(1, spread.spans()[i].least);
    ARROW_ASSIGN_OR_RAISE(const bool row, sample.Step(ctx));
    if (row && sample.Int64(0) > 0) {
      const double here = NumberOf(sample.At(0));
      rows += here;
      bytes += NumberOf(sample.At(2));
      taken += std::min(1.0, here / std::max(1.0, NumberOf(sample.At(1))));
      places += 1;
    }
    sample.Reset();
  }
  if (rows == 0) return 0;
  const double scale = static_cast<double>(relation.columns.size()) /
                       static_cast<double>(std::max<size_t>(counted, 1));
  const double row_bytes =
      bytes / rows * scale + kBytesAColumn * static_cast<double>(relation.columns.size());
  const double estimate = static_cast<double>(spread.width()) * (taken / places) * row_bytes;
  return static_cast<int64_t>(std::min(estimate, 9e18));
}

}  // namespace levada::sqlite
