#include <arrow/type.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/diagnostic.h"
#include "formats/parquet/encode_options.h"
#include "formats/parquet/file_schema.h"
#include "formats/parquet/leaf_plan.h"

namespace levada::parquet_format {
namespace {

constexpr double kUnknownBytes = 24;   // of a text or binary value nobody described
constexpr double kElementsOfList = 4;  // likewise, per list on the way to a leaf
constexpr double kChunkBytesAim =
    4 << 20;  // the rows of one chunk: small beside the rest of the process
constexpr int64_t kChunkRowsMin =
    2048;  // below, page headers and compression contexts begin to cost
constexpr int64_t kChunkRowsMax = 32 * 1024;
constexpr int64_t kChunkBytesMin = 8 << 20;
constexpr int64_t kChunkBytesMax = 32 << 20;
/// Smaller row groups make the footer and with it every writer and reader fat (1.8 KB a column
/// chunk).
constexpr double kRowGroupRowsMin = 32 * 1024;
constexpr int64_t kRowGroupBytesMin = 8 << 20;
constexpr int64_t kRowGroupBytesMax = 64 << 20;
/// All dictionaries of a file together: a table of 500 columns has 500 of them.
constexpr int64_t kDictionariesBytes = 16 << 20;
constexpr int64_t kDictionaryBytesMin = 16 << 10;
constexpr double kEncodedShare =
    0.35;  // of PLAIN bytes that remain: tables we measured keep 0.1 to 0.4

/// PLAIN bytes of one value.
double ValueBytes(const LeafPlan& leaf, const ColumnHint* hint) {
  switch (leaf.physical) {
    case parquet::Type::BOOLEAN:
      return 0.125;
    case parquet::Type::INT32:
    case parquet::Type::FLOAT:
      return 4;
    case parquet::Type::BYTE_ARRAY:
      return 4 +
             (hint != nullptr && hint->average_bytes >= 0 ? hint->average_bytes : kUnknownBytes);
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
      return leaf.fixed_width;
    default:
      return 8;
  }
}

double ValuesPerRow(const LeafPlan& leaf, const ColumnHint* hint) {
  double values = 1;
  for (const PathNode& node : leaf.nodes) {
    if (node.kind == PathNode::Kind::kList || node.kind == PathNode::Kind::kLargeList)
      values *= kElementsOfList;
  }
  return hint == nullptr ? values : values * (1 - std::clamp(hint->null_fraction, 0.0, 1.0));
}

int64_t FloorPowerOfTwo(double value) {
  return static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max(value, 1.0))));
}

/// `values` of one row group, drawn from `distinct` of them.
DictionaryUse DictionaryFor(double distinct, double values, double value_bytes,
                            int64_t dictionary_bytes) {
  if (distinct < 0 || values <= 0) return DictionaryUse::kAuto;
  distinct = std::max(distinct, 1.0);
  const double seen = distinct * (1 - std::exp(-values / distinct));
  const double dictionary = seen * value_bytes;
  if (dictionary > static_cast<double>(dictionary_bytes)) return DictionaryUse::kOff;
  const double indices = values * std::ceil(std::log2(std::max(seen, 2.0))) / 8;
  const double plain = values * value_bytes;
  if (dictionary + indices > 0.9 * plain) return DictionaryUse::kOff;
  return dictionary + indices < 0.2 * plain ? DictionaryUse::kOn : DictionaryUse::kAuto;
}

Result<int> ColumnIndex(const arrow::Schema& schema, const std::string& name) {
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (schema.field(i)->name() == name) return i;
  }
  Fault fault(FaultCode::kUnknownColumn,
              "there is no column \"" + name + "\" to set an option for");
  fault.With("column", name);
  if (std::string near = NearestName(name, schema.field_names()); !near.empty())
    fault.Help("did you mean \"" + near + "\"?");
  return fault;
}

