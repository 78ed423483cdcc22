// JSON lines by Arrow's parser and converters, a block of whole lines at a time. What Arrow refuses
// in a block is looked for line by line, so that the fault names it.

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/json/chunked_builder.h>
#include <arrow/json/converter.h>
#include <arrow/json/options.h>
#include <arrow/json/parser.h>
#include <arrow/type.h>
#include <arrow/util/task_group.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/json.h"
#include "connectors/files/block_input.h"
#include "connectors/files/open_file.h"
#include "elt/type_name.h"

namespace levada::files {
namespace {

using arrow::json::UnexpectedFieldBehavior;

constexpr size_t kBlockBytes = 1 << 20;
// One more than columns may be, for the object of the row.
constexpr int kNestingMax = 33;
// Keys that come up later are behind the others.
constexpr int kOrderedLinesMax = 1'000;
// Besides batches: the block, its parsed strings, and what is made of them.
constexpr int64_t kMemoryBytes = int64_t{12} << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Whether brackets are nested deeper than any type that is read; Arrow follows them by recursion,
/// over the ends of lines too.
bool IsTooDeep(std::string_view lines) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < lines.size(); ++i) {
    const char c = lines[i];
    if (c == '\n') {
      in_text = false;
    } else if (c == '"') {
      in_text = !in_text;
    } else if (in_text) {
      if (c == '\\') ++i;
    } else if (c == '[' || c == '{') {
      if (++depth > kNestingMax) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

/// Some lines as one batch.
Result<elt::BatchPtr> ParseLines(arrow::MemoryPool* pool, std::string_view lines,
                                 const arrow::json::ParseOptions& options) {
  if (IsTooDeep(lines)) {
    return Status::Invalid("values are nested deeper than ", kNestingMax, " levels");
  }
  std::unique_ptr<arrow::json::BlockParser> parser;
  ARROW_RETURN_NOT_OK(arrow::json::BlockParser::Make(pool, options, &parser));
  ARROW_RETURN_NOT_OK(parser->ReserveScalarStorage(static_cast<int64_t>(lines.size())));
  ARROW_RETURN_NOT_OK(parser->Parse(arrow::Buffer::FromString(std::string(lines))));
  std::shared_ptr<arrow::Array> parsed;
  ARROW_RETURN_NOT_OK(parser->Finish(&parsed));
  const bool infers = options.unexpected_field_behavior == UnexpectedFieldBehavior::InferType;
  const auto type =
      arrow::struct_(options.explicit_schema == nullptr ? arrow::FieldVector{}
                                                        : options.explicit_schema->fields());
  std::shared_ptr<arrow::json::ChunkedArrayBuilder> builder;
  ARROW_RETURN_NOT_OK(arrow::json::MakeChunkedArrayBuilder(
      arrow::internal::TaskGroup::MakeSerial(), pool,
      infers ? arrow::json::GetPromotionGraph() : nullptr, type, &builder));
  builder->Insert(0, arrow::field("", type), parsed);
  std::shared_ptr<arrow::ChunkedArray> made;
  ARROW_RETURN_NOT_OK(builder->Finish(&made));
  return arrow::RecordBatch::FromStructArray(made->chunk(0));
}

/// What Arrow reads for a column of `type`, from which it is cast.
std::shared_ptr<arrow::DataType> ReadType(const std::shared_ptr<arrow::DataType>& type) {
  using arrow::Type;
  switch (type->id()) {
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::UINT8:
    case Type::UINT16:
    case Type::UINT32:
      return arrow::int64();
    case Type::FLOAT:
      return arrow::float64();
    case Type::BOOL:
    case Type::INT64:
    case Type::UINT64:
    case Type::DOUBLE:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
    case Type::LIST:
    case Type::STRUCT:
    case Type::MAP:
      return type;
    default:
      return arrow::utf8();
  }
}

elt::SchemaPtr ReadSchema(const arrow::FieldVector& columns) {
  arrow::FieldVector fields;
  for (const auto& column : columns) fields.push_back(column->WithType(ReadType(column->type())));
  return arrow::schema(std::move(fields));
}

Fault Malformed(int64_t row, const std::string& problem) {
  return Fault(FaultCode::kSourceFileMalformed, "line " + std::to_string(row) + ": " + problem)
      .With("row", std::to_string(row))
      .Help("each line is one JSON object");
}

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// The first line without its end, and the rest.
std::pair<std::string_view, std::string_view> FirstLine(std::string_view text) {
  const size_t end = std::min(text.find('\n'), text.size());
  return {text.substr(0, end), text.substr(std::min(end + 1, text.size()))};
}

/// Why the one line `line` is refused, `row` of its file.
Fault Explain(arrow::MemoryPool* pool, std::string_view line, int64_t row,
              const arrow::json::ParseOptions& options, const Status& status) {
  if (IsTooDeep(line)) return Malformed(row, status.message());
  const Json json = ParseJson(line);
  if (json.is_discarded()) return Malformed(row, "it is not one JSON document");
  if (!json.is_object()) {
    return Malformed(row, std::string("expected an object, got a JSON ") + json.type_name());
  }
  for (const auto& [key, value] : json.items()) {
    const auto field = options.explicit_schema->GetFieldByName(key);
    if (field == nullptr) {
      if (options.unexpected_field_behavior != UnexpectedFieldBehavior::Error) continue;
      return Fault(FaultCode::kSchemaDrift, "line " + std::to_string(row) + ": key \"" + key +
                                                "\" is not a column that the plan found")
          .With("column", key)
          .With("row", std::to_string(row))
          .Help("name it, types: { " + key +
                ": text }, or name the columns to read, columns: "
                "[...]");
    }
    arrow::json::ParseOptions alone;
    alone.explicit_schema = arrow::schema({field});
    alone.unexpected_field_behavior = UnexpectedFieldBehavior::Ignore;
    if (ParseLines(pool, line, alone).ok()) continue;
    return Fault(FaultCode::kValueRefused, "line " + std::to_string(row) + ": column \"" + key +
                                               "\": expected " + elt::TypeName(*field->type()) +
                                               ", got a JSON " + value.type_name())
        .With("column", key)
        .With("row", std::to_string(row))
        .Help("say its type, types: { " + key + ": ... }, or correct the line");
  }
  return Malformed(row, status.message());
}

/// The fault of the first line that is refused on its own; that of all of them if none is.
Fault Locate(arrow::MemoryPool* pool, std::string_view lines, int64_t rows_before,
             const arrow::json::ParseOptions& options, const Status& status) {
  int64_t row = rows_before;
  while (!lines.empty()) {
    const auto [line, rest] = FirstLine(lines);
    lines = rest;
    ++row;
    if (IsBlank(line)) continue;
    const auto parsed = ParseLines(pool, line, options);
    if (!parsed.ok()) return Explain(pool, line, row, options, parsed.status());
  }
  return Fault(FaultCode::kValueRefused, "behind line " + std::to_string(rows_before) +
                                             ", lines do not agree: " + status.message())
      .Help(
          "name the columns to read and the type of each, columns: and types:; numbers and texts "
          "in one column go together "
          "as a decimal, types: { COLUMN: \"decimal(38,9)\" }");
}

class JsonLinesFile final : public OpenFile {
 public:
  JsonLinesFile(const Context& ctx, std::shared_ptr<arrow::io::InputStream> input,
                const TextRules& rules, const elt::BatchLimits& limits)
      : ctx_(ctx), rules_(rules), limits_(limits), input_(std::move(input)) {}

  const elt::SchemaPtr& schema() const override { return nothing_; }
  int64_t memory_bytes() const override { return kMemoryBytes; }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(
      const arrow::FieldVector& columns) override {
    schema_ = ReadSchema(columns);
    options_.explicit_schema = schema_;
    options_.unexpected_field_behavior =
        rules_.ignores_others ? UnexpectedFieldBehavior::Ignore : UnexpectedFieldBehavior::Error;
    ARROW_ASSIGN_OR_RAISE(const std::string_view text, input_.Peek(ctx_, kBlockBytes));
    if (text.starts_with(kByteOrderMark)) input_.Consume(kByteOrderMark.size());
    return MakeRows();
  }

  /// Null at the end.
  Result<elt::BatchPtr> Next() {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const Lines lines, NextLines());
      if (lines.text.empty()) return nullptr;
      const int64_t before = rows_;
      rows_ += lines.count;
      if (IsBlank(lines.text)) {
        input_.Consume(lines.text.size());
        continue;
      }
      auto batch = ParseLines(ctx_.pool, lines.text, options_);
      if (!batch.ok()) return Locate(ctx_.pool, lines.text, before, options_, batch.status());
      input_.Consume(lines.text.size());
      return Ordered(**batch);
    }
  }

 private:
  struct Lines {
    std::string_view text;
    int64_t count = 0;
  };

  std::shared_ptr<arrow::RecordBatchReader> MakeRows();

  /// Whole lines, as many as make a batch; none at the end.
  Result<Lines> NextLines() {
    const size_t block = static_cast<size_t>(
        std::clamp<int64_t>(limits_.bytes, 64 << 10, static_cast<int64_t>(kBlockBytes)));
    for (size_t want = block;; want *= 2) {
      ARROW_ASSIGN_OR_RAISE(std::string_view text, input_.Peek(ctx_, want));
      const bool is_final = input_.is_over() && text.size() <= want;
      text = text.substr(0, want);
      Lines lines;
      size_t end = 0;
      while (lines.count < limits_.rows) {
        const size_t next = text.find('\n', end);
        if (next == std::string_view::npos) break;
        end = next + 1;
        ++lines.count;
      }
      if (is_final && lines.count < limits_.rows && end < text.size()) {
        end = text.size();
        ++lines.count;
      }
      lines.text = text.substr(0, end);
      if (end > 0 || is_final) return lines;
      if (want >= kRowBytesMax) {
        return Malformed(rows_ + 1,
                         "it is longer than " + std::to_string(kRowBytesMax >> 20) + " MiB");
      }
    }
  }

  /// In the order of the schema.
  Result<elt::BatchPtr> Ordered(const arrow::RecordBatch& batch) const {
    arrow::ArrayVector columns;
    for (const auto& field : schema_->fields()) {
      auto column = batch.GetColumnByName(field->name());
      if (column == nullptr) return Fault(FaultCode::kInternal, "json: a column was lost");
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
  }

  const Context ctx_;
  const TextRules rules_;
  const elt::BatchLimits limits_;
  BlockInput input_;
  const elt::SchemaPtr nothing_;
  elt::SchemaPtr schema_;
  arrow::json::ParseOptions options_;
  int64_t rows_ = 0;  ///< lines
};

class JsonRows final : public arrow::RecordBatchReader {
 public:
  JsonRows(JsonLinesFile& file, elt::SchemaPtr schema) : file_(file), schema_(std::move(schema)) {}
  elt::SchemaPtr schema() const override { return schema_; }
  Status ReadNext(elt::BatchPtr* out) override { return file_.Next().Value(out); }

 private:
  JsonLinesFile& file_;
  const elt::SchemaPtr schema_;
};

std::shared_ptr<arrow::RecordBatchReader> JsonLinesFile::MakeRows() {
  return std::make_shared<JsonRows>(*this, schema_);
}

/// By key, the how-manieth it is to be met.
std::map<std::string, size_t> KeyOrder(std::string_view lines) {
  std::map<std::string, size_t> order;
  for (int i = 0; i < kOrderedLinesMax && !lines.empty(); ++i) {
    const auto [line, rest] = FirstLine(lines);
    lines = rest;
    const Json json = ParseJson(line);
    if (!json.is_object()) continue;
    for (const auto& [key, value] : json.items()) order.emplace(key, order.size());
  }
  return order;
}

/// Texts for what says nothing or looks like a time: a JSON text is a text.
std::shared_ptr<arrow::DataType> Settled(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::NA:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DATE32:
      return arrow::utf8();
    case arrow::Type::LIST:
      return arrow::list(Settled(type->field(0)->type()));
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) {
        fields.push_back(field->WithType(Settled(field->type())));
      }
      return arrow::struct_(std::move(fields));
    }
    default:
      return type;
  }
}

}  // namespace

