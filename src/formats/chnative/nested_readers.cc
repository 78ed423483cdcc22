// Columns that are made of others: NULLs beside values, dictionaries, arrays, tuples, maps.

#include <arrow/array/builder_base.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/util/bit_util.h>

#include <cstring>
#include <string>
#include <utility>

#include "formats/chnative/column_reader.h"

namespace levada::chnative {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Readers = std::vector<std::unique_ptr<ColumnReader>>;

/// The same values with NULL where a bit of `valid` is not set.
ArrayPtr WithNulls(const arrow::Array& values, std::shared_ptr<arrow::Buffer> valid,
                   int64_t null_count) {
  const auto data = values.data()->Copy();
  data->buffers[0] = std::move(valid);
  data->null_count = null_count;
  return arrow::MakeArray(data);
}

class NullableReader final : public ColumnReader {
 public:
  explicit NullableReader(std::unique_ptr<ColumnReader> values) : values_(std::move(values)) {}

  Status ReadPrefix(ColumnInput& in) override { return values_->ReadPrefix(in); }

  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t*) override {
    ARROW_ASSIGN_OR_RAISE(const auto is_null, in.Values(rows, 1));
    ARROW_ASSIGN_OR_RAISE(auto valid, in.Room(arrow::bit_util::BytesForBits(rows)));
    std::fill_n(valid->mutable_data(), valid->size(), uint8_t{0});
    int64_t null_count = 0;
    for (int64_t i = 0; i < rows; ++i) {
      const uint8_t byte = is_null->data()[i];
      if (byte > 1) {
        return Fault(FaultCode::kSourceProtocol, "whether a value is NULL: expected 0 or 1, got " +
                                                     std::to_string(byte) + " (row " +
                                                     std::to_string(i + 1) + " of the block)");
      }
      null_count += byte != 0 ? 1 : 0;
      if (byte == 0) arrow::bit_util::SetBit(valid->mutable_data(), i);
    }
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr values, values_->Read(in, rows, is_null->data()));
    // Those of Nothing are NULL already.
    if (null_count == 0 || values->null_count() == rows) return values;
    return WithNulls(*values, std::move(valid), null_count);
  }

 private:
  const std::unique_ptr<ColumnReader> values_;
};

/// Offsets behind each row as Arrow has them, before the first one too.
struct Offsets {
  std::shared_ptr<arrow::Buffer> buffer;
  int64_t total = 0;
};

Result<Offsets> ReadOffsets(ColumnInput& in, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const auto wire, in.Values(rows, sizeof(uint64_t)));
  Offsets offsets;
  ARROW_ASSIGN_OR_RAISE(offsets.buffer, in.Room((rows + 1) * 4));
  auto* to = reinterpret_cast<int32_t*>(offsets.buffer->mutable_data());
  const auto* from = reinterpret_cast<const uint64_t*>(wire->data());
  to[0] = 0;
  uint64_t before = 0;
  for (int64_t i = 0; i < rows; ++i) {
    if (from[i] < before || from[i] > static_cast<uint64_t>(kValuesMax)) {
      return Fault(FaultCode::kSourceProtocol,
                   "the end of an array: expected " + std::to_string(before) + " to " +
                       std::to_string(kValuesMax) + ", got " + std::to_string(from[i]) + " (row " +
                       std::to_string(i + 1) + " of the block)");
    }
    before = from[i];
    to[i + 1] = static_cast<int32_t>(before);
  }
  offsets.total = static_cast<int64_t>(before);
  return offsets;
}

class ArrayReader final : public ColumnReader {
 public:
  ArrayReader(std::shared_ptr<arrow::DataType> type, std::unique_ptr<ColumnReader> values)
      : type_(std::move(type)), values_(std::move(values)) {}

  Status ReadPrefix(ColumnInput& in) override { return values_->ReadPrefix(in); }

  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t*) override {
    ARROW_ASSIGN_OR_RAISE(Offsets offsets, ReadOffsets(in, rows));
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr values, values_->Read(in, offsets.total, nullptr));
    return arrow::MakeArray(arrow::ArrayData::Make(
        type_, rows, {nullptr, std::move(offsets.buffer)}, {values->data()}, 0));
  }

 private:
  const std::shared_ptr<arrow::DataType> type_;
  const std::unique_ptr<ColumnReader> values_;
};

