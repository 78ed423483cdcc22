#pragma once
// What values become: for each type a target with one overload for each family of values it takes
// (cast_sources.h). A family without an overload has no conversion. An overload fills `out` and
// returns null, or returns why the value has no exact counterpart.

#include <arrow/builder.h>
#include <arrow/util/decimal.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "conversions/cast_sources.h"
#include "conversions/column_cast.h"
#include "conversions/zone_clock.h"
#include "elt/literal.h"

namespace levada::conversions {

using Problem = const char*;

inline constexpr Problem kOutOfRange = "out of range";
inline constexpr Problem kNotWhole = "not a whole number";

/// `value` with `to` digits behind the point instead of `from`, which are more; false where those
/// that go are not zeros.
inline bool Reduce(const arrow::BasicDecimal128& value, int32_t from, int32_t to,
                   arrow::Decimal128& out) {
  return value.Rescale(from, to, &out) == arrow::DecimalStatus::kSuccess;
}
inline bool Reduce(const arrow::BasicDecimal256& value, int32_t from, int32_t to,
                   arrow::Decimal256& out) {
  return value.Rescale(from, to, &out) == arrow::DecimalStatus::kSuccess;
}

struct ToBool {
  using Builder = arrow::BooleanBuilder;
  using Value = bool;
  explicit ToBool(const CastTarget&) {}
  Problem operator()(bool value, bool& out) const { return out = value, nullptr; }
  Problem operator()(int64_t value, bool& out) const;
  Problem operator()(uint64_t value, bool& out) const;
  Problem operator()(Text value, bool& out) const;
};

/// Whole numbers of other types in the widest form; ToInteger narrows them.
Problem WholeOf(double value, int64_t& out);
Problem WholeOf(double value, uint64_t& out);
Problem WholeOf(const NarrowDecimal& value, int64_t& out);
Problem WholeOf(const NarrowDecimal& value, uint64_t& out);
Problem WholeOf(const WideDecimal& value, int64_t& out);
Problem WholeOf(const WideDecimal& value, uint64_t& out);
Problem WholeOf(Text value, int64_t& out);
Problem WholeOf(Text value, uint64_t& out);

template <typename BuilderType>
struct ToInteger {
  using Builder = BuilderType;
  using Value = typename Builder::value_type;
  using Widest = std::conditional_t<std::is_signed_v<Value>, int64_t, uint64_t>;
  explicit ToInteger(const CastTarget&) {}

  Problem operator()(bool value, Value& out) const { return out = value ? 1 : 0, nullptr; }
  Problem operator()(int64_t value, Value& out) const { return Narrow(value, out); }
  Problem operator()(uint64_t value, Value& out) const { return Narrow(value, out); }
  Problem operator()(Single value, Value& out) const { return Whole(double{value.value}, out); }
  Problem operator()(double value, Value& out) const { return Whole(value, out); }
  Problem operator()(const NarrowDecimal& value, Value& out) const { return Whole(value, out); }
  Problem operator()(const WideDecimal& value, Value& out) const { return Whole(value, out); }
  Problem operator()(Text value, Value& out) const { return Whole(value, out); }

 private:
  template <typename From>
  static Problem Whole(const From& value, Value& out) {
    Widest whole{};
    const Problem problem = WholeOf(value, whole);
    return problem != nullptr ? problem : Narrow(whole, out);
  }
  template <typename From>
  static Problem Narrow(From value, Value& out) {
    if (!std::in_range<Value>(value)) return kOutOfRange;
    out = static_cast<Value>(value);
    return nullptr;
  }
};

/// Integers must be exact; decimals and doubles become the nearest float, which is what the type
/// means, as long as there is one.
struct ToDouble {
  using Builder = arrow::DoubleBuilder;
  using Value = double;
  explicit ToDouble(const CastTarget&) {}
  Problem operator()(int64_t value, double& out) const;
  Problem operator()(uint64_t value, double& out) const;
  Problem operator()(Single value, double& out) const { return out = value.value, nullptr; }
  Problem operator()(double value, double& out) const { return out = value, nullptr; }
  Problem operator()(const NarrowDecimal& value, double& out) const;
  Problem operator()(const WideDecimal& value, double& out) const;
  Problem operator()(Text value, double& out) const;
};

struct ToSingle {
  using Builder = arrow::FloatBuilder;
  using Value = float;
  explicit ToSingle(const CastTarget&) {}
  Problem operator()(int64_t value, float& out) const;
  Problem operator()(uint64_t value, float& out) const;
  Problem operator()(Single value, float& out) const { return out = value.value, nullptr; }
  Problem operator()(double value, float& out) const;
  Problem operator()(const NarrowDecimal& value, float& out) const;
  Problem operator()(const WideDecimal& value, float& out) const;
  Problem operator()(Text value, float& out) const;
};

/// Floats that are whole numbers exactly, others by their shortest decimal form. Digits beyond the
/// scale must be zeros.
template <typename BuilderType, typename Decimal>
struct ToDecimal {
  using Builder = BuilderType;
  using Value = Decimal;
  explicit ToDecimal(const CastTarget& target);
  Problem operator()(int64_t value, Decimal& out) const { return Rescale(Decimal(value), 0, out); }
  Problem operator()(uint64_t value, Decimal& out) const { return Rescale(Decimal(value), 0, out); }
  Problem operator()(Single value, Decimal& out) const;
  Problem operator()(double value, Decimal& out) const;
  Problem operator()(const NarrowDecimal& value, Decimal& out) const {
    return Rescale(Decimal(value.unscaled), value.scale, out);
  }
  Problem operator()(const WideDecimal& value, Decimal& out) const;
  Problem operator()(Text value, Decimal& out) const;