Result<std::unique_ptr<OpenFile>> OpenJsonLines(const Context& ctx,
                                                std::shared_ptr<arrow::io::InputStream> input,
                                                const TextRules& rules,
                                                const elt::BatchLimits& limits) {
  return std::make_unique<JsonLinesFile>(ctx, std::move(input), rules, limits);
}

Result<elt::SchemaPtr> InferJsonColumns(arrow::MemoryPool* pool, const std::string& sample,
                                        const arrow::FieldVector& known, bool others) {
  arrow::json::ParseOptions options;
  options.unexpected_field_behavior =
      others ? UnexpectedFieldBehavior::InferType : UnexpectedFieldBehavior::Ignore;
  options.explicit_schema = ReadSchema(known);
  const auto batch = ParseLines(pool, sample, options);
  if (!batch.ok()) return Locate(pool, sample, 0, options, batch.status());
  arrow::FieldVector fields;
  for (const auto& field : (*batch)->schema()->fields()) {
    fields.push_back(arrow::field(field->name(), Settled(field->type())));
  }
  // Arrow has those of a schema first, wherever the lines have them.
  const std::map<std::string, size_t> order = KeyOrder(sample);
  std::ranges::stable_sort(fields, {}, [&](const auto& field) {
    const auto found = order.find(field->name());
    return found == order.end() ? order.size() : found->second;
  });
  return arrow::schema(std::move(fields));
}

}  // namespace levada::files