Status ApplyColumns(const arrow::Schema& schema, const std::vector<LeafPlan>& leaves,
                    const EncodeOverrides& overrides, EncodeOptions* options) {
  for (const auto& [name, on] : overrides.dictionary) {
    ARROW_ASSIGN_OR_RAISE(int column, ColumnIndex(schema, name));
    for (size_t i = 0; i < leaves.size(); ++i) {
      if (leaves[i].column == column)
        options->dictionary[i] = on ? DictionaryUse::kOn : DictionaryUse::kOff;
    }
  }
  if (overrides.statistics.empty()) return Status::OK();
  options->statistics.assign(leaves.size(), true);
  for (const auto& [name, on] : overrides.statistics) {
    ARROW_ASSIGN_OR_RAISE(int column, ColumnIndex(schema, name));
    for (size_t i = 0; i < leaves.size(); ++i) {
      if (leaves[i].column == column) options->statistics[i] = on;
    }
  }
  return Status::OK();
}

void Size(double row_bytes, const EncodeOverrides& overrides, EncodeOptions* options) {
  options->chunk_rows =
      std::clamp(FloorPowerOfTwo(kChunkBytesAim / row_bytes), kChunkRowsMin, kChunkRowsMax);
  const double chunk_bytes =
      2 * row_bytes * static_cast<double>(options->chunk_rows);  // rows differ in width
  options->chunk_bytes =
      std::clamp(static_cast<int64_t>(chunk_bytes), kChunkBytesMin, kChunkBytesMax);
  const double encoded_min = kRowGroupRowsMin * row_bytes * kEncodedShare;
  options->row_group_bytes =
      std::clamp(static_cast<int64_t>(encoded_min), kRowGroupBytesMin, kRowGroupBytesMax);
  options->row_group_rows = overrides.row_group_rows.value_or(options->row_group_rows);
  options->row_group_bytes = overrides.row_group_bytes.value_or(options->row_group_bytes);
  options->file_bytes = overrides.file_bytes.value_or(options->file_bytes);
}

}  // namespace

Result<EncodeOptions> ChooseOptions(const arrow::Schema& schema,
                                    const std::vector<ColumnHint>& hints, int64_t row_count,
                                    const EncodeOverrides& overrides) {
  EncodeOptions options;
  options.profile = overrides.profile.value_or(options.profile);
  options.codec = overrides.codec.value_or(options.codec);
  options.encoding = overrides.encoding.value_or(options.encoding);
  options.level = overrides.level.value_or(options.codec == Codec::kZstd ? 1 : 0);
  ARROW_ASSIGN_OR_RAISE(FileSchema file, PlanFileSchema(schema, options.profile));
  if (!hints.empty() && hints.size() != file.leaves.size()) {
    return Fault(FaultCode::kInternal, std::to_string(hints.size()) + " column hints for " +
                                           std::to_string(file.leaves.size()) + " leaf columns");
  }
  auto hint_of = [&](size_t leaf) { return hints.empty() ? nullptr : &hints[leaf]; };

  double row_bytes = 0;
  for (size_t i = 0; i < file.leaves.size(); ++i) {
    row_bytes += ValueBytes(file.leaves[i], hint_of(i)) * ValuesPerRow(file.leaves[i], hint_of(i));
  }
  row_bytes = std::max(row_bytes, 1.0);
  Size(row_bytes, overrides, &options);
  const auto leaf_count = static_cast<int64_t>(std::max<size_t>(file.leaves.size(), 1));
  options.dictionary_bytes =
      std::clamp(kDictionariesBytes / leaf_count, kDictionaryBytesMin, options.dictionary_bytes);

  double group_rows =
      std::min(static_cast<double>(options.row_group_rows),
               static_cast<double>(options.row_group_bytes) / (row_bytes * kEncodedShare));
  if (row_count >= 0) group_rows = std::min(group_rows, static_cast<double>(row_count));
  for (size_t i = 0; i < file.leaves.size(); ++i) {
    const ColumnHint* hint = hint_of(i);
    options.dictionary.push_back(DictionaryFor(hint == nullptr ? -1 : hint->distinct_count,
                                               group_rows * ValuesPerRow(file.leaves[i], hint),
                                               ValueBytes(file.leaves[i], hint),
                                               options.dictionary_bytes));
  }
  ARROW_RETURN_NOT_OK(ApplyColumns(schema, file.leaves, overrides, &options));
  ARROW_RETURN_NOT_OK(CheckOptions(options, static_cast<int>(file.leaves.size())));
  return options;
}

}  // namespace levada::parquet_format
