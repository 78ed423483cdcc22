#include "formats/chnative/wide_integer.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace levada::chnative {

void AppendWideInteger(std::span<const uint8_t> bytes, bool is_signed, std::string& text) {
  std::array<uint32_t, 8> words{};  // the lowest first
  const size_t count = bytes.size() / sizeof(uint32_t);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  if (is_signed && (bytes.back() & 0x80) != 0) {
    text.push_back('-');
    uint64_t carry = 1;
    for (size_t i = 0; i < count; ++i) {
      carry += static_cast<uint32_t>(~words[i]);
      words[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
  }
  // Nine digits at a time, the last ones first.
  std::string digits;
  size_t used = count;
  while (used > 0) {
    uint64_t rest = 0;
    for (size_t i = used; i-- > 0;) {
      rest = rest << 32 | words[i];
      words[i] = static_cast<uint32_t>(rest / 1'000'000'000);
      rest %= 1'000'000'000;
    }
    while (used > 0 && words[used - 1] == 0) --used;
    for (int digit = 0; digit < 9 && (used > 0 || rest > 0); ++digit, rest /= 10) {
      digits.push_back(static_cast<char>('0' + rest % 10));
    }
  }
  if (digits.empty()) digits = "0";
  std::ranges::reverse(digits);
  text += digits;
}

}  // namespace levada::chnative
