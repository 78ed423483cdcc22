#include "formats/chnative/block_writer.h"

#include <arrow/array.h>

#include <limits>

#include "formats/chnative/block_reader.h"
#include "formats/chnative/byte_reader.h"

namespace levada::chnative {
namespace {

Status Append(const Type& type, const arrow::Array& values, std::string& out);

/// Values of Arrow's own width, as they lie there.
void AppendWords(const arrow::Array& values, int width, std::string& out) {
  const uint8_t* begin = values.data()->GetValues<uint8_t>(1, values.offset() * width);
  out.append(reinterpret_cast<const char*>(begin), static_cast<size_t>(values.length() * width));
}

/// Decimals and bytes of Arrow's width, of each the lowest `width`.
void AppendLowest(const arrow::Array& values, int width, std::string& out) {
  const auto& fixed = static_cast<const arrow::FixedSizeBinaryArray&>(values);
  for (int64_t i = 0; i < values.length(); ++i) {
    out.append(reinterpret_cast<const char*>(fixed.GetValue(i)), static_cast<size_t>(width));
  }
}

Fault Misfit(const arrow::Array& values, int64_t row) {
  return Fault(FaultCode::kValueRefused, "a value of " + values.type()->ToString() +
                                             " that the column does not hold (row " +
                                             std::to_string(row + 1) + ")");
}

Status AppendTexts(const Type& type, const arrow::BinaryArray& values, std::string& out) {
  for (int64_t i = 0; i < values.length(); ++i) {
    const std::string_view text = values.GetView(i);
    if (type.kind == Kind::kString) {
      AppendText(out, text);
      continue;
    }
    if (static_cast<int64_t>(text.size()) > type.length) return Misfit(values, i);
    out.append(text);
    out.append(static_cast<size_t>(type.length) - text.size(), '\0');
  }
  return Status::OK();
}

/// Each of `values` divided by `unit`, which has to leave nothing, as a Wire.
template <typename Wire, typename Array>
Status AppendDivided(const Array& values, int64_t unit, std::string& out) {
  for (int64_t i = 0; i < values.length(); ++i) {
    const int64_t value = values.IsNull(i) ? 0 : int64_t{values.Value(i)};
    const int64_t divided = value / unit;
    if (divided * unit != value || divided < int64_t{std::numeric_limits<Wire>::min()} ||
        divided > static_cast<int64_t>(std::numeric_limits<Wire>::max())) {
      return Misfit(values, i);
    }
    AppendLittle(out, static_cast<Wire>(divided));
  }
  return Status::OK();
}

Status AppendNullable(const Type& type, const arrow::Array& values, std::string& out) {
  for (int64_t i = 0; i < values.length(); ++i) out.push_back(values.IsNull(i) ? 1 : 0);
  return Append(type.children[0], values, out);
}

Status AppendList(const Type& type, const arrow::ListArray& values, std::string& out) {
  const int32_t first = values.value_offset(0);
  for (int64_t i = 0; i < values.length(); ++i) {
    AppendLittle(out, static_cast<uint64_t>(values.value_offset(i + 1) - first));
  }
  const auto items =
      values.values()->Slice(first, values.value_offset(values.length()) - int64_t{first});
  return Append(type.children[0], *items, out);
}

Status Append(const Type& type, const arrow::Array& values, std::string& out) {
  switch (type.kind) {
    case Kind::kInt:
    case Kind::kUInt:
      if (type.bits > 64) break;
      [[fallthrough]];
    case Kind::kFloat:
    case Kind::kDate32:
      AppendWords(values, type.bits / 8, out);
      return Status::OK();
    case Kind::kBool:
      for (int64_t i = 0; i < values.length(); ++i) {
        out.push_back(static_cast<const arrow::BooleanArray&>(values).Value(i) ? 1 : 0);
      }
      return Status::OK();
    case Kind::kDecimal:
      AppendLowest(values, type.bits / 8, out);
      return Status::OK();
    case Kind::kString:
    case Kind::kFixedString:
      return AppendTexts(type, static_cast<const arrow::BinaryArray&>(values), out);
    case Kind::kDate:
      return AppendDivided<uint16_t>(static_cast<const arrow::Date32Array&>(values), 1, out);
    case Kind::kDateTime:
      return AppendDivided<uint32_t>(static_cast<const arrow::TimestampArray&>(values), 1'000'000,
                                     out);
    case Kind::kDateTime64: {
      int64_t unit = 1;
      for (int digit = type.scale; digit != (type.scale <= 6 ? 6 : 9); ++digit) unit *= 10;
      return AppendDivided<int64_t>(static_cast<const arrow::TimestampArray&>(values), unit, out);
    }
    case Kind::kNullable:
      return AppendNullable(type, values, out);
    case Kind::kArray:
      return AppendList(type, static_cast<const arrow::ListArray&>(values), out);
    default:
      break;
  }
  return Fault(FaultCode::kUnsupportedType, "columns of this type are not written");
}

Status CheckColumn(const WrittenColumn& column, const Type& type, int64_t rows) {
  const auto field = FieldOf(column.name, type, {.keep_unsigned = true});
  const bool fits = column.values->type()->Equals(*field->type()) &&
                    column.values->length() == rows &&
                    (field->nullable() || column.values->null_count() == 0);
  if (fits) return Status::OK();
  return Fault(FaultCode::kBadCast, "column \"" + column.name + "\": expected " +
                                        std::to_string(rows) + " values of " + field->ToString() +
                                        ", got " + std::to_string(column.values->length()) +
                                        " of " + column.values->type()->ToString());
}

}  // namespace

Result<std::string> WriteBlock(const std::vector<WrittenColumn>& columns, uint64_t revision) {
  std::string out;
  if (revision >= kRevisionWithBlockInfo) {
    AppendVarUInt(out, 1);
    out.push_back(0);  // no overflows
    AppendVarUInt(out, 2);
    AppendLittle(out, int32_t{-1});  // no bucket
    AppendVarUInt(out, 0);
  }
  const int64_t rows = columns.empty() ? 0 : columns[0].values->length();
  AppendVarUInt(out, columns.size());
  AppendVarUInt(out, static_cast<uint64_t>(rows));
  for (const WrittenColumn& column : columns) {
    ARROW_ASSIGN_OR_RAISE(const Type type, ParseType(column.type));
    ARROW_RETURN_NOT_OK(CheckColumn(column, type, rows));
    AppendText(out, column.name);
    AppendText(out, column.type);
    if (revision >= kRevisionWithSerializationFlag) out.push_back(0);
    if (rows > 0) ARROW_RETURN_NOT_OK(Append(type, *column.values, out));
  }
  return out;
}

}  // namespace levada::chnative