class TupleReader final : public ColumnReader {
 public:
  TupleReader(std::shared_ptr<arrow::DataType> type, Readers fields)
      : type_(std::move(type)), fields_(std::move(fields)) {}

  Status ReadPrefix(ColumnInput& in) override {
    for (const auto& field : fields_) ARROW_RETURN_NOT_OK(field->ReadPrefix(in));
    return Status::OK();
  }

  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t* nulls) override {
    std::vector<std::shared_ptr<arrow::ArrayData>> children;
    for (const auto& field : fields_) {
      ARROW_ASSIGN_OR_RAISE(const ArrayPtr values, field->Read(in, rows, nulls));
      children.push_back(values->data());
    }
    return arrow::MakeArray(arrow::ArrayData::Make(type_, rows, {nullptr}, std::move(children), 0));
  }

 private:
  const std::shared_ptr<arrow::DataType> type_;
  const Readers fields_;
};

/// An array of its keys beside one of its values, with the offsets of both.
class MapReader final : public ColumnReader {
 public:
  MapReader(std::shared_ptr<arrow::DataType> type, std::unique_ptr<ColumnReader> entries)
      : type_(std::move(type)), entries_(std::move(entries)) {}

  Status ReadPrefix(ColumnInput& in) override { return entries_->ReadPrefix(in); }

  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t*) override {
    ARROW_ASSIGN_OR_RAISE(Offsets offsets, ReadOffsets(in, rows));
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr entries, entries_->Read(in, offsets.total, nullptr));
    return arrow::MakeArray(arrow::ArrayData::Make(
        type_, rows, {nullptr, std::move(offsets.buffer)}, {entries->data()}, 0));
  }

 private:
  const std::shared_ptr<arrow::DataType> type_;
  const std::unique_ptr<ColumnReader> entries_;
};

/// The indices of a dictionary's values.
struct Keys {
  std::shared_ptr<arrow::Buffer> buffer;
  int width;

  uint64_t At(int64_t row) const {
    uint64_t key = 0;
    std::memcpy(&key, buffer->data() + row * width, static_cast<size_t>(width));
    return key;
  }
};

/// Decoded to plain values: the Parquet loader takes no dictionaries.
class LowCardinalityReader final : public ColumnReader {
 public:
  LowCardinalityReader(bool nullable, std::unique_ptr<ColumnReader> values)
      : nullable_(nullable), values_(std::move(values)) {}

