#include "connectors/files/text_evidence.h"

#include <algorithm>
#include <string>

#include "elt/literal.h"

namespace levada::files {
namespace {

// As many decimal digits as every float64 keeps.
constexpr int kDigitsMax = 15;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Digits without a needless zero before them: 0, 0.5 and 12, but not 007.
bool IsPlainNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || !(IsDigit(text.front()) || text.front() == '.')) return false;
  return !(text.size() > 1 && text[0] == '0' && IsDigit(text[1]));
}

bool FitsFloat(std::string_view text) {
  text = text.substr(0, text.find_first_of("eE"));
  return std::ranges::count_if(text, IsDigit) <= kDigitsMax;
}

bool IsBoolWord(std::string_view text) {
  std::string lower(text.substr(0, 6));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower == "true" || lower == "false";
}

}  // namespace

void TextEvidence::See(std::string_view value) {
  any_ = true;
  if (integer_ || number_) {
    const bool plain = IsPlainNumber(value);
    integer_ = integer_ && plain && elt::ParseIntegerLiteral(value).ok();
    number_ = number_ && plain && FitsFloat(value) && elt::ParseFloatLiteral(value).ok();
  }
  boolean_ = boolean_ && IsBoolWord(value);
  if (!date_ && !timestamp_ && !instant_) return;
  const auto time = elt::ParseDateTimeLiteral(value);
  date_ = date_ && time.ok() && !time.value.has_time;
  const bool is_time = time.ok() && time.value.has_time && time.value.nanos_of_day % 1'000 == 0;
  timestamp_ = timestamp_ && is_time && !time.value.has_zone;
  instant_ = instant_ && is_time && time.value.has_zone;
}

std::shared_ptr<arrow::DataType> TextEvidence::Type() const {
  if (!any_) return arrow::utf8();
  if (integer_) return arrow::int64();
  if (number_) return arrow::float64();
  if (boolean_) return arrow::boolean();
  if (date_) return arrow::date32();
  if (timestamp_) return arrow::timestamp(arrow::TimeUnit::MICRO);
  if (instant_) return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  return arrow::utf8();
}

std::shared_ptr<arrow::DataType> TextEvidence::DirectoryType() const {
  if (any_ && integer_) return arrow::int64();
  return any_ && date_ ? arrow::date32() : arrow::utf8();
}

bool KeepsItsDigits(const arrow::DataType& type, std::string_view value) {
  if (type.id() == arrow::Type::INT64) return IsPlainNumber(value);
  return type.id() != arrow::Type::DOUBLE || (IsPlainNumber(value) && FitsFloat(value));
}

}  // namespace levada::files
