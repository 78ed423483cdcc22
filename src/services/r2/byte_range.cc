#include "services/r2/byte_range.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "services/r2/r2_error.h"

namespace levada::services::r2 {

Result<RangeChoice> RangeOf(std::string_view header, uint64_t bytes) {
  const RangeChoice all{false, {0, bytes}};
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return all;
  header.remove_prefix(kUnit.size());
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos || header.find(',') != std::string_view::npos) return all;
  const auto number = [](std::string_view text) -> std::optional<uint64_t> {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || end != text.data() + text.size()) return std::nullopt;
    return error == std::errc() ? value : UINT64_MAX;
  };
  const std::optional<uint64_t> first = number(header.substr(0, dash));
  const std::optional<uint64_t> last = number(header.substr(dash + 1));
  if (dash == 0) {
    if (!last) return all;
    if (*last == 0 || bytes == 0) return R2Error(R2ErrorCode::kBadRange);
    const uint64_t size = std::min(*last, bytes);
    return RangeChoice{true, {bytes - size, size}};
  }
  if (!first || (!last && dash + 1 != header.size()) || (last && *last < *first)) return all;
  if (*first >= bytes) return R2Error(R2ErrorCode::kBadRange);
  const uint64_t end = last ? std::min(*last, bytes - 1) : bytes - 1;
  return RangeChoice{true, {*first, end - *first + 1}};
}

}  // namespace levada::services::r2
