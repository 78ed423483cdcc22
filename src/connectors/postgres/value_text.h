#pragma once
// A value out of Arrow in the canonical text that the tests have the server say too. For *_test.cc
// only. Two independent paths to one text.

#include <arrow/array.h>
#include <arrow/util/decimal.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <string>

#include "base/binary_text.h"

namespace levada::postgres {

inline std::string WithPoint(std::string digits, int32_t scale) {
  const bool negative = digits[0] == '-';
  if (negative) digits.erase(0, 1);
  const auto places = static_cast<size_t>(scale);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - places, ".");
  return (negative ? "-" : "") + digits;
}

template <typename Bits>
std::string BigEndianHex(Bits bits) {
  std::string text;
  for (int shift = static_cast<int>(sizeof(bits)) * 8 - 8; shift >= 0; shift -= 8) {
    const auto byte = static_cast<uint8_t>(bits >> shift);
    text += HexOf({reinterpret_cast<const char*>(&byte), 1});
  }
  return text;
}

/// Integers, days and microseconds as numbers, floats as their bits, binary as hex, decimals with
/// all places, lists as [a|b|<null>]. Precondition: valid.
inline std::string ValueText(const arrow::Array& array, int64_t i) {
  using arrow::Type;
  switch (array.type_id()) {
    case Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(array).Value(i) ? "true" : "false";
    case Type::INT16:
      return std::to_string(static_cast<const arrow::Int16Array&>(array).Value(i));
    case Type::INT32:
      return std::to_string(static_cast<const arrow::Int32Array&>(array).Value(i));
    case Type::INT64:
      return std::to_string(static_cast<const arrow::Int64Array&>(array).Value(i));
    case Type::DATE32:
      return std::to_string(static_cast<const arrow::Date32Array&>(array).Value(i));
    case Type::TIME64:
      return std::to_string(static_cast<const arrow::Time64Array&>(array).Value(i));
    case Type::TIMESTAMP:
      return std::to_string(static_cast<const arrow::TimestampArray&>(array).Value(i));
    case Type::FLOAT:
      return BigEndianHex(
          std::bit_cast<uint32_t>(static_cast<const arrow::FloatArray&>(array).Value(i)));
    case Type::DOUBLE:
      return BigEndianHex(
          std::bit_cast<uint64_t>(static_cast<const arrow::DoubleArray&>(array).Value(i)));
    case Type::STRING:
      return static_cast<const arrow::StringArray&>(array).GetString(i);
    case Type::BINARY: {
      const auto view = static_cast<const arrow::BinaryArray&>(array).GetView(i);
      return HexOf(view);
    }
    case Type::FIXED_SIZE_BINARY:
      return HexOf(static_cast<const arrow::FixedSizeBinaryArray&>(array).GetView(i));
    case Type::DECIMAL128: {
      const auto& decimals = static_cast<const arrow::Decimal128Array&>(array);
      const auto& type = static_cast<const arrow::Decimal128Type&>(*array.type());
      return WithPoint(arrow::Decimal128(decimals.GetValue(i)).ToIntegerString(), type.scale());
    }
    case Type::DECIMAL256: {
      const auto& decimals = static_cast<const arrow::Decimal256Array&>(array);
      const auto& type = static_cast<const arrow::Decimal256Type&>(*array.type());
      return WithPoint(arrow::Decimal256(decimals.GetValue(i)).ToIntegerString(), type.scale());
    }
    case Type::LIST: {
      const auto items = static_cast<const arrow::ListArray&>(array).value_slice(i);
      std::string text = "[";
      for (int64_t item = 0; item < items->length(); ++item) {
        if (item > 0) text += '|';
        text += items->IsNull(item) ? "<null>" : ValueText(*items, item);
      }
      return text + "]";
    }
    default:
      return "unexpected " + array.type()->ToString();
  }
}

}  // namespace levada::postgres
