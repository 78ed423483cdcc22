#include "spill/row_keys.h"

#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>
#include <arrow/visit_type_inline.h>

#define XXH_INLINE_ALL  // keys are short: the call would cost as much as the hash
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <memory>
#include <type_traits>

#include "elt/row_encoding.h"

namespace levada::spill {
namespace {

using arrow::internal::checked_cast;

// How the values of an Arrow type are put into order.
template <typename Type>
concept WholeNumber =
    (arrow::is_integer_type<Type>::value || arrow::is_temporal_type<Type>::value ||
     std::same_as<Type, arrow::BooleanType>) &&
    !arrow::is_interval_type<Type>::value;
template <typename Type>
concept Float = std::same_as<Type, arrow::FloatType> || std::same_as<Type, arrow::DoubleType>;
template <typename Type>
concept Decimal =
    std::same_as<Type, arrow::Decimal128Type> || std::same_as<Type, arrow::Decimal256Type>;
template <typename Type>
concept Bytes = arrow::is_base_binary_type<Type>::value;

void AppendBigEndian(uint64_t value, std::string& bytes) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
}

constexpr uint64_t kSignBit = uint64_t{1} << 63;

void AppendDouble(double value, std::string& bytes) {
  if (std::isnan(value)) return AppendBigEndian(~uint64_t{0}, bytes);
  if (value == 0) value = 0;  // of both signs
  const auto bits = std::bit_cast<uint64_t>(value);
  AppendBigEndian((bits & kSignBit) != 0 ? ~bits : bits | kSignBit, bytes);
}

// A zero byte is doubled by 0xff, two zero bytes are the end.
void AppendText(std::string_view text, std::string& bytes) {
  for (const char c : text) {
    bytes += c;
    if (c == '\0') bytes += '\xff';
  }
  bytes.append(2, '\0');
}

struct OrderedWriter {
  const arrow::Array& values;
  const int64_t row;
  std::string& bytes;

  template <WholeNumber Type>
  Status Visit(const Type&) {
    const auto& array = checked_cast<const typename arrow::TypeTraits<Type>::ArrayType&>(values);
    const auto value = array.Value(row);
    if constexpr (std::is_unsigned_v<std::remove_cvref_t<decltype(value)>>) {
      AppendBigEndian(uint64_t{value}, bytes);
    } else {
      AppendBigEndian(static_cast<uint64_t>(int64_t{value}) ^ kSignBit, bytes);
    }
    return Status::OK();
  }
  template <Float Type>
  Status Visit(const Type&) {
    const auto& array = checked_cast<const typename arrow::TypeTraits<Type>::ArrayType&>(values);
    AppendDouble(array.Value(row), bytes);
    return Status::OK();
  }
  template <Decimal Type>
  Status Visit(const Type& type) {
    const auto& array = checked_cast<const typename arrow::TypeTraits<Type>::ArrayType&>(values);
    const uint8_t* value = array.GetValue(row);  // little endian
    const int width = type.byte_width();
    bytes += static_cast<char>(value[width - 1] ^ 0x80);
    for (int i = width - 2; i >= 0; --i) bytes += static_cast<char>(value[i]);
    return Status::OK();
  }
  template <Bytes Type>
  Status Visit(const Type&) {
    const auto& array = checked_cast<const typename arrow::TypeTraits<Type>::ArrayType&>(values);
    AppendText(array.GetView(row), bytes);
    return Status::OK();
  }
  Status Visit(const arrow::DataType& type) {
    return Fault(FaultCode::kInternal, "no order of " + type.ToString());
  }
};

struct OrderFinder {
  bool found = false;

  template <typename Type>
    requires WholeNumber<Type> || Float<Type> || Decimal<Type> || Bytes<Type>
  Status Visit(const Type&) {
    found = true;
    return Status::OK();
  }
  Status Visit(const arrow::DataType&) { return Status::OK(); }
};

}  // namespace

Result<RowKeys> RowKeys::Of(const arrow::RecordBatch& batch, std::span<const int> columns) {
  const auto rows = static_cast<size_t>(batch.num_rows());
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  std::vector<std::unique_ptr<elt::CellEncoder>> encoders;
  std::vector<uint64_t> sizes(rows);
  for (const int column : columns) {
    arrays.push_back(batch.column(column));
    ARROW_ASSIGN_OR_RAISE(auto encoder, elt::MakeCellEncoder(*arrays.back()));
    encoder->AddSizes(0, batch.num_rows(), sizes.data());
    encoders.push_back(std::move(encoder));
  }
  RowKeys keys;
  keys.ends_.reserve(rows + 1);
  for (const uint64_t size : sizes) keys.ends_.push_back(keys.ends_.back() + size);
  keys.bytes_.resize(keys.ends_.back());
  std::vector<uint8_t*> cursors(rows);
  for (size_t i = 0; i < rows; ++i) {
    cursors[i] = reinterpret_cast<uint8_t*>(keys.bytes_.data()) + keys.ends_[i];
  }
  for (const auto& encoder : encoders) encoder->Write(0, batch.num_rows(), cursors.data());
  return keys;
}

uint64_t RowKeys::Hash(int64_t row) const {
  const std::string_view key = (*this)[row];
  return XXH3_64bits(key.data(), key.size());
}

std::pair<uint64_t, uint64_t> RowKeys::Fingerprint(int64_t row) const {
  const std::string_view key = (*this)[row];
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return {hash.low64, hash.high64};
}

bool HasOrder(const arrow::DataType& type) {
  OrderFinder finder;
  return arrow::VisitTypeInline(type, &finder).ok() && finder.found;
}

Status AppendOrdered(const arrow::Array& values, int64_t row, std::string& bytes) {
  if (values.IsNull(row)) {
    bytes += '\0';
    return Status::OK();
  }
  bytes += '\1';
  OrderedWriter writer{values, row, bytes};
  return arrow::VisitTypeInline(*values.type(), &writer);
}

}  // namespace levada::spill
