// CSV by Arrow's parser, driven block by block on the calling thread: Arrow's own stream reads
// ahead as many blocks as there are processors, and does not say which row it refuses.

#include <arrow/array.h>
#include <arrow/csv/converter.h>
#include <arrow/csv/invalid_row.h>
#include <arrow/csv/options.h>
#include <arrow/csv/parser.h>
#include <arrow/type.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/utf8.h"
#include "connectors/files/block_input.h"
#include "connectors/files/open_file.h"

namespace levada::files {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kFirstBytes = 64 << 10;
// Besides batches: the block, what the parser made of it, and one column on its way.
constexpr int64_t kMemoryBytes = int64_t{12} << 20;
constexpr size_t kColumnsMax = 20'000;

arrow::csv::ParseOptions ParseOptionsOf(const csv::Dialect& dialect) {
  arrow::csv::ParseOptions options;
  options.delimiter = dialect.delimiter;
  options.quoting = dialect.quote != 0;
  if (options.quoting) options.quote_char = dialect.quote;
  options.escaping = dialect.escape != 0;
  if (options.escaping) options.escape_char = dialect.escape;
  options.newlines_in_values = true;
  return options;
}

/// What is known of one row that has not as many fields as there are columns.
struct WrongRow {
  bool seen = false;
  int64_t number = 0;  ///< in its block, from 1
  int expected = 0;
  int got = 0;
};

struct Parsed {
  std::unique_ptr<arrow::csv::BlockParser> rows;
  bool is_last = false;  ///< nothing is left behind it
};

class CsvFile final : public OpenFile {
 public:
  CsvFile(const Context& ctx, std::shared_ptr<arrow::io::InputStream> input, const TextRules& rules,
          const elt::BatchLimits& limits)
      : ctx_(ctx),
        rules_(rules),
        limits_(limits),
        input_(std::move(input)),
        parsing_(ParseOptionsOf(rules.dialect)) {
    converting_.null_values = rules.null_values;
    converting_.strings_can_be_null = true;
    converting_.quoted_strings_can_be_null = false;
    converting_.check_utf8 = false;  // it would not say where
    parsing_.invalid_row_handler = [wrong = wrong_](const arrow::csv::InvalidRow& row) {
      *wrong = {true, row.number, row.expected_columns, row.actual_columns};
      return arrow::csv::InvalidRowResult::Error;
    };
  }

  const elt::SchemaPtr& schema() const override { return schema_; }
  int64_t rows_before() const override { return rows_before_; }
  int64_t memory_bytes() const override { return kMemoryBytes; }

  /// The names of the columns.
  Status Begin() {
    ARROW_ASSIGN_OR_RAISE(std::string_view text, input_.Peek(ctx_, kFirstBytes));
    if (text.starts_with(kByteOrderMark)) input_.Consume(kByteOrderMark.size());
    for (int32_t i = 0; i < rules_.skip_rows; ++i) ARROW_RETURN_NOT_OK(SkipLine());
    std::vector<std::string> names = rules_.names;
    const bool must_look = rules_.dialect.header || names.empty();
    if (must_look) {
      ARROW_ASSIGN_OR_RAISE(names, FirstRow());
    }
    if (!rules_.names.empty() && must_look && !names.empty()) {
      if (names.size() != rules_.names.size()) {
        return Fault(FaultCode::kSchemaDrift,
                     "csv: columns names " + std::to_string(rules_.names.size()) +
                         " columns, the header has " + std::to_string(names.size()));
      }
      names = rules_.names;
    }
    ARROW_RETURN_NOT_OK(CheckNames(names));
    arrow::FieldVector fields;
    for (std::string& name : names) fields.push_back(arrow::field(std::move(name), arrow::utf8()));
    // Of one column a blank line is a row: it is the column's NULL.
    parsing_.ignore_empty_lines = fields.size() != 1;
    schema_ = arrow::schema(std::move(fields));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const arrow::FieldVector& columns) override;

  /// The next batch of the columns at `indices`; null at the end.
  Result<elt::BatchPtr> Next(const elt::SchemaPtr& schema, const std::vector<int>& indices) {
    if (schema_->num_fields() == 0) return nullptr;
    while (!is_over_) {
      ARROW_ASSIGN_OR_RAISE(Parsed parsed, Parse(limits_.rows));
      is_over_ = parsed.is_last;
      const int64_t rows = parsed.rows == nullptr ? 0 : parsed.rows->num_rows();
      if (rows == 0) continue;
      arrow::ArrayVector arrays;
      for (const int index : indices) {
        ARROW_ASSIGN_OR_RAISE(auto array, Column(*parsed.rows, index));
        arrays.push_back(std::move(array));
      }
      rows_read_ += rows;
      return arrow::RecordBatch::Make(schema, rows, std::move(arrays));
    }
    return nullptr;
  }

