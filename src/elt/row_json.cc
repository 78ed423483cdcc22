#include "elt/row_json.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/util/checked_cast.h>

#include <cmath>
#include <string_view>

#include "base/binary_text.h"
#include "base/json.h"

namespace levada::elt {
namespace {

using arrow::internal::checked_cast;

template <typename ArrayType>
std::string_view View(const arrow::Array& array, int64_t i) {
  return std::string_view(checked_cast<const ArrayType&>(array).GetView(i));
}

Result<std::string> Cell(const arrow::Array& array, int64_t i);

template <typename ArrayType>
Result<std::string> ListCell(const arrow::Array& array, int64_t i) {
  const auto& list = checked_cast<const ArrayType&>(array);
  const int64_t begin = list.value_offset(i);
  std::string text;
  for (int64_t k = begin; k < begin + list.value_length(i); ++k) {
    ARROW_ASSIGN_OR_RAISE(std::string item, Cell(*list.values(), k));
    text += (text.empty() ? "" : ", ") + item;
  }
  return "[" + text + "]";
}

Result<std::string> MapCell(const arrow::MapArray& map, int64_t i) {
  std::string text;
  for (int64_t k = map.value_offset(i); k < map.value_offset(i) + map.value_length(i); ++k) {
    ARROW_ASSIGN_OR_RAISE(std::string key, Cell(*map.keys(), k));
    ARROW_ASSIGN_OR_RAISE(std::string item, Cell(*map.items(), k));
    text += (text.empty() ? "[" : ", [") + key + ", " + item + "]";
  }
  return "[" + text + "]";
}

Result<std::string> StructCell(const arrow::StructArray& array, int64_t i) {
  std::string text;
  for (int f = 0; f < array.num_fields(); ++f) {
    ARROW_ASSIGN_OR_RAISE(std::string item, Cell(*array.field(f), i));
    text += (text.empty() ? "" : ", ") + QuoteJson(array.type()->field(f)->name()) + ": " + item;
  }
  return "{" + text + "}";
}

/// What Arrow prints for the value: its own words for numbers, decimals, dates and times.
Result<std::string> Printed(const arrow::Array& array, int64_t i) {
  ARROW_ASSIGN_OR_RAISE(auto scalar, array.GetScalar(i));
  return scalar->ToString();
}

Result<std::string> Cell(const arrow::Array& array, int64_t i) {
  if (array.IsNull(i)) return "null";
  switch (array.type_id()) {
    case arrow::Type::STRING:
      return QuoteJson(View<arrow::StringArray>(array, i));
    case arrow::Type::LARGE_STRING:
      return QuoteJson(View<arrow::LargeStringArray>(array, i));
    case arrow::Type::STRING_VIEW:
      return QuoteJson(View<arrow::StringViewArray>(array, i));
    case arrow::Type::BINARY:
      return QuoteJson("\\x" + HexOf(View<arrow::BinaryArray>(array, i)));
    case arrow::Type::LARGE_BINARY:
      return QuoteJson("\\x" + HexOf(View<arrow::LargeBinaryArray>(array, i)));
    case arrow::Type::BINARY_VIEW:
      return QuoteJson("\\x" + HexOf(View<arrow::BinaryViewArray>(array, i)));
    case arrow::Type::FIXED_SIZE_BINARY:
      return QuoteJson("\\x" + HexOf(View<arrow::FixedSizeBinaryArray>(array, i)));
    case arrow::Type::LIST:
      return ListCell<arrow::ListArray>(array, i);
    case arrow::Type::LARGE_LIST:
      return ListCell<arrow::LargeListArray>(array, i);
    case arrow::Type::FIXED_SIZE_LIST:
      return ListCell<arrow::FixedSizeListArray>(array, i);
    case arrow::Type::MAP:
      return MapCell(checked_cast<const arrow::MapArray&>(array), i);
    case arrow::Type::STRUCT:
      return StructCell(checked_cast<const arrow::StructArray&>(array), i);
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = checked_cast<const arrow::DictionaryArray&>(array);
      return Cell(*dictionary.dictionary(), dictionary.GetValueIndex(i));
    }
    case arrow::Type::EXTENSION:
      return Cell(*checked_cast<const arrow::ExtensionArray&>(array).storage(), i);
    case arrow::Type::FLOAT:
      if (!std::isfinite(checked_cast<const arrow::FloatArray&>(array).Value(i))) break;
      return Printed(array, i);
    case arrow::Type::DOUBLE:
      if (!std::isfinite(checked_cast<const arrow::DoubleArray&>(array).Value(i))) break;
      return Printed(array, i);
    default:
      if (array.type_id() == arrow::Type::BOOL || arrow::is_integer(array.type_id())) {
        return Printed(array, i);
      }
  }
  ARROW_ASSIGN_OR_RAISE(std::string text, Printed(array, i));
  return QuoteJson(text);
}

}  // namespace

Result<std::string> RowJson(const arrow::RecordBatch& batch, int64_t row) {
  std::string text;
  for (int c = 0; c < batch.num_columns(); ++c) {
    ARROW_ASSIGN_OR_RAISE(std::string cell, Cell(*batch.column(c), row));
    text += (text.empty() ? "" : ", ") + QuoteJson(batch.column_name(c)) + ": " + cell;
  }
  return "{" + text + "}";
}

}  // namespace levada::elt
