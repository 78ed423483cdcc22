#include "transformers/cast/convert.h"

#include <arrow/array/builder_base.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "elt/literal.h"

namespace levada::cast {
namespace {

using arrow::Type;
using elt::Literal;

bool IsText(const arrow::DataType& type) { return type.id() == Type::STRING; }
bool IsDecimal(const arrow::DataType& type) {
  return type.id() == Type::DECIMAL128 || type.id() == Type::DECIMAL256;
}
bool IsZoned(const arrow::DataType& type) {
  return type.id() == Type::TIMESTAMP &&
         !static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

int64_t UnitsPerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1'000;
    case arrow::TimeUnit::MICRO:
      return 1'000'000;
    case arrow::TimeUnit::NANO:
      return 1'000'000'000;
  }
  return 1;
}

// `nanos` in `unit`, exactly.
Literal<int64_t> InUnit(int64_t nanos, arrow::TimeUnit::type unit) {
  const int64_t nanos_per_unit = 1'000'000'000 / UnitsPerSecond(unit);
  if (nanos % nanos_per_unit != 0)
    return Literal<int64_t>::Refused("more digits than the unit holds");
  return {nanos / nanos_per_unit};
}

Literal<int64_t> TimestampOf(std::string_view text, const arrow::TimestampType& type) {
  const auto parsed = elt::ParseDateTimeLiteral(text);
  if (!parsed.ok()) return Literal<int64_t>::Refused(parsed.problem);
  if (type.timezone().empty() && parsed.value.has_zone) {
    return Literal<int64_t>::Refused("has a zone, the type has none");
  }
  if (!type.timezone().empty() && !parsed.value.has_zone) {
    return Literal<int64_t>::Refused("has no zone");
  }
  const auto of_day = InUnit(parsed.value.nanos_of_day, type.unit());
  if (!of_day.ok()) return of_day;
  const int64_t per_second = UnitsPerSecond(type.unit());
  int64_t seconds = int64_t{parsed.value.days} * 86'400 - int64_t{parsed.value.offset_minutes} * 60;
  int64_t units = 0;
  if (__builtin_mul_overflow(seconds, per_second, &units) ||
      __builtin_add_overflow(units, of_day.value, &units)) {
    return Literal<int64_t>::Refused("outside the type's range");
  }
  return {units};
}

Literal<int64_t> TimeOf(std::string_view text, arrow::TimeUnit::type unit) {
  const auto parsed = elt::ParseTimeLiteral(text);
  return parsed.ok() ? InUnit(parsed.value, unit) : parsed;
}

// Appends parsed values to a builder of the target type, failures as NULL.
template <typename Builder, typename Source, typename Parse>
Result<Converted> ParseEach(const Context& ctx, const Source& column,
                            const std::shared_ptr<arrow::DataType>& to, Parse parse) {
  Builder builder(to, ctx.pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(column.length()));
  Converted converted;
  for (int64_t row = 0; row < column.length(); ++row) {
    if (column.IsNull(row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    const auto parsed = parse(column.GetView(row));
    if (parsed.ok()) {
      builder.UnsafeAppend(parsed.value);
    } else {
      builder.UnsafeAppendNull();
      converted.failures.push_back({row, parsed.problem});
    }
  }
  ARROW_ASSIGN_OR_RAISE(converted.array, builder.Finish());
  return converted;
}

template <typename Builder, typename Value>
Result<Converted> IntegersOfText(const Context& ctx, const arrow::StringArray& column,
                                 const std::shared_ptr<arrow::DataType>& to) {
  return ParseEach<Builder>(ctx, column, to, [](std::string_view text) -> Literal<Value> {
    if constexpr (std::is_signed_v<Value>) {
      const auto parsed = elt::ParseIntegerLiteral(text);
      if (!parsed.ok()) return Literal<Value>::Refused(parsed.problem);
      if (!std::in_range<Value>(parsed.value)) return Literal<Value>::Refused("out of range");
      return {static_cast<Value>(parsed.value)};
    } else {
      const auto parsed = elt::ParseUnsignedLiteral(text);
      if (!parsed.ok()) return Literal<Value>::Refused(parsed.problem);
      if (!std::in_range<Value>(parsed.value)) return Literal<Value>::Refused("out of range");
      return {static_cast<Value>(parsed.value)};
    }
  });
}

Result<Converted> DecimalsOfText(const Context& ctx, const arrow::StringArray& column,
                                 const std::shared_ptr<arrow::DataType>& to) {
  const auto& type = static_cast<const arrow::DecimalType&>(*to);
  if (to->id() == Type::DECIMAL128) {
    return ParseEach<arrow::Decimal128Builder>(ctx, column, to, [&](std::string_view text) {
      return elt::ParseDecimalLiteral(text, type.precision(), type.scale());
    });
  }
  return ParseEach<arrow::Decimal256Builder>(ctx, column, to, [&](std::string_view text) {
    return elt::ParseWideDecimalLiteral(text, type.precision(), type.scale());
  });
}

Result<Converted> FloatsOfText(const Context& ctx, const arrow::StringArray& column,
                               const std::shared_ptr<arrow::DataType>& to) {
  if (to->id() == Type::DOUBLE) {
    return ParseEach<arrow::DoubleBuilder>(ctx, column, to, elt::ParseFloatLiteral);
  }
  return ParseEach<arrow::FloatBuilder>(ctx, column, to,
                                        [](std::string_view text) -> Literal<float> {
                                          const auto parsed = elt::ParseFloatLiteral(text);
                                          if (!parsed.ok())
                                            return Literal<float>::Refused(parsed.problem);
                                          const auto narrow = static_cast<float>(parsed.value);
                                          if (std::isinf(narrow) && !std::isinf(parsed.value))
                                            return Literal<float>::Refused("out of range");
                                          return {narrow};
                                        });
}

Result<Converted> OfText(const Context& ctx, const arrow::StringArray& column,
                         const std::shared_ptr<arrow::DataType>& to) {
  switch (to->id()) {
    case Type::BOOL:
      return ParseEach<arrow::BooleanBuilder>(ctx, column, to, elt::ParseBoolLiteral);
    case Type::INT8:
      return IntegersOfText<arrow::Int8Builder, int8_t>(ctx, column, to);
    case Type::INT16:
      return IntegersOfText<arrow::Int16Builder, int16_t>(ctx, column, to);
    case Type::INT32:
      return IntegersOfText<arrow::Int32Builder, int32_t>(ctx, column, to);
    case Type::INT64:
      return IntegersOfText<arrow::Int64Builder, int64_t>(ctx, column, to);
    case Type::UINT8:
      return IntegersOfText<arrow::UInt8Builder, uint8_t>(ctx, column, to);
    case Type::UINT16:
      return IntegersOfText<arrow::UInt16Builder, uint16_t>(ctx, column, to);
    case Type::UINT32:
      return IntegersOfText<arrow::UInt32Builder, uint32_t>(ctx, column, to);
    case Type::UINT64:
      return IntegersOfText<arrow::UInt64Builder, uint64_t>(ctx, column, to);
    case Type::FLOAT:
    case Type::DOUBLE:
      return FloatsOfText(ctx, column, to);
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return DecimalsOfText(ctx, column, to);
    case Type::DATE32:
      return ParseEach<arrow::Date32Builder>(ctx, column, to, elt::ParseDateLiteral);
    case Type::TIMESTAMP: {
      const auto& type = static_cast<const arrow::TimestampType&>(*to);
      return ParseEach<arrow::TimestampBuilder>(
          ctx, column, to, [&](std::string_view text) { return TimestampOf(text, type); });
    }
    case Type::TIME64: {
      const auto unit = static_cast<const arrow::Time64Type&>(*to).unit();
      return ParseEach<arrow::Time64Builder>(
          ctx, column, to, [&](std::string_view text) { return TimeOf(text, unit); });
    }
    default:
      return Fault(FaultCode::kInternal, fmt::format("cast: no conversion to {}", to->ToString()));
  }
}

// Whole numbers and floats to decimals: Arrow's own casts refuse narrow targets by type and round
// floats.
template <typename Source>
Result<Converted> DecimalsOfIntegers(const Context& ctx, const arrow::Array& column,
                                     const std::shared_ptr<arrow::DataType>& to) {
  const auto& type = static_cast<const arrow::DecimalType&>(*to);
  return ParseEach<arrow::Decimal128Builder>(
      ctx, static_cast<const Source&>(column), to, [&](auto value) -> Literal<arrow::Decimal128> {
        auto scaled = arrow::Decimal128(value).Rescale(0, type.scale());
        if (!scaled.ok() || !scaled->FitsInPrecision(type.precision())) {
          return Literal<arrow::Decimal128>::Refused("more digits than the type holds");
        }
        return {*scaled};
      });
}

template <typename Source>
Result<Converted> DecimalsOfFloats(const Context& ctx, const arrow::Array& column,
                                   const std::shared_ptr<arrow::DataType>& to) {
  const auto& type = static_cast<const arrow::DecimalType&>(*to);
  return ParseEach<arrow::Decimal128Builder>(
      ctx, static_cast<const Source&>(column), to,
      [&](auto value) { return elt::DecimalOfFloat(value, type.precision(), type.scale()); });
}

// Arrow's safe cast of everything at once; only when that fails, of each value, to find the ones
// that do.
Result<Converted> ByArrow(const Context& ctx, const std::shared_ptr<arrow::Array>& column,
                          const std::shared_ptr<arrow::DataType>& to) {
  arrow::compute::ExecContext exec(ctx.pool);
  exec.set_use_threads(false);
  const auto options = arrow::compute::CastOptions::Safe(to);
  Result<arrow::Datum> whole = arrow::compute::Cast(column, options, &exec);
  if (whole.ok()) return Converted{whole->make_array(), {}};
  std::unique_ptr<arrow::ArrayBuilder> builder;
  ARROW_RETURN_NOT_OK(arrow::MakeBuilder(ctx.pool, to, &builder));
  Converted converted;
  for (int64_t row = 0; row < column->length(); ++row) {
    if (row % 1024 == 0) ARROW_RETURN_NOT_OK(ctx.Check());
    Result<arrow::Datum> one = arrow::compute::Cast(column->Slice(row, 1), options, &exec);
    if (one.ok()) {
      ARROW_RETURN_NOT_OK(builder->AppendArraySlice(*one->array(), 0, 1));
    } else {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
      converted.failures.push_back({row, "does not fit the type exactly"});
    }
  }
  ARROW_ASSIGN_OR_RAISE(converted.array, builder->Finish());
  return converted;
}

Result<Converted> ToDecimal(const Context& ctx, const std::shared_ptr<arrow::Array>& column,
                            const std::shared_ptr<arrow::DataType>& to) {
  switch (column->type_id()) {
    case Type::INT8:
      return DecimalsOfIntegers<arrow::Int8Array>(ctx, *column, to);
    case Type::INT16:
      return DecimalsOfIntegers<arrow::Int16Array>(ctx, *column, to);
    case Type::INT32:
      return DecimalsOfIntegers<arrow::Int32Array>(ctx, *column, to);
    case Type::INT64:
      return DecimalsOfIntegers<arrow::Int64Array>(ctx, *column, to);
    case Type::UINT8:
      return DecimalsOfIntegers<arrow::UInt8Array>(ctx, *column, to);
    case Type::UINT16:
      return DecimalsOfIntegers<arrow::UInt16Array>(ctx, *column, to);
    case Type::UINT32:
      return DecimalsOfIntegers<arrow::UInt32Array>(ctx, *column, to);
    case Type::UINT64:
      return DecimalsOfIntegers<arrow::UInt64Array>(ctx, *column, to);
    case Type::FLOAT:
      return DecimalsOfFloats<arrow::FloatArray>(ctx, *column, to);
    case Type::DOUBLE:
      return DecimalsOfFloats<arrow::DoubleArray>(ctx, *column, to);
    default:
      return ByArrow(ctx, column, to);
  }
}

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) || IsDecimal(type);
}

}  // namespace