 private:
  Status SkipLine() {
    for (size_t want = kFirstBytes;; want *= 2) {
      ARROW_ASSIGN_OR_RAISE(const std::string_view text, input_.Peek(ctx_, want));
      const size_t end = text.find('\n');
      if (end != std::string_view::npos || input_.is_over()) {
        if (!text.empty()) ++rows_before_;
        input_.Consume(end == std::string_view::npos ? text.size() : end + 1);
        return Status::OK();
      }
      if (want > kRowBytesMax) return TooLong();
    }
  }

  /// The header, which is taken, or names for the fields of the first row, which stays. None of an
  /// empty file.
  Result<std::vector<std::string>> FirstRow() {
    columns_ = -1;
    const bool takes = rules_.dialect.header;
    ARROW_ASSIGN_OR_RAISE(Parsed parsed, Parse(1, takes));
    std::vector<std::string> names;
    if (parsed.rows == nullptr || parsed.rows->num_rows() == 0) {
      is_over_ = true;
      return names;
    }
    ARROW_RETURN_NOT_OK(
        parsed.rows->VisitLastRow([&](const uint8_t* data, uint32_t size, bool, bool) {
          names.push_back(takes ? std::string(reinterpret_cast<const char*>(data), size)
                                : "column" + std::to_string(names.size() + 1));
          return Status::OK();
        }));
    if (takes) ++rows_before_;
    return names;
  }

  Status CheckNames(const std::vector<std::string>& names) {
    columns_ = static_cast<int32_t>(names.size());
    if (names.size() > kColumnsMax) {
      return Fault(FaultCode::kSourceFileMalformed,
                   "its first row has " + std::to_string(names.size()) + " fields")
          .Help("say how it is written, csv: { delimiter: ... }");
    }
    std::set<std::string_view> seen;
    for (size_t i = 0; i < names.size(); ++i) {
      if (!IsUtf8(names[i])) {
        return Fault(FaultCode::kInvalidUtf8,
                     "the name of column " + std::to_string(i + 1) + " in its header is not UTF-8")
            .Help("convert the file: iconv -f LATIN1 -t UTF-8");
      }
      if (!names[i].empty() && seen.insert(names[i]).second) continue;
      return Fault(FaultCode::kDuplicateColumn,
                   names[i].empty()
                       ? "column " + std::to_string(i + 1) + " has no name in its header"
                       : "its header has column \"" + names[i] + "\" twice")
          .Help("name the columns, csv: { columns: [...] }");
    }
    return Status::OK();
  }

  /// Up to `rows_max` rows of the next block. `consumes`: they are taken.
  Result<Parsed> Parse(int64_t rows_max, bool consumes = true) {
    for (size_t want = rows_max == 1 ? kFirstBytes : BlockBytes();; want *= 2) {
      ARROW_ASSIGN_OR_RAISE(std::string_view text, input_.Peek(ctx_, want));
      const bool is_final = input_.is_over() && text.size() <= want;
      text = text.substr(0, want);
      if (text.empty()) return Parsed{nullptr, true};
      // Arrow takes a "\r" at the end for a whole line end: the "\n" would be a row of its own.
      if (!is_final && text.ends_with('\r')) text.remove_suffix(1);
      auto rows = std::make_unique<arrow::csv::BlockParser>(
          ctx_.pool, parsing_, columns_, /*first_row=*/1, static_cast<int32_t>(rows_max));
      uint32_t size = 0;
      const Status status = is_final ? rows->ParseFinal(text, &size) : rows->Parse(text, &size);
      if (!status.ok()) return Refuse(status);
      if (size == 0 && !is_final) {
        if (want >= kRowBytesMax) return TooLong();
        continue;
      }
      const bool is_last = is_final && size >= text.size();
      if (is_last) ARROW_RETURN_NOT_OK(CheckClosed(*rows, text));
      if (consumes) input_.Consume(size);
      return Parsed{std::move(rows), is_last || size == 0};
    }
  }

  size_t BlockBytes() const {
    return static_cast<size_t>(std::clamp<int64_t>(limits_.bytes, 64 << 10, 1 << 20));
  }

