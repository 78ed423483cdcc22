#include "conversions/time_format.h"

#include <algorithm>
#include <optional>

namespace levada::conversions {
namespace {

constexpr size_t kPatternBytesMax = 100;

Fault Bad(std::string_view pattern, const std::string& problem) {
  return Fault(FaultCode::kBadValue,
               "format \"" + std::string(pattern.substr(0, kPatternBytesMax)) + "\": " + problem)
      .Help("use %Y %m %d %H %M %S %f %z, e.g. \"%d.%m.%Y %H:%M\"");
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// From `min` to `max` digits at the front of `text`, taken off; nullopt when there are fewer.
std::optional<int> TakeDigits(std::string_view& text, size_t min, size_t max, size_t* count) {
  int value = 0;
  size_t size = 0;
  while (size < max && size < text.size() && IsDigit(text[size])) {
    value = value * 10 + (text[size++] - '0');
  }
  if (size < min) return std::nullopt;
  text.remove_prefix(size);
  if (count != nullptr) *count = size;
  return value;
}

/// Minutes east of UTC.
std::optional<int> TakeOffset(std::string_view& text) {
  if (!text.empty() && (text.front() == 'Z' || text.front() == 'z')) {
    text.remove_prefix(1);
    return 0;
  }
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const bool west = text.front() == '-';
  text.remove_prefix(1);
  const std::optional<int> hours = TakeDigits(text, 2, 2, nullptr);
  if (!hours || *hours > 15) return std::nullopt;
  int minutes = 0;
  const bool colon = !text.empty() && text.front() == ':';
  if (colon) text.remove_prefix(1);
  if (colon || (!text.empty() && IsDigit(text.front()))) {
    const std::optional<int> taken = TakeDigits(text, 2, 2, nullptr);
    if (!taken || *taken > 59) return std::nullopt;
    minutes = *taken;
  }
  return (*hours * 60 + minutes) * (west ? -1 : 1);
}

}  // namespace

Result<TimeFormat> TimeFormat::Make(std::string_view pattern) {
  if (pattern.size() > kPatternBytesMax) return Bad(pattern, "longer than 100 bytes");
  TimeFormat format;
  std::string seen;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%' && i + 1 == pattern.size()) return Bad(pattern, "it ends in %");
    const bool percent = pattern[i] == '%' && pattern[i + 1] == '%';
    if (pattern[i] != '%' || percent) {
      if (percent) ++i;
      if (format.pieces_.empty() || format.pieces_.back().directive != 0) {
        format.pieces_.emplace_back();
      }
      format.pieces_.back().literal += pattern[i];
      continue;
    }
    const char directive = pattern[++i];
    if (std::string_view("YmdHMSfz").find(directive) == std::string_view::npos) {
      return Bad(pattern, std::string("no directive %") + directive);
    }
    if (seen.find(directive) != std::string::npos) {
      return Bad(pattern, std::string("%") + directive + " twice");
    }
    seen += directive;
    format.pieces_.push_back({directive, {}});
  }
  auto has = [&](char c) { return seen.find(c) != std::string::npos; };
  format.has_date_ = has('Y') && has('m') && has('d');
  format.has_time_ = has('H') && has('M');
  format.has_zone_ = has('z');
  if (!format.has_date_ && (has('Y') || has('m') || has('d'))) {
    return Bad(pattern, "a date needs %Y, %m and %d");
  }
  if ((has('H') != has('M')) || (has('S') && !has('M')) || (has('f') && !has('S'))) {
    return Bad(pattern, "a time needs %H and %M, seconds need minutes, %f needs %S");
  }
  if (!format.has_date_ && !format.has_time_) return Bad(pattern, "neither a date nor a time");
  if (format.has_zone_ && !(format.has_date_ && format.has_time_)) {
    return Bad(pattern, "%z needs a date and a time");
  }
  return format;
}

elt::Literal<elt::DateTime> TimeFormat::Parse(std::string_view text) const {
  using Answer = elt::Literal<elt::DateTime>;
  constexpr const char* kProblem = "not of the format given";
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, nanos = 0;
  Answer answer;
  for (const Piece& piece : pieces_) {
    std::optional<int> value;
    switch (piece.directive) {
      case 0:
        if (!text.starts_with(piece.literal)) return Answer::Refused(kProblem);
        text.remove_prefix(piece.literal.size());
        continue;
      case 'z':
        value = TakeOffset(text);
        if (value) answer.value.offset_minutes = *value;
        break;
      case 'f': {
        size_t digits = 0;
        value = TakeDigits(text, 1, 9, &digits);
        nanos = value.value_or(0);
        for (; digits < 9; ++digits) nanos *= 10;
        break;
      }
      case 'Y':
        value = TakeDigits(text, 4, 4, nullptr);
        year = value.value_or(0);
        break;
      default:
        value = TakeDigits(text, 2, 2, nullptr);
        (piece.directive == 'm'   ? month
         : piece.directive == 'd' ? day
         : piece.directive == 'H' ? hour
         : piece.directive == 'M' ? minute
                                  : second) = value.value_or(0);
    }
    if (!value) return Answer::Refused(kProblem);
  }
  if (!text.empty()) return Answer::Refused(kProblem);
  const auto date = elt::MakeDate(year, month, day);
  if (!date.ok()) return Answer::Refused(date.problem);
  const auto time = elt::MakeTimeOfDay(hour, minute, second, nanos);
  if (!time.ok()) return Answer::Refused(time.problem);
  answer.value.days = date.value;
  answer.value.nanos_of_day = time.value;
  answer.value.has_time = has_time_;
  answer.value.has_zone = has_zone_;
  return answer;
}

}  // namespace levada::conversions
