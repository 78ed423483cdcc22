#include "app/csv_rows.h"

#include <arrow/buffer.h>
#include <arrow/csv/options.h>
#include <arrow/csv/reader.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <utility>

#include "base/memory.h"

namespace levada::app {
namespace {

constexpr int64_t kFileBytesMax = 16 << 20;

Fault NoCsv(const std::string& path, std::string why) {
  return Fault(FaultCode::kBadValue, fmt::format("\"{}\" is no CSV file: {}", path, why))
      .Help("a line of column names, then rows; values with a comma in them in \"double quotes\"");
}

// Names, then all fields as text.
Result<std::shared_ptr<arrow::Table>> ReadTexts(const std::string& text, arrow::MemoryPool* pool) {
  auto read = arrow::csv::ReadOptions::Defaults();
  read.use_threads = false;
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.newlines_in_values = true;
  parse.ignore_empty_lines = false;
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.null_values = {""};
  convert.strings_can_be_null = true;
  convert.quoted_strings_can_be_null = false;
  // The names are known once it was read; then all columns can be asked for as text.
  for (int round = 0;; ++round) {
    const auto input = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(text));
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::csv::TableReader::Make(arrow::io::IOContext(pool),
                                                                     input, read, parse, convert));
    ARROW_ASSIGN_OR_RAISE(auto table, reader->Read());
    if (round == 1) return table->CombineChunks(pool);
    for (const std::string& name : table->ColumnNames()) {
      convert.column_types[name] = arrow::utf8();
    }
  }
}

}  // namespace

Result<std::vector<WrittenRow>> ReadCsvRows(os::Disk& disk, const std::string& path) {
  const auto text = os::ReadFile(disk, path, kFileBytesMax);
  if (!text.ok() || !*text) {
    Fault fault(FaultCode::kFileUnreadable, fmt::format("cannot read \"{}\"", path));
    if (!text.ok()) fault.Because(text.status());
    return fault;
  }
  BudgetPool pool(0);
  const auto table = ReadTexts(**text, &pool);
  if (!table.ok()) return NoCsv(path, table.status().message());
  std::vector<WrittenRow> rows(static_cast<size_t>((*table)->num_rows()));
  for (int c = 0; c < (*table)->num_columns(); ++c) {
    const std::string& name = (*table)->field(c)->name();
    for (const auto& chunk : (*table)->column(c)->chunks()) {
      ARROW_ASSIGN_OR_RAISE(const auto cells, CellsOf(chunk, &pool));
      for (size_t i = 0; i < cells.size(); ++i) {
        rows[i].columns.push_back(name);
        rows[i].cells.push_back(cells[i]);
      }
    }
  }
  return rows;
}

}  // namespace levada::app
