// Values that become texts or bytes: strings as they are, and what no reader of Parquet has a type
// for in ClickHouse's own words.

#include <arpa/inet.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer_builder.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "base/utf8.h"
#include "formats/chnative/column_reader.h"
#include "formats/chnative/wide_integer.h"

namespace levada::chnative {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

bool IsNull(const uint8_t* nulls, int64_t row) { return nulls != nullptr && nulls[row] != 0; }
bool IsContinuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

/// All of `data` at once, and that no value begins within a character of it.
Status CheckUtf8(std::string_view data, const int32_t* offsets, int64_t rows,
                 const uint8_t* nulls) {
  const auto is_start = [&](int64_t row) {
    const auto at = static_cast<size_t>(offsets[row]);
    return at == data.size() || !IsContinuation(static_cast<uint8_t>(data[at]));
  };
  bool valid = arrow::util::ValidateUTF8(data);
  for (int64_t row = 0; valid && row < rows; ++row) valid = is_start(row);
  if (valid) return Status::OK();
  for (int64_t row = 0; row < rows; ++row) {
    const auto size = static_cast<size_t>(offsets[row + 1] - offsets[row]);
    if (IsNull(nulls, row) || IsUtf8(data.substr(static_cast<size_t>(offsets[row]), size)))
      continue;
    return Fault(FaultCode::kInvalidUtf8, "expected text, got " + std::to_string(size) +
                                              " bytes that are no valid UTF-8 (row " +
                                              std::to_string(row + 1) + " of the block)")
        .Help("read such columns as bytes, strings: binary, or convert them in query:");
  }
  return Status::OK();
}

ArrayPtr Assemble(const std::shared_ptr<arrow::DataType>& type, int64_t rows,
                  std::shared_ptr<arrow::Buffer> offsets, std::shared_ptr<arrow::Buffer> data) {
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, rows, {nullptr, std::move(offsets), std::move(data)}, 0));
}

class StringReader final : public ColumnReader {
 public:
  explicit StringReader(std::shared_ptr<arrow::DataType> type) : type_(std::move(type)) {}

  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t* nulls) override {
    arrow::TypedBufferBuilder<int32_t> offsets(in.pool);
    arrow::BufferBuilder data(in.pool);
    ARROW_RETURN_NOT_OK(offsets.Append(0));
    for (int64_t row = 0; row < rows; ++row) {
      ARROW_ASSIGN_OR_RAISE(const int64_t size, in.bytes.Count(kValuesMax, "length of a string"));
      ARROW_RETURN_NOT_OK(in.Take(size + 4));
      ARROW_RETURN_NOT_OK(Append(in, size, data));
      if (data.length() > kValuesMax) {
        return Fault(FaultCode::kSourceUnsupported, "texts of more than 2 GiB in one block")
            .Help("have the server send smaller blocks: settings: { max_block_size: 1000 }");
      }
      ARROW_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(data.length())));
    }
    if (type_->id() == arrow::Type::STRING) {
      ARROW_RETURN_NOT_OK(CheckUtf8(
          {reinterpret_cast<const char*>(data.data()), static_cast<size_t>(data.length())},
          offsets.data(), rows, nulls));
    }
    ARROW_ASSIGN_OR_RAISE(auto offset_buffer, offsets.Finish());
    ARROW_ASSIGN_OR_RAISE(auto data_buffer, data.Finish());
    return Assemble(type_, rows, std::move(offset_buffer), std::move(data_buffer));
  }

 private:
  // From the reader's buffer, in steps: a length alone allocates nothing.
  static Status Append(ColumnInput& in, int64_t size, arrow::BufferBuilder& data) {
    while (size > 0) {
      if (in.bytes.buffered().empty()) {
        ARROW_ASSIGN_OR_RAISE(const uint8_t first, in.bytes.Byte());
        ARROW_RETURN_NOT_OK(data.Append(&first, 1));
        --size;
        continue;
      }
      const auto ready = in.bytes.buffered();
      const int64_t part = std::min(size, static_cast<int64_t>(ready.size()));
      ARROW_RETURN_NOT_OK(data.Append(ready.data(), part));
      in.bytes.Consume(static_cast<size_t>(part));
      size -= part;
    }
    return Status::OK();
  }

  const std::shared_ptr<arrow::DataType> type_;
};

class FixedStringReader final : public ColumnReader {
 public:
  explicit FixedStringReader(int64_t length) : length_(length) {}

  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t*) override {
    if (rows * length_ > kValuesMax) {
      return Fault(FaultCode::kSourceUnsupported, "texts of more than 2 GiB in one block")
          .Help("have the server send smaller blocks: settings: { max_block_size: 1000 }");
    }
    ARROW_ASSIGN_OR_RAISE(auto data, in.Values(rows, length_));
    ARROW_ASSIGN_OR_RAISE(auto offsets, in.Room((rows + 1) * 4));
    auto* to = reinterpret_cast<int32_t*>(offsets->mutable_data());
    for (int64_t i = 0; i <= rows; ++i) to[i] = static_cast<int32_t>(i * length_);
    return Assemble(arrow::binary(), rows, std::move(offsets), std::move(data));
  }

 private:
  const int64_t length_;
};

