#include "connectors/generate/number_type.h"

#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <limits>

#include "base/quantity.h"
#include "elt/time_unit.h"

namespace levada::generate {
namespace {

using arrow::internal::checked_cast;
using elt::Literal;
using Kind = NumberType::Kind;
using Wide = __int128;

// Of decimals and floats: what an int64 holds whatever its first digit is.
constexpr int kDigitsMax = 18;
// Every integer up to here is a double.
constexpr int64_t kExactInteger = int64_t{1} << 53;
constexpr int64_t kNanosPerDay = kSecondsPerDay * 1'000'000'000;

constexpr const char* kOutOfRange = "out of range";

int64_t PowerOfTen(int exponent) {
  int64_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

int64_t DayOf(int year, int month, int day) { return elt::MakeDate(year, month, day).value; }

NumberType IntegerType(int64_t least, int64_t greatest) {
  return {
      .kind = Kind::kInteger, .least = least, .greatest = greatest, .first = 0, .last = greatest};
}

template <typename Value>
NumberType IntegerType() {
  constexpr auto kGreatest = static_cast<int64_t>(
      std::min<uint64_t>(std::numeric_limits<Value>::max(), std::numeric_limits<int64_t>::max()));
  return IntegerType(static_cast<int64_t>(std::numeric_limits<Value>::min()), kGreatest);
}

NumberType TimestampType(const arrow::TimestampType& type) {
  const int64_t per_day = elt::UnitsPerSecond(type.unit()) * kSecondsPerDay;
  NumberType number{.kind = Kind::kTimestamp,
                    .least = std::numeric_limits<int64_t>::min(),
                    .greatest = std::numeric_limits<int64_t>::max(),
                    .first = DayOf(2020, 1, 1) * per_day,
                    .last = DayOf(2030, 1, 1) * per_day - 1,
                    .unit = type.unit(),
                    .zoned = !type.timezone().empty()};
  // Nanoseconds hold less than the years that can be written.
  if (type.unit() != arrow::TimeUnit::NANO) {
    number.least = DayOf(0, 1, 1) * per_day;
    number.greatest = (DayOf(9999, 12, 31) + 1) * per_day - 1;
  }
  return number;
}

NumberType TimeType(arrow::TimeUnit::type unit) {
  const int64_t last = elt::UnitsPerSecond(unit) * kSecondsPerDay - 1;
  return {.kind = Kind::kTime, .greatest = last, .last = last, .unit = unit};
}

/// `nanos` in `unit`, if that is exact.
Literal<int64_t> InUnit(Wide nanos, arrow::TimeUnit::type unit, const NumberType& type) {
  const int64_t nanos_per_unit = 1'000'000'000 / elt::UnitsPerSecond(unit);
  if (nanos % nanos_per_unit != 0) return Literal<int64_t>::Refused("finer than the type's unit");
  const Wide units = nanos / nanos_per_unit;
  if (units < type.least || units > type.greatest) return Literal<int64_t>::Refused(kOutOfRange);
  return {static_cast<int64_t>(units)};
}

Literal<int64_t> ParseTimestamp(std::string_view text, const NumberType& type) {
  const Literal<elt::DateTime> literal = elt::ParseDateTimeLiteral(text);
  if (!literal.ok()) return Literal<int64_t>::Refused(literal.problem);
  const elt::DateTime& time = literal.value;
  if (!type.zoned && time.has_zone) {
    return Literal<int64_t>::Refused("with an offset from UTC, which this type has no place for");
  }
  constexpr int64_t kNanosPerMinute = int64_t{60} * 1'000'000'000;
  const Wide nanos = Wide{time.days} * kNanosPerDay + time.nanos_of_day -
                     Wide{time.offset_minutes} * kNanosPerMinute;
  return InUnit(nanos, type.unit, type);
}

Literal<int64_t> ParseScaled(std::string_view text, int scale) {
  // One digit behind the point needs as many places.
  const auto literal = elt::ParseDecimalLiteral(text, std::max(kDigitsMax, scale), scale);
  if (!literal.ok()) return Literal<int64_t>::Refused(literal.problem);
  const auto number = literal.value.ToInteger<int64_t>();
  if (!number.ok()) return Literal<int64_t>::Refused(kOutOfRange);
  return {*number};
}

}  // namespace

std::optional<NumberType> NumberTypeOf(const arrow::DataType& type, int float_scale) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return IntegerType<int8_t>();
    case arrow::Type::INT16:
      return IntegerType<int16_t>();
    case arrow::Type::INT32:
      return IntegerType<int32_t>();
    case arrow::Type::INT64:
      return IntegerType<int64_t>();
    case arrow::Type::UINT8:
      return IntegerType<uint8_t>();
    case arrow::Type::UINT16:
      return IntegerType<uint16_t>();
    case arrow::Type::UINT32:
      return IntegerType<uint32_t>();
    case arrow::Type::UINT64:
      return IntegerType<uint64_t>();
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return NumberType{.kind = Kind::kFloat,
                        .least = -kExactInteger,
                        .greatest = kExactInteger,
                        .last = PowerOfTen(float_scale),
                        .scale = float_scale};
    case arrow::Type::DECIMAL128: {
      const auto& decimal = checked_cast<const arrow::Decimal128Type&>(type);
      const int64_t most = PowerOfTen(std::min(decimal.precision(), kDigitsMax)) - 1;
      return NumberType{.kind = Kind::kDecimal,
                        .least = -most,
                        .greatest = most,
                        .last = most,
                        .scale = decimal.scale()};
    }
    case arrow::Type::DATE32:
      return NumberType{.kind = Kind::kDate,
                        .least = DayOf(0, 1, 1),
                        .greatest = DayOf(9999, 12, 31),
                        .first = DayOf(2020, 1, 1),
                        .last = DayOf(2029, 12, 31)};
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return TimeType(checked_cast<const arrow::TimeType&>(type).unit());
    case arrow::Type::TIMESTAMP:
      return TimestampType(checked_cast<const arrow::TimestampType&>(type));
    default:
      return std::nullopt;
  }
}

