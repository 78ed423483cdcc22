#pragma once
// NumberType: how the values of a type are counted in whole numbers, and what a text in the options
// means as one.

#include <arrow/type.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "connectors/generate/rise.h"
#include "elt/literal.h"

namespace levada::generate {

struct NumberType {
  enum class Kind : uint8_t { kInteger, kDecimal, kFloat, kDate, kTime, kTimestamp };
  Kind kind = Kind::kInteger;
  // All included.
  int64_t least = 0;  ///< that the type holds here
  int64_t greatest = 0;
  int64_t first = 0;  ///< where nothing is said, random values are between these two
  int64_t last = 0;
  int scale = 0;                                        ///< of a decimal or float
  arrow::TimeUnit::type unit = arrow::TimeUnit::MICRO;  ///< of a time or timestamp
  bool zoned = false;                                   ///< a timestamp with a zone

  bool IsCalendar() const { return kind == Kind::kDate || kind == Kind::kTimestamp; }
  /// A value; nothing is rounded.
  elt::Literal<int64_t> Parse(std::string_view text) const;
  /// A difference above zero: a duration in `unit`, of a date in microseconds; else a number.
  elt::Literal<int64_t> ParseStep(std::string_view text) const;
};

/// nullopt for bool, text, binary, and decimals of more than 38 digits. `float_scale`: digits
/// behind the point of floats.
std::optional<NumberType> NumberTypeOf(const arrow::DataType& type, int float_scale);

}  // namespace levada::generate