  Status ReadPrefix(ColumnInput& in) override {
    ARROW_ASSIGN_OR_RAISE(const uint64_t version, in.bytes.Little<uint64_t>());
    if (version == kKeysBesideDictionary) return values_->ReadPrefix(in);
    return Fault(FaultCode::kSourceProtocol,
                 "version of a LowCardinality column: expected 1, got " + std::to_string(version));
  }

  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t*) override {
    if (rows == 0) return values_->Read(in, 0, nullptr);
    ARROW_ASSIGN_OR_RAISE(const int width, ReadKeyWidth(in));
    ARROW_ASSIGN_OR_RAISE(const int64_t size,
                          ReadSize(in, "values of a dictionary", 1, kValuesMax));
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr values, values_->Read(in, size, nullptr));
    ARROW_RETURN_NOT_OK(ReadSize(in, "keys of a dictionary", rows, rows).status());
    Keys keys{nullptr, width};
    ARROW_ASSIGN_OR_RAISE(keys.buffer, in.Values(rows, width));
    return Gather(in, *values, keys, rows);
  }

 private:
  static constexpr uint64_t kKeysBesideDictionary = 1;
  static constexpr uint64_t kKeyMask = 0xff;
  static constexpr uint64_t kHasDictionary = 1 << 9;  ///< its values come with the block
  static constexpr uint64_t kUpdates = 1 << 10;       ///< it replaces the one before

  /// kShared (1 << 8) names a dictionary that came before, which servers do not send to clients.
  static Result<int> ReadKeyWidth(ColumnInput& in) {
    ARROW_ASSIGN_OR_RAISE(const uint64_t flags, in.bytes.Little<uint64_t>());
    const uint64_t kind = flags & kKeyMask;
    const uint64_t rest = flags & ~kKeyMask;
    if (kind <= 3 && (rest & kHasDictionary) != 0 && (rest & ~(kHasDictionary | kUpdates)) == 0) {
      return 1 << kind;
    }
    return Fault(FaultCode::kSourceProtocol,
                 "flags of a LowCardinality column: expected keys of a known width and a "
                 "dictionary of the block's own, got " +
                     std::to_string(flags));
  }

  static Result<int64_t> ReadSize(ColumnInput& in, std::string_view what, int64_t least,
                                  int64_t most) {
    ARROW_ASSIGN_OR_RAISE(const uint64_t size, in.bytes.Little<uint64_t>());
    if (size >= static_cast<uint64_t>(least) && size <= static_cast<uint64_t>(most)) {
      return static_cast<int64_t>(size);
    }
    return Fault(FaultCode::kSourceProtocol,
                 std::string(what) + ": expected " + std::to_string(least) + " to " +
                     std::to_string(most) + ", got " + std::to_string(size));
  }

  /// `values[keys[i]]`. Of a nullable one the first value stands for NULL.
  Result<ArrayPtr> Gather(ColumnInput& in, const arrow::Array& values, const Keys& keys,
                          int64_t rows) const {
    ARROW_ASSIGN_OR_RAISE(const auto builder, arrow::MakeBuilder(values.type(), in.pool));
    ARROW_RETURN_NOT_OK(builder->Reserve(rows));
    const arrow::ArraySpan span(*values.data());
    const bool is_text = arrow::is_base_binary_like(values.type_id());
    const int64_t fixed = is_text ? 4 : std::max(1, values.type()->bit_width() / 8);
    const int32_t* offsets = is_text ? values.data()->GetValues<int32_t>(1) : nullptr;
    int64_t text_bytes = 0;
    for (int64_t i = 0; i < rows; ++i) {
      const uint64_t key = keys.At(i);
      if (key >= static_cast<uint64_t>(values.length())) {
        return Fault(FaultCode::kSourceProtocol, "a key of a dictionary: expected less than " +
                                                     std::to_string(values.length()) + ", got " +
                                                     std::to_string(key) + " (row " +
                                                     std::to_string(i + 1) + " of the block)");
      }
      const int64_t size = is_text ? offsets[key + 1] - offsets[key] : 0;
      ARROW_RETURN_NOT_OK(in.Take(fixed + size));
      text_bytes += size;
      if (text_bytes > kValuesMax) {
        return Fault(FaultCode::kSourceUnsupported, "texts of more than 2 GiB in one block")
            .Help("have the server send smaller blocks: settings: { max_block_size: 1000 }");
      }
      if (nullable_ && key == 0) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
      } else {
        ARROW_RETURN_NOT_OK(builder->AppendArraySlice(span, static_cast<int64_t>(key), 1));
      }
    }
    return builder->Finish();
  }

  const bool nullable_;
  const std::unique_ptr<ColumnReader> values_;
};

}  // namespace

std::unique_ptr<ColumnReader> MakeNestedReader(const Type& type, const TypeOptions& options) {
  const auto arrow_type = FieldOf("", type, options)->type();
  switch (type.kind) {
    case Kind::kNullable:
      return std::make_unique<NullableReader>(MakeColumnReader(type.children[0], options));
    case Kind::kLowCardinality: {
      const bool nullable = type.children[0].kind == Kind::kNullable;
      const Type& value = nullable ? type.children[0].children[0] : type.children[0];
      return std::make_unique<LowCardinalityReader>(nullable, MakeColumnReader(value, options));
    }
    case Kind::kArray:
      return std::make_unique<ArrayReader>(arrow_type, MakeColumnReader(type.children[0], options));
    case Kind::kTuple: {
      Readers fields;
      for (const Type& child : type.children) fields.push_back(MakeColumnReader(child, options));
      return std::make_unique<TupleReader>(arrow_type, std::move(fields));
    }
    case Kind::kMap: {
      const auto& map = static_cast<const arrow::MapType&>(*arrow_type);
      Readers fields;
      for (const Type& child : type.children) fields.push_back(MakeColumnReader(child, options));
      return std::make_unique<MapReader>(
          arrow_type, std::make_unique<TupleReader>(map.value_type(), std::move(fields)));
    }
    default:
      return nullptr;
  }
}

std::unique_ptr<ColumnReader> MakeColumnReader(const Type& type, const TypeOptions& options) {
  const bool wide = (type.kind == Kind::kInt || type.kind == Kind::kUInt) && type.bits > 64;
  if (!wide) {
    if (auto reader = MakeNumberReader(type, options)) return reader;
  }
  if (auto reader = MakeTextReader(type, options)) return reader;
  return MakeNestedReader(type, options);
}

}  // namespace levada::chnative