Literal<int64_t> NumberType::Parse(std::string_view text) const {
  Literal<int64_t> literal;
  switch (kind) {
    case Kind::kInteger:
      literal = elt::ParseIntegerLiteral(text);
      break;
    case Kind::kDecimal:
    case Kind::kFloat:
      literal = ParseScaled(text, scale);
      break;
    case Kind::kDate: {
      const Literal<int32_t> date = elt::ParseDateLiteral(text);
      literal = {date.value, date.problem};
      break;
    }
    case Kind::kTime: {
      const Literal<int64_t> nanos = elt::ParseTimeLiteral(text);
      literal = nanos.ok() ? InUnit(nanos.value, unit, *this) : nanos;
      break;
    }
    case Kind::kTimestamp:
      literal = ParseTimestamp(text, *this);
      break;
  }
  if (literal.ok() && (literal.value < least || literal.value > greatest)) {
    literal.problem = kOutOfRange;
  }
  return literal;
}

Literal<int64_t> NumberType::ParseStep(std::string_view text) const {
  Literal<int64_t> literal;
  if (IsCalendar()) {
    const auto duration = ParseDuration(text);
    if (!duration.ok()) return Literal<int64_t>::Refused("not a duration such as 1s or 1d");
    const int64_t per_unit =
        1'000'000'000 / elt::UnitsPerSecond(kind == Kind::kDate ? arrow::TimeUnit::MICRO : unit);
    if (duration->count() % per_unit != 0) {
      return Literal<int64_t>::Refused("finer than the type's unit");
    }
    literal = {duration->count() / per_unit};
  } else {
    literal = Parse(text);
  }
  if (literal.ok() && literal.value <= 0) literal.problem = "not above zero";
  return literal;
}

}  // namespace levada::generate