 private:
  Problem Rescale(const Decimal& value, int32_t from, Decimal& out) const;
  template <typename Float>
  Problem OfFloat(Float value, Decimal& out) const;
  int32_t precision_;
  int32_t scale_;
};

/// `out` is valid until the next call.
struct ToText {
  using Builder = arrow::StringBuilder;
  using Value = std::string_view;
  explicit ToText(const CastTarget& target);
  Problem operator()(bool value, std::string_view& out);
  Problem operator()(int64_t value, std::string_view& out);
  Problem operator()(uint64_t value, std::string_view& out);
  Problem operator()(Single value, std::string_view& out);
  Problem operator()(double value, std::string_view& out);
  Problem operator()(const NarrowDecimal& value, std::string_view& out);
  Problem operator()(const WideDecimal& value, std::string_view& out);
  Problem operator()(Text value, std::string_view& out) { return out = value.text, nullptr; }
  Problem operator()(Bytes value, std::string_view& out);
  Problem operator()(Day value, std::string_view& out);
  Problem operator()(TimeOfDay value, std::string_view& out);
  Problem operator()(Moment value, std::string_view& out);

 private:
  Problem Keep(std::string text, std::string_view& out) {
    return scratch_ = std::move(text), out = scratch_, nullptr;
  }
  std::string scratch_;
};

struct ToBytes {
  using Builder = arrow::BinaryBuilder;
  using Value = std::string_view;
  explicit ToBytes(const CastTarget&) {}
  Problem operator()(Text value, std::string_view& out) const { return out = value.text, nullptr; }
  Problem operator()(Bytes value, std::string_view& out) const {
    return out = value.bytes, nullptr;
  }
};

struct ToDate {
  using Builder = arrow::Date32Builder;
  using Value = int32_t;
  explicit ToDate(const CastTarget& target);
  Problem operator()(Day value, int32_t& out) const;
  Problem operator()(Text value, int32_t& out) const;
  Problem operator()(Moment value, int32_t& out);

 private:
  std::optional<TimeFormat> format_;
  std::optional<ZoneClock> clock_;
};

template <typename BuilderType>
struct ToTime {
  using Builder = BuilderType;
  using Value = typename Builder::value_type;
  explicit ToTime(const CastTarget& target);
  Problem operator()(TimeOfDay value, Value& out) const;
  Problem operator()(Text value, Value& out) const;

 private:
  int64_t nanos_per_unit_;
  std::optional<TimeFormat> format_;
};

struct ToTimestamp {
  using Builder = arrow::TimestampBuilder;
  using Value = int64_t;
  explicit ToTimestamp(const CastTarget& target);
  Problem operator()(Day value, int64_t& out);
  Problem operator()(Text value, int64_t& out);
  Problem operator()(Moment value, int64_t& out);

 private:
  int64_t per_second_;
  bool zoned_;
  std::optional<TimeFormat> format_;
  std::optional<ZoneClock> clock_;
};

// The casts to these types, each beside its targets; null where values of `from` never become `to`.

/// To booleans and integers.
std::unique_ptr<ColumnCast> MakeIntegerCast(const arrow::DataType& from, const CastTarget& to);
/// To floats and decimals.
std::unique_ptr<ColumnCast> MakeNumberCast(const arrow::DataType& from, const CastTarget& to);
/// To text and binary.
std::unique_ptr<ColumnCast> MakeTextCast(const arrow::DataType& from, const CastTarget& to);
/// To dates, times of day and timestamps.
std::unique_ptr<ColumnCast> MakeTimeCast(const arrow::DataType& from, const CastTarget& to);

}  // namespace levada::conversions