  /// A file that was cut off inside of quotes reads like one field to its end.
  Status CheckClosed(const arrow::csv::BlockParser& rows, std::string_view text) {
    if (rules_.dialect.quote == 0 || rows.num_rows() == 0) return Status::OK();
    bool is_quoted = false;
    ARROW_RETURN_NOT_OK(rows.VisitLastRow([&](const uint8_t*, uint32_t, bool quoted, bool) {
      is_quoted = quoted;
      return Status::OK();
    }));
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    if (!is_quoted || text.ends_with(rules_.dialect.quote)) return Status::OK();
    return Malformed(rows_read_ + rows.num_rows(), "a quote is not closed at the end of the file");
  }

  Result<std::shared_ptr<arrow::Array>> Column(const arrow::csv::BlockParser& rows, int index) {
    ARROW_ASSIGN_OR_RAISE(const auto converter,
                          arrow::csv::Converter::Make(arrow::utf8(), converting_, ctx_.pool));
    ARROW_ASSIGN_OR_RAISE(auto array, converter->Convert(rows, index));
    const auto& texts = static_cast<const arrow::StringArray&>(*array);
    for (int64_t i = 0; i < texts.length(); ++i) {
      if (texts.IsNull(i) || IsUtf8(texts.GetView(i))) continue;
      const std::string row = std::to_string(rows_read_ + i + 1);
      return Fault(FaultCode::kInvalidUtf8,
                   "row " + row + ": column \"" + schema_->field(index)->name() + "\" is not UTF-8")
          .With("column", schema_->field(index)->name())
          .With("row", row)
          .Help("convert the file: iconv -f LATIN1 -t UTF-8");
    }
    return array;
  }

  Status Refuse(const Status& status) {
    if (!wrong_->seen) return status;
    return Malformed(rows_read_ + wrong_->number, "expected " + std::to_string(wrong_->expected) +
                                                      " fields, got " +
                                                      std::to_string(wrong_->got));
  }

  Fault Malformed(int64_t row, const std::string& problem) const {
    return Fault(FaultCode::kSourceFileMalformed, "row " + std::to_string(row) + ": " + problem)
        .With("row", std::to_string(row))
        .Help("correct it, or say how the file is written: csv: { delimiter, quote, escape }");
  }

  Fault TooLong() const {
    return Malformed(rows_read_ + 1, "a row is longer than " + std::to_string(kRowBytesMax >> 20) +
                                         " MiB; perhaps a quote is not closed");
  }

  const Context ctx_;
  const TextRules rules_;
  const elt::BatchLimits limits_;
  BlockInput input_;
  arrow::csv::ParseOptions parsing_;
  arrow::csv::ConvertOptions converting_;
  const std::shared_ptr<WrongRow> wrong_ = std::make_shared<WrongRow>();
  elt::SchemaPtr schema_;
  int32_t columns_ = -1;
  int64_t rows_before_ = 0;
  int64_t rows_read_ = 0;
  bool is_over_ = false;
};

class CsvRows final : public arrow::RecordBatchReader {
 public:
  CsvRows(CsvFile& file, elt::SchemaPtr schema, std::vector<int> indices)
      : file_(file), schema_(std::move(schema)), indices_(std::move(indices)) {}
  elt::SchemaPtr schema() const override { return schema_; }
  Status ReadNext(elt::BatchPtr* out) override { return file_.Next(schema_, indices_).Value(out); }

 private:
  CsvFile& file_;
  const elt::SchemaPtr schema_;
  const std::vector<int> indices_;
};

Result<std::shared_ptr<arrow::RecordBatchReader>> CsvFile::Read(const arrow::FieldVector& columns) {
  std::vector<int> indices;
  arrow::FieldVector fields;
  for (const auto& column : columns) {
    indices.push_back(schema_->GetFieldIndex(column->name()));
    fields.push_back(schema_->field(indices.back()));
  }
  return std::make_shared<CsvRows>(*this, arrow::schema(std::move(fields)), std::move(indices));
}

}  // namespace

Result<std::unique_ptr<OpenFile>> OpenCsv(const Context& ctx,
                                          std::shared_ptr<arrow::io::InputStream> input,
                                          const TextRules& rules, const elt::BatchLimits& limits) {
  auto file = std::make_unique<CsvFile>(ctx, std::move(input), rules, limits);
  ARROW_RETURN_NOT_OK(file->Begin());
  return file;
}

}  // namespace levada::files
