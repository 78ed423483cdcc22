// Casts to dates, times of day and timestamps.

#include <arrow/util/checked_cast.h>

#include "conversions/pair_cast.h"
#include "elt/time_unit.h"

namespace levada::conversions {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr Problem kFinerThanUnit = "finer than the unit of the type";

struct Split {
  int64_t days = 0;
  int64_t seconds_of_day = 0;
};

Split SplitDay(int64_t seconds) {
  Split split{seconds / kSecondsPerDay, seconds % kSecondsPerDay};
  if (split.seconds_of_day < 0) --split.days, split.seconds_of_day += kSecondsPerDay;
  return split;
}

/// Applies a conversion of the clock, which counts in microseconds, to the seconds of a moment.
template <typename Convert>
Problem Shift(Moment& value, Convert&& convert) {
  int64_t micros = 0;
  if (__builtin_mul_overflow(value.seconds, kMicrosPerSecond, &micros)) return kOutOfRange;
  const elt::Literal<int64_t> shifted = convert(micros);
  if (!shifted.ok()) return shifted.problem;
  // Offsets are whole seconds, so the fraction stays.
  value.seconds = shifted.value / kMicrosPerSecond;
  return nullptr;
}

/// `value` as a reading of the clock, or as an instant.
Problem SetZoned(bool zoned, std::optional<ZoneClock>& clock, Moment& value) {
  if (value.zoned == zoned) return nullptr;
  if (!clock) return zoned ? "without an offset from UTC" : "with an offset from UTC";
  value.zoned = zoned;
  return Shift(value, [&](int64_t micros) {
    return zoned ? clock->ToInstant(micros) : clock->ToLocal(micros);
  });
}

std::optional<ZoneClock> ClockOf(const CastTarget& target) {
  return target.zone ? std::optional<ZoneClock>(*target.zone) : std::nullopt;
}

elt::Literal<elt::DateTime> ReadText(const std::optional<TimeFormat>& format,
                                     std::string_view text) {
  return format ? format->Parse(text) : elt::ParseDateTimeLiteral(text);
}

Moment MomentOf(const elt::DateTime& value) {
  Moment moment;
  moment.seconds = value.days * kSecondsPerDay + value.nanos_of_day / kNanosPerSecond -
                   int64_t{value.offset_minutes} * 60;
  moment.nanos = static_cast<int32_t>(value.nanos_of_day % kNanosPerSecond);
  moment.zoned = value.has_zone;
  return moment;
}

}  // namespace

ToDate::ToDate(const CastTarget& target) : format_(target.format), clock_(ClockOf(target)) {}

Problem ToDate::operator()(Day value, int32_t& out) const {
  if (!std::in_range<int32_t>(value.days)) return kOutOfRange;
  return out = static_cast<int32_t>(value.days), nullptr;
}

Problem ToDate::operator()(Text value, int32_t& out) const {
  if (!format_) {
    const elt::Literal<int32_t> date = elt::ParseDateLiteral(value.text);
    return out = date.value, date.problem;
  }
  const elt::Literal<elt::DateTime> read = format_->Parse(value.text);
  if (!read.ok()) return read.problem;
  if (read.value.nanos_of_day != 0) return "has a time of day, which a date has no place for";
  return out = read.value.days, nullptr;
}

Problem ToDate::operator()(Moment value, int32_t& out) {
  const Problem problem = SetZoned(false, clock_, value);
  if (problem != nullptr) return problem;
  const Split split = SplitDay(value.seconds);
  if (split.seconds_of_day != 0 || value.nanos != 0) {
    return "has a time of day, which a date has no place for";
  }
  return (*this)(Day{split.days}, out);
}

template <typename BuilderType>
ToTime<BuilderType>::ToTime(const CastTarget& target)
    : nanos_per_unit_(
          kNanosPerSecond /
          elt::UnitsPerSecond(
              arrow::internal::checked_cast<const arrow::TimeType&>(*target.type).unit())),
      format_(target.format) {}

template <typename BuilderType>
Problem ToTime<BuilderType>::operator()(TimeOfDay value, Value& out) const {
  if (value.nanos < 0 || value.nanos >= kNanosPerDay) return "no such time of day";
  if (value.nanos % nanos_per_unit_ != 0) return kFinerThanUnit;
  return out = static_cast<Value>(value.nanos / nanos_per_unit_), nullptr;
}

template <typename BuilderType>
Problem ToTime<BuilderType>::operator()(Text value, Value& out) const {
  if (!format_) {
    const elt::Literal<int64_t> time = elt::ParseTimeLiteral(value.text);
    return time.ok() ? (*this)(TimeOfDay{time.value}, out) : time.problem;
  }
  const elt::Literal<elt::DateTime> read = format_->Parse(value.text);
  return read.ok() ? (*this)(TimeOfDay{read.value.nanos_of_day}, out) : read.problem;
}

ToTimestamp::ToTimestamp(const CastTarget& target)
    : per_second_(elt::UnitsPerSecond(
          arrow::internal::checked_cast<const arrow::TimestampType&>(*target.type).unit())),
      zoned_(!arrow::internal::checked_cast<const arrow::TimestampType&>(*target.type)
                  .timezone()
                  .empty()),
      format_(target.format),
      clock_(ClockOf(target)) {}

Problem ToTimestamp::operator()(Moment value, int64_t& out) {
  const Problem problem = SetZoned(zoned_, clock_, value);
  if (problem != nullptr) return problem;
  const int64_t nanos_per_unit = kNanosPerSecond / per_second_;
  if (value.nanos % nanos_per_unit != 0) return kFinerThanUnit;
  // Before zero the product alone may be out of range where the sum is not: the last second of all.
  const __int128 units =
      static_cast<__int128>(value.seconds) * per_second_ + value.nanos / nanos_per_unit;
  if (units < INT64_MIN || units > INT64_MAX) return kOutOfRange;
  return out = static_cast<int64_t>(units), nullptr;
}

Problem ToTimestamp::operator()(Day value, int64_t& out) {
  return (*this)(Moment{value.days * kSecondsPerDay, 0, false}, out);
}

Problem ToTimestamp::operator()(Text value, int64_t& out) {
  const elt::Literal<elt::DateTime> read = ReadText(format_, value.text);
  return read.ok() ? (*this)(MomentOf(read.value), out) : read.problem;
}

std::unique_ptr<ColumnCast> MakeTimeCast(const arrow::DataType& from, const CastTarget& to) {
  switch (to.type->id()) {
    case arrow::Type::DATE32:
      return MakePair<ToDate>(from, to);
    case arrow::Type::TIME32:
      return MakePair<ToTime<arrow::Time32Builder>>(from, to);
    case arrow::Type::TIME64:
      return MakePair<ToTime<arrow::Time64Builder>>(from, to);
    default:
      return MakePair<ToTimestamp>(from, to);
  }
}

}  // namespace levada::conversions
