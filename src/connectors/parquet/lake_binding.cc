#include "connectors/parquet/lake_binding.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "connectors/parquet/directory_router.h"
#include "connectors/parquet/hive.h"
#include "connectors/parquet/lake_layout.h"
#include "connectors/parquet/lake_names.h"
#include "elt/batch_bytes.h"
#include "elt/option_problems.h"
#include "elt/plan.h"
#include "elt/stage_problems.h"
#include "formats/parquet/file_schema.h"

namespace levada::parquet {
namespace {

namespace format = levada::parquet_format;

// With a file under construction for each of many directories, each holds less.
constexpr int64_t kRowGroupBytesOfMany = 2 << 20;
// A created file that waits: its encoder, which then holds next to nothing.
constexpr int64_t kWaitingFileBytes = 8 << 10;
// What is remembered of a column chunk until its file is closed, bounds of usual length included.
constexpr int64_t kRecordBytesPerChunk = 256;
// Of a block of rows: as it came, grouped, and one column once more, which may be nearly all of it.
constexpr int64_t kBlockCopies = 3;
// Footer state per column chunk, measured; the gathering buffer of a staged file; zstd contexts.
constexpr int64_t kFooterBytesPerChunk = 1800;
constexpr int64_t kFixedBytesPerFile = 1 << 20;

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::vector<std::string> ColumnNames(const arrow::Schema& schema) {
  std::vector<std::string> names;
  for (const auto& field : schema.fields()) names.push_back(field->name());
  return names;
}

// At the option, where it was written in a file.
Status Placed(const Fault& fault, const LakeOptions& options, std::string_view option) {
  return options.written ? elt::Placed(fault, *options.written, option) : fault;
}

Status UnknownColumn(const LakeOptions& options, const std::string& what, const std::string& column,
                     const arrow::Schema& schema) {
  Fault fault(FaultCode::kUnknownColumn, fmt::format("{}: no column \"{}\"", what, column));
  fault.With("column", column);
  fault.Help(elt::SuggestName(column, ColumnNames(schema)));
  return Placed(fault, options, what);
}

// A reader gets each of these from the directory; the files must not say something else.
Status CheckKeys(const std::string& directory, const LakeOptions& options,
                 const arrow::Schema& schema) {
  for (const std::string& key : KeysOf(directory)) {
    for (const std::string& name : ColumnNames(schema)) {
      if (Lower(name) != Lower(key)) continue;
      return Fault(FaultCode::kBadLayout,
                   fmt::format("layout: \"{}\" is a directory and a column at once", key))
          .With("column", name)
          .Help("give the directory another key, or rename the column");
    }
  }
  for (const std::string& column : options.partition_by) {
    const auto field = schema.GetFieldByName(column);
    if (field == nullptr) return UnknownColumn(options, "partition_by", column, schema);
    const Status usable = CheckPartitionColumn(*field);
    if (!usable.ok()) return Placed(FaultOf(usable), options, "partition_by");
  }
  if (!options.partition_by.empty() &&
      static_cast<int>(options.partition_by.size()) == schema.num_fields()) {
    return Placed(
        Fault(FaultCode::kBadLayout, "partition_by takes every column, none is left for files")
            .Help("leave a column out of it"),
        options, "partition_by");
  }
  return Status::OK();
}

int LeafCount(const arrow::DataType& type) {
  if (type.num_fields() == 0) return 1;
  int count = 0;
  for (const auto& field : type.fields()) count += LeafCount(*field->type());
  return count;
}

// By leaf of the file's schema; the values inside a nested column are not what the source counted.
std::vector<format::ColumnHint> LeafHints(const arrow::Schema& schema,
                                          const std::vector<elt::ColumnHint>& hints,
                                          const arrow::Schema& file_schema) {
  std::vector<format::ColumnHint> leaves;
  for (const auto& field : file_schema.fields()) {
    const int count = LeafCount(*field->type());
    const auto column = static_cast<size_t>(schema.GetFieldIndex(field->name()));
    format::ColumnHint leaf;
    if (field->type()->num_fields() == 0 && column < hints.size()) {
      leaf.distinct_count = hints[column].distinct;
      leaf.average_bytes = hints[column].average_bytes;
      leaf.null_fraction = std::max(0.0, hints[column].null_fraction);
    }
    leaves.insert(leaves.end(), static_cast<size_t>(count), leaf);
  }
  return leaves;
}

Result<format::EncodeOptions> ChooseEncoding(const LakeOptions& options,
                                             const arrow::Schema& file_schema,
                                             const std::vector<format::ColumnHint>& hints) {
  using format::DictionaryUse;
  format::EncodeOverrides overrides;
  overrides.profile = options.profile;
  overrides.codec = options.codec;
  overrides.level = options.level;
  overrides.encoding = options.encoding;
  overrides.row_group_rows = options.row_group_rows;
  overrides.row_group_bytes = options.row_group_bytes;
  overrides.file_bytes = options.file_bytes;
  if (!options.partition_by.empty() && !options.row_group_bytes) {
    overrides.row_group_bytes = kRowGroupBytesOfMany;
  }
  for (const auto& field : file_schema.fields()) {
    const auto named = options.dictionary_of.find(field->name());
    const DictionaryUse use =
        named != options.dictionary_of.end() ? named->second : options.dictionary;
    if (use != DictionaryUse::kAuto) {
      overrides.dictionary[field->name()] = use == DictionaryUse::kOn;
    }
    if (!options.statistics) overrides.statistics[field->name()] = false;
  }
  for (const auto& [column, use] : options.dictionary_of) {
    if (file_schema.GetFieldIndex(column) < 0) {
      return UnknownColumn(options, "dictionary", column, file_schema);
    }
  }
  ARROW_ASSIGN_OR_RAISE(format::EncodeOptions encode,
                        format::ChooseOptions(file_schema, hints, -1, overrides));
  if (options.page_bytes) encode.chunk_bytes = *options.page_bytes;
  return encode;
}

/// Of the dictionaries of one file: values, and the table that finds them again, as large.
int64_t DictionaryMemory(const format::EncodeOptions& encode,
                         const std::vector<format::ColumnHint>& leaf_hints) {
  constexpr double kUnknownBytes = 32;  // of a value, with its entry
  double bytes = 0;
  for (size_t i = 0; i < leaf_hints.size(); ++i) {
    if (i < encode.dictionary.size() && encode.dictionary[i] == format::DictionaryUse::kOff) {
      continue;
    }
    auto most = static_cast<double>(encode.dictionary_bytes);
    const format::ColumnHint& hint = leaf_hints[i];
    if (hint.distinct_count >= 0) {
      const double value_bytes = 8 + std::max(hint.average_bytes, kUnknownBytes);
      most = std::min(most, hint.distinct_count * value_bytes);
    }
    bytes += 2 * most;
  }
  return static_cast<int64_t>(bytes);
}

// Beside the values of the batches that wait to be a chunk.
int64_t ObjectMemory(const format::EncodeOptions& encode, int64_t columns) {
  const int64_t batches = encode.chunk_bytes / elt::LeastBatchBytes(columns) + 1;
  return batches * columns * elt::kObjectBytesPerColumn;
}

// A file while it is encoded, or closed.
int64_t MemoryOfFile(const format::EncodeOptions& encode,
                     const std::vector<format::ColumnHint>& leaf_hints, int64_t footer_chunks) {
  return encode.chunk_bytes + encode.row_group_bytes + kFixedBytesPerFile +
         ObjectMemory(encode, static_cast<int64_t>(leaf_hints.size())) +
         footer_chunks * kFooterBytesPerChunk + DictionaryMemory(encode, leaf_hints);
}

int64_t MemoryPerSlice(const LakeOptions& options, const places::Place& place,
                       const format::EncodeOptions& encode,
                       const std::vector<format::ColumnHint>& leaf_hints) {
  int64_t bytes = 0;
  if (options.partition_by.empty()) {
    const auto leaf_count = static_cast<int64_t>(leaf_hints.size());
    const int64_t row_groups = encode.file_bytes / encode.row_group_bytes + 1;
    const int64_t chunks = std::min(encode.file_column_chunks, row_groups * leaf_count);
    bytes = MemoryOfFile(encode, leaf_hints, chunks) + place.staging_bytes();
  } else {
    // One directory after the other is encoded; the row groups of a file may be of any size there.
    const RouterLimits limits = RouterLimits::Of(encode, place);
    bytes = kBlockCopies * limits.block_bytes + limits.held_bytes +
            MemoryOfFile(encode, leaf_hints, encode.file_column_chunks) +
            static_cast<int64_t>(limits.open_files) * (kWaitingFileBytes + place.staging_bytes()) +
            limits.column_chunks * kRecordBytesPerChunk;
  }
  // What an allocator keeps beside what it was asked for, measured on wide and narrow tables.
  return bytes + bytes / 5;
}

// The lines of the file's schema inside "... group schema {" and "}", on one line.
std::string InnerText(const std::string& described) {
  std::string text;
  size_t begin = described.find('\n') + 1;
  while (begin < described.size()) {
    const size_t end = std::min(described.find('\n', begin), described.size());
    if (end + 1 >= described.size()) break;  // the root's closing brace
    const size_t first = described.find_first_not_of(' ', begin);
    if (!text.empty()) text.push_back(' ');
    text += described.substr(first, end - first);
    begin = end + 1;
  }
  constexpr std::string_view kNoId = " field_id=-1";
  for (size_t at = text.find(kNoId); at != std::string::npos; at = text.find(kNoId)) {
    text.erase(at, kNoId.size());
  }
  // Flags of Arrow's own, which say nothing of the file.
  constexpr std::string_view kFlags = ", is_from_converted_type=";
  for (size_t at = text.find(kFlags); at != std::string::npos; at = text.find(kFlags)) {
    text.erase(at, std::min(text.find(')', at), text.size()) - at);
  }
  return text;
}

// "optional int64 amount (Decimal(precision=15, scale=2));" -> "int64 (Decimal(precision=15,
// scale=2))": the name and what every column has are left out.
std::string TypeText(std::string text, const arrow::Field& field) {
  if (field.type()->num_fields() > 0) return text;
  const size_t name = text.find(" " + field.name());
  if (name != std::string::npos) text.erase(name, field.name().size() + 1);
  if (text.ends_with(';')) text.pop_back();
  constexpr std::string_view kOptional = "optional ";
  if (text.starts_with(kOptional)) text.erase(0, kOptional.size());
  return text;
}

Result<std::vector<std::string>> TargetTypes(const LakeOptions& options,
                                             const arrow::Schema& schema) {
  std::vector<std::string> types;
  for (const auto& field : schema.fields()) {
    if (std::ranges::find(options.partition_by, field->name()) != options.partition_by.end()) {
      types.push_back(fmt::format("directory {}=...", EscapeHive(field->name())));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const std::string described,
                          format::DescribeFileSchema(*arrow::schema({field}), options.profile));
    types.push_back(TypeText(InnerText(described), *field));
  }
  return types;
}

bool HasWideDecimal(const arrow::DataType& type) {
  constexpr int32_t kDuckDbDigitsMax = 38;
  if (type.id() == arrow::Type::DECIMAL256) {
    return static_cast<const arrow::DecimalType&>(type).precision() > kDuckDbDigitsMax;
  }
  return std::ranges::any_of(type.fields(),
                             [](const auto& field) { return HasWideDecimal(*field->type()); });
}

std::vector<std::string> NotesOn(const LakeOptions& options, const arrow::Schema& file_schema) {
  std::vector<std::string> notes;
  if (!options.partition_by.empty()) {
    notes.push_back("readers infer the types of partition_by columns from the directories' names");
  }
  for (const auto& field : file_schema.fields()) {
    if (!HasWideDecimal(*field->type())) continue;
    notes.push_back(fmt::format(
        "DuckDB reads decimals of more than 38 digits as double: column \"{}\"", field->name()));
  }
  return notes;
}

// Without the parameters of a URL.
std::string ShownPath(const LakeOptions& options, const places::Place& place) {
  return options.path.find('?') == std::string::npos ? options.path : place.Location("");
}

std::string CodecText(const format::EncodeOptions& encode) {
  std::string text(format::NameOf(encode.codec));
  if (encode.codec == format::Codec::kNone) return "not compressed";
  return encode.level > 0 ? fmt::format("{} {}", text, encode.level) : text;
}

}  // namespace

Result<elt::BoundTarget> BindLake(const LakeOptions& options, const places::Place& place,
                                  const std::string& created_by, const elt::SchemaPtr& schema,
                                  const std::vector<elt::ColumnHint>& hints,
                                  const elt::RunInstance& run) {
  LakeLayout layout;
  ARROW_ASSIGN_OR_RAISE(const std::string expanded, elt::ExpandTemplate(options.layout, run));
  ARROW_ASSIGN_OR_RAISE(layout.directory, DirectoryOf(expanded));
  ARROW_RETURN_NOT_OK(CheckKeys(layout.directory, options, *schema));
  layout.partition_by = options.partition_by;
  layout.created_by = created_by;
  const auto file_schema = FileSchemaOf(*schema, options.partition_by);
  const auto leaf_hints = LeafHints(*schema, hints, *file_schema);
  ARROW_ASSIGN_OR_RAISE(layout.encode, ChooseEncoding(options, *file_schema, leaf_hints));

  elt::BoundTarget bound;
  bound.schema = schema;
  ARROW_ASSIGN_OR_RAISE(bound.target_types, TargetTypes(options, *schema));
  bound.frozen = layout.ToJson();
  bound.memory_bytes_per_slice = MemoryPerSlice(options, place, layout.encode, leaf_hints);
  bound.description = fmt::format("Parquet files in {}, {}, for {}", ShownPath(options, place),
                                  CodecText(layout.encode), format::NameOf(options.profile));
  std::string directory = layout.directory;
  for (const std::string& column : options.partition_by) {
    if (!directory.empty()) directory.push_back('/');
    directory += EscapeHive(column) + "=...";
  }
  const std::string name = LakeNames(run.Label()).DataFile("p0000", 0, 0, 0);
  bound.names = directory.empty() ? name : fmt::format("{}/{}", directory, name);
  bound.notes = NotesOn(options, *file_schema);
  return bound;
}

}  // namespace levada::parquet