/// Values of a fixed width, each as the text that `Write` appends; false, where it has none.
template <typename Write>
class WordReader final : public ColumnReader {
 public:
  WordReader(int width, Write write) : width_(width), write_(std::move(write)) {}

  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t* nulls) override {
    ARROW_ASSIGN_OR_RAISE(const auto wire, in.Values(rows, width_));
    arrow::StringBuilder builder(in.pool);
    std::string text;
    for (int64_t i = 0; i < rows; ++i) {
      text.clear();
      if (!write_(wire->data() + i * width_, text) && !IsNull(nulls, i)) {
        return Fault(FaultCode::kSourceProtocol, "a value that its type has no name for (row " +
                                                     std::to_string(i + 1) + " of the block)");
      }
      ARROW_RETURN_NOT_OK(in.Take(static_cast<int64_t>(text.size()) + 4));
      if (builder.value_data_length() + static_cast<int64_t>(text.size()) > kValuesMax) {
        return Fault(FaultCode::kSourceUnsupported, "texts of more than 2 GiB in one block")
            .Help("have the server send smaller blocks: settings: { max_block_size: 1000 }");
      }
      ARROW_RETURN_NOT_OK(builder.Append(text));
    }
    return builder.Finish();
  }

 private:
  const int width_;
  const Write write_;
};

template <typename Write>
std::unique_ptr<ColumnReader> Writing(int width, Write write) {
  return std::make_unique<WordReader<Write>>(width, std::move(write));
}

/// Two words, the first one first, each from its highest byte.
bool WriteUuid(const uint8_t* value, std::string& text) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    const uint8_t byte = value[i < 8 ? 7 - i : 23 - i];
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return true;
}

bool WriteIPv4(const uint8_t* value, std::string& text) {
  for (int i = 3; i >= 0; --i) {
    text += std::to_string(value[i]);
    if (i > 0) text.push_back('.');
  }
  return true;
}

bool WriteIPv6(const uint8_t* value, std::string& text) {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (inet_ntop(AF_INET6, value, out.data(), out.size()) == nullptr) return false;
  text = out.data();
  return true;
}

std::unique_ptr<ColumnReader> EnumReader(const Type& type) {
  std::map<int16_t, std::string> names;
  for (const EnumValue& value : type.enum_values) names[value.value] = value.name;
  const bool wide = type.bits == 16;
  return Writing(wide ? 2 : 1,
                 [wide, names = std::move(names)](const uint8_t* value, std::string& text) {
                   const auto number = wide ? static_cast<int16_t>(value[0] | value[1] << 8)
                                            : int16_t{static_cast<int8_t>(value[0])};
                   const auto found = names.find(number);
                   if (found == names.end() || !IsUtf8(found->second)) return false;
                   text = found->second;
                   return true;
                 });
}

/// A byte for each value, and no values.
class NothingReader final : public ColumnReader {
 public:
  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t*) override {
    ARROW_RETURN_NOT_OK(in.Values(rows, 1).status());
    ARROW_RETURN_NOT_OK(in.Take(rows * 5));
    return arrow::MakeArrayOfNull(arrow::utf8(), rows, in.pool);
  }
};

/// Texts behind the version that says they are some.
class JsonReader final : public ColumnReader {
 public:
  Status ReadPrefix(ColumnInput& in) override {
    ARROW_ASSIGN_OR_RAISE(const uint64_t version, in.bytes.Little<uint64_t>());
    if (version == kAsText) return Status::OK();
    return Fault(FaultCode::kUnsupportedType,
                 "JSON in the form " + std::to_string(version) + ", which is none of texts")
        .Help("convert it in query:, toJSONString(...)");
  }
  Result<ArrayPtr> Read(ColumnInput& in, int64_t rows, const uint8_t* nulls) override {
    return texts_.Read(in, rows, nulls);
  }

 private:
  static constexpr uint64_t kAsText = 1;
  StringReader texts_{arrow::utf8()};
};

}  // namespace

std::unique_ptr<ColumnReader> MakeTextReader(const Type& type, const TypeOptions& options) {
  switch (type.kind) {
    case Kind::kString:
      return std::make_unique<StringReader>(FieldOf("", type, options)->type());
    case Kind::kFixedString:
      return std::make_unique<FixedStringReader>(type.length);
    case Kind::kUuid:
      return Writing(16, WriteUuid);
    case Kind::kIPv4:
      return Writing(4, WriteIPv4);
    case Kind::kIPv6:
      return Writing(16, WriteIPv6);
    case Kind::kEnum:
      return EnumReader(type);
    case Kind::kNothing:
      return std::make_unique<NothingReader>();
    case Kind::kJson:
      return std::make_unique<JsonReader>();
    case Kind::kInt:
    case Kind::kUInt: {
      const int width = type.bits / 8;
      const bool is_signed = type.kind == Kind::kInt;
      return Writing(width, [width, is_signed](const uint8_t* value, std::string& text) {
        AppendWideInteger({value, static_cast<size_t>(width)}, is_signed, text);
        return true;
      });
    }
    default:
      return nullptr;
  }
}

}  // namespace levada::chnative
