#include "services/analytics/statements.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/byte_order.h"
#include "formats/aesql/render.h"
#include "services/analytics/point.h"

namespace levada::services::analytics {
namespace {

constexpr size_t kNameBytesMax = 128;
constexpr std::string_view kNameLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
// At once in doubt are the segments that a loss of power may bring back, and inserts that failed:
// a few. Of each, the engine remembers one block.
constexpr int kDeduplicationWindow = 10'000;

std::string NameOfTable(const std::string& database, uint64_t dataset) {
  const aesql::Table table = TableOf(database, dataset);
  return aesql::QuoteName(table.database) + "." + aesql::QuoteName(table.name);
}

std::string ColumnNames() {
  std::string names;
  for (const aesql::Column& column : aesql::DatasetColumns()) {
    if (column.name == "dataset") continue;  // an alias, stored nowhere
    names += aesql::QuoteName(column.name) + ", ";
  }
  return names + "`_segment`";
}

}  // namespace

bool IsDatasetName(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax &&
         name.find_first_not_of(kNameLetters) == std::string_view::npos;
}

aesql::Table TableOf(const std::string& database, uint64_t dataset) {
  return {database, "d" + std::to_string(dataset)};
}

aesql::Dataset DatasetOf(const std::string& database, uint64_t number, const std::string& name) {
  return {name, TableOf(database, number)};
}

std::string CreateStatement(const std::string& database, uint64_t dataset,
                            const std::string& name) {
  std::string columns = aesql::RenderTableColumns(name);
  columns.pop_back();
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {} {}, `_segment` UInt64 CODEC(ZSTD), "
      "INDEX `_by_segment` `_segment` TYPE minmax GRANULARITY 1) "
      "ENGINE = MergeTree PARTITION BY toMonday(`timestamp`) ORDER BY (`index1`, `timestamp`) "
      "TTL `timestamp` + INTERVAL 3 MONTH "
      "SETTINGS non_replicated_deduplication_window = {}, fsync_after_insert = 1, "
      "fsync_part_directory = 1, ttl_only_drop_parts = 1",
      NameOfTable(database, dataset), columns, kDeduplicationWindow);
}

std::vector<Insert> InsertsOf(uint64_t segment, std::span<const Rows> rows) {
  std::vector<Insert> inserts;
  std::map<std::pair<uint64_t, uint32_t>, size_t> places;
  uint64_t number = 0;
  for (const Rows& each : rows) {
    const auto [place, is_new] = places.try_emplace({each.dataset, each.week}, inserts.size());
    if (is_new) {
      inserts.push_back({segment, each.dataset, each.week, number + 1, 0, 0, {}});
    }
    Insert& insert = inserts[place->second];
    number += each.count;
    insert.last = number;
    insert.count += each.count;
    insert.bytes += each.bytes;
  }
  return inserts;
}

std::string TokenOf(const Insert& insert) {
  return fmt::format("{}:{}-{}", insert.segment, insert.first, insert.last);
}

Result<Statement> InsertStatement(const std::string& database, const Insert& insert) {
  Statement statement{StatementKind::kChange,
                      fmt::format("INSERT INTO {} ({}) FROM INFILE {} "
                                  "SETTINGS insert_deduplication_token = {} "
                                  "FORMAT RowBinary",
                                  NameOfTable(database, insert.dataset), ColumnNames(), kRowsFile,
                                  aesql::QuoteText(TokenOf(insert)))};
  statement.rows.reserve(insert.bytes.size() + 8 * insert.count);
  std::string_view rest(insert.bytes);
  uint64_t count = 0;
  for (; !rest.empty(); ++count) {
    const auto size = RowBytes(rest);
    if (!size) break;
    statement.rows += rest.substr(0, *size);
    AppendLittleEndian(statement.rows, insert.segment, 8);
    rest.remove_prefix(*size);
  }
  if (!rest.empty() || count != insert.count) {
    return Fault(FaultCode::kStoreDamaged, fmt::format("segment {}: its rows are {}, expected {}",
                                                       insert.segment, count, insert.count));
  }
  return statement;
}

std::string CountStatement(const std::string& database, const Insert& insert) {
  return fmt::format(
      "SELECT count() FROM {} WHERE `_segment` = {} AND toMonday(`timestamp`) = toDate({}) "
      "FORMAT TabSeparated",
      NameOfTable(database, insert.dataset), insert.segment, insert.week);
}

}  // namespace levada::services::analytics
