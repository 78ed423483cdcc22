#pragma once
// The letters of HTTP: what RFC 9110 calls a token. ASCII only, whatever the locale.

#include <algorithm>
#include <string_view>

#include "base/ascii.h"

namespace levada::net {

constexpr bool IsDigit(char letter) { return letter >= '0' && letter <= '9'; }

constexpr bool IsLetterOrDigit(char letter) {
  return IsDigit(letter) || (LowerAscii(letter) >= 'a' && LowerAscii(letter) <= 'z');
}

/// RFC 9110 section 5.6.2
constexpr bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char letter) {
    return IsLetterOrDigit(letter) || kMarks.find(letter) != std::string_view::npos;
  });
}

/// A control character that may stand in no header: all but the tab.
constexpr bool IsControl(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  return (code < 0x20 && letter != '\t') || code == 0x7f;
}

}  // namespace levada::net