std::string WhyNot(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to)) return {};
  if (IsText(from))
    return to.id() == Type::BINARY || IsText(to) || !arrow::is_nested(to.id())
               ? ""
               : "no such conversion";
  if (arrow::is_nested(from.id()) || arrow::is_nested(to.id())) return "lists are not converted";
  if (IsText(to)) {
    return from.id() == Type::BINARY ? "bytes are not text; there is no encoding to assume" : "";
  }
  if (IsZoned(to) && !IsZoned(from))
    return "a time without a zone does not say which instant it is";
  if (IsZoned(from) && !IsZoned(to)) return "a time without a zone would lose which instant it is";
  if (to.id() == Type::DECIMAL256 && !IsDecimal(from))
    return "take decimal(p,s) with at most 38 digits";
  const bool numbers = IsNumber(from) && IsNumber(to);
  const bool booleans = (from.id() == Type::BOOL && arrow::is_integer(to.id())) ||
                        (to.id() == Type::BOOL && arrow::is_integer(from.id()));
  const bool times = arrow::is_temporal(from.id()) && arrow::is_temporal(to.id());
  return numbers || booleans || times ? "" : "no such conversion";
}

Result<Converted> Convert(const Context& ctx, const std::shared_ptr<arrow::Array>& column,
                          const std::shared_ptr<arrow::DataType>& to) {
  if (column->type()->Equals(*to)) return Converted{column, {}};
  if (IsText(*column->type()) && to->id() != Type::BINARY) {
    return OfText(ctx, static_cast<const arrow::StringArray&>(*column), to);
  }
  if (to->id() == Type::DECIMAL128) return ToDecimal(ctx, column, to);
  return ByArrow(ctx, column, to);
}

}  // namespace levada::cast
