#include "connectors/postgres/loader_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "formats/pgcopy/batch_encoder.h"
#include "formats/pgcopy/column_writer.h"

namespace levada::postgres {
namespace {

using pgcopy::ValueKind;

// Object ids of pg_type.dat.
constexpr uint32_t kBool = 16, kBytea = 17, kInternalChar = 18, kInt8 = 20, kInt2 = 21, kInt4 = 23,
                   kText = 25, kOid = 26, kFloat4 = 700, kFloat8 = 701, kBpchar = 1042,
                   kVarchar = 1043, kDate = 1082, kTime = 1083, kTimestamp = 1114,
                   kTimestamptz = 1184, kInterval = 1186, kTimetz = 1266, kNumeric = 1700,
                   kUuid = 2950;

constexpr auto kTextTypes = std::to_array<uint32_t>({kText, kVarchar, kBpchar});
// Of these a text says too little: it is more likely that a cast was forgotten.
constexpr auto kNotFromText = std::to_array<uint32_t>(
    {kBool, kInt2, kInt4, kInt8, kOid, kFloat4, kFloat8, kBytea, kInternalChar});
// An assignment to one of these with a modifier rounds, and says nothing.
constexpr auto kRounding =
    std::to_array<uint32_t>({kTime, kTimetz, kTimestamp, kTimestamptz, kInterval, kNumeric});

bool Has(std::span<const uint32_t> types, uint32_t type) {
  return std::ranges::find(types, type) != types.end();
}

/// Digits in front of the point that numeric with this modifier holds; all when it has none.
bool HoldsNumeric(const TargetColumn& column, int32_t precision, int32_t scale) {
  const auto bounds = pgcopy::NumericBoundsOf(column.modifier);
  if (!bounds) return true;
  return bounds->scale >= scale && bounds->precision - bounds->scale >= precision - scale;
}

/// Digits of a second that the values of a time have.
int32_t SecondDigits(const arrow::DataType& type) {
  const std::shared_ptr<arrow::DataType> item = pgcopy::ItemTypeOf(type);
  if (item != nullptr) return SecondDigits(*item);
  constexpr int32_t kMost = 6;  // what the server has
  arrow::TimeUnit::type unit = arrow::TimeUnit::NANO;
  if (type.id() == arrow::Type::DICTIONARY) {
    return SecondDigits(*static_cast<const arrow::DictionaryType&>(type).value_type());
  }
  if (type.id() == arrow::Type::TIMESTAMP) {
    unit = static_cast<const arrow::TimestampType&>(type).unit();
  } else if (type.id() == arrow::Type::TIME32 || type.id() == arrow::Type::TIME64) {
    unit = static_cast<const arrow::TimeType&>(type).unit();
  }
  return unit == arrow::TimeUnit::SECOND ? 0 : unit == arrow::TimeUnit::MILLI ? 3 : kMost;
}

bool IsTimeOfDay(const pgcopy::ColumnType& type) {
  return type.kind == ValueKind::kTime || type.kind == ValueKind::kTimestamp ||
         type.kind == ValueKind::kTimestamptz;
}

bool LosesDigits(const TargetColumn& column, const arrow::DataType& type) {
  return column.modifier >= 0 && column.modifier < SecondDigits(type);
}

enum class Way : uint8_t { kNone, kAsItIs, kCast };

Way WholeNumber(const TargetColumn& column, uint32_t of) {
  const auto digits = [&] { return of == kInt2 ? 5 : of == kInt4 ? 10 : 19; };
  switch (column.base) {
    case kInt2:
      return of == kInt2 ? Way::kAsItIs : Way::kNone;
    case kInt4:
      return of != kInt8 ? Way::kAsItIs : Way::kNone;
    case kInt8:
      return Way::kAsItIs;
    case kOid:
      return of == kInt8 ? Way::kCast : Way::kNone;
    case kNumeric:
      return HoldsNumeric(column, digits(), 0) ? Way::kAsItIs : Way::kNone;
    default:
      return Way::kNone;
  }
}

Way Same(const TargetColumn& column, uint32_t type) {
  return column.base == type ? Way::kAsItIs : Way::kNone;
}

Way WayOf(const pgcopy::ColumnType& type, const TargetColumn& column) {
  switch (type.kind) {
    case ValueKind::kBool:
      return Same(column, kBool);
    case ValueKind::kInt2:
      return WholeNumber(column, kInt2);
    case ValueKind::kInt4:
      return WholeNumber(column, kInt4);
    case ValueKind::kInt8:
      return WholeNumber(column, kInt8);
    case ValueKind::kFloat4:
      return column.base == kFloat8 ? Way::kAsItIs : Same(column, kFloat4);
    case ValueKind::kFloat8:
      return Same(column, kFloat8);
    case ValueKind::kNumeric:
      return column.base == kNumeric &&
                     HoldsNumeric(column, type.numeric->precision, type.numeric->scale)
                 ? Way::kAsItIs
                 : Way::kNone;
    case ValueKind::kText:
      if (Has(kTextTypes, column.base)) return Way::kAsItIs;
      return !column.array && column.base == kInternalChar ? Way::kCast
             : Has(kNotFromText, column.base)              ? Way::kNone
                                                           : Way::kCast;
    case ValueKind::kBytea:
      return Same(column, kBytea);
    case ValueKind::kDate:
      return Same(column, kDate);
    case ValueKind::kTime:
      return Same(column, kTime);
    case ValueKind::kTimestamp:
      return Same(column, kTimestamp);
    case ValueKind::kTimestamptz:
      return Same(column, kTimestamptz);
    default:
      return Way::kNone;
  }
}

bool Rounds(const TargetColumn& column) {
  return column.modifier >= 0 && Has(kRounding, column.base);
}

/// From a text. Where the table would round, a value that is not the same with its bounds is
/// refused by the server, as a text of no such type; the words are an expression over the row, or
/// they would be cast when the statement is planned.
std::optional<std::string> CastOf(const std::string& name, const TargetColumn& column) {
  const std::string plain = "cast(" + name + " as " + column.cast + ")";
  if (!Rounds(column)) return plain;
  // A cast to a domain applies its bounds: nothing is left to compare with.
  if (column.type == column.cast) return std::nullopt;
  return "case when " + plain + " = cast(" + name + " as " + column.type + ") then " + plain +
         " else cast('a value that does not fit " + column.type +
         " exactly' operator(pg_catalog.||) pg_catalog.left(cast(" + name + " as text), 0) as " +
         column.cast + ") end";
}

std::string Expected(const std::string& stage_type, const pgcopy::ColumnType& type) {
  switch (type.kind) {
    case ValueKind::kInt2:
      return "int2, int4, int8 or a numeric that holds it";
    case ValueKind::kInt4:
      return "int4, int8 or a numeric that holds it";
    case ValueKind::kInt8:
      return "int8 or a numeric that holds it";
    case ValueKind::kFloat4:
      return "float4 or float8";
    case ValueKind::kNumeric:
      return "numeric, or " + stage_type + " or wider";
    case ValueKind::kText:
      return "text, varchar, or a type that is written as text";
    default:
      return stage_type;
  }
}

}  // namespace

Fit FitOf(const arrow::Field& field, const TargetColumn& column) {
  const pgcopy::ColumnType type = pgcopy::ColumnOf(field).ValueOrDie().type;
  const std::string stage_type = pgcopy::SqlTypeOf(*field.type()).ValueOrDie();
  const std::string name = pq::QuoteIdentifier(field.name());
  Fit fit;
  fit.expected = Expected(stage_type, type);
  if (column.generated) {
    fit.code = FaultCode::kImpossiblePlan;
    fit.expected = "a column that takes values";
    fit.help = "the server computes it: leave it out with select";
    return fit;
  }
  fit.help = "add  cast: { " + field.name() +
             ": ... }  to transformers:, or alter table ... alter "
             "column " +
             name + " type " + stage_type;
  if (type.kind == ValueKind::kText && Rounds(column) && !CastOf(name, column)) {
    fit.expected = "a type that does not round what a text says";
    fit.help = "a domain whose type has a precision rounds unseen: alter table ... alter column " +
               name + " type its base type";
    return fit;
  }
  // Its own text form says all of an array, whatever its elements.
  if (column.array && !type.array && type.kind == ValueKind::kText) {
    fit.expression = CastOf(name, column);
    return fit;
  }
  const bool is_uuid =
      type.kind == ValueKind::kBytea && !type.array && !column.array && column.base == kUuid &&
      field.type()->id() == arrow::Type::FIXED_SIZE_BINARY &&
      static_cast<const arrow::FixedSizeBinaryType&>(*field.type()).byte_width() == 16;
  if (is_uuid) {
    fit.expression = "cast(pg_catalog.encode(" + name + ", 'hex') as uuid)";
    return fit;
  }
  if (column.array != type.array) return fit;
  const Way way = WayOf(type, column);
  if (way == Way::kAsItIs && IsTimeOfDay(type) && LosesDigits(column, *field.type())) {
    fit.expected =
        fmt::format("{} with {} digits of a second", stage_type, SecondDigits(*field.type()));
    fit.help = "the table would round: alter table ... alter column " + name + " type " +
               stage_type + ", or bring the values as text or in a coarser unit";
    return fit;
  }
  if (way == Way::kAsItIs) fit.expression = name;
  if (way == Way::kCast) fit.expression = CastOf(name, column);
  return fit;
}

}  // namespace levada::postgres
