#pragma once
// The letters of HTTP: what RFC 9110 calls a token, and names that are compared without regard to
// case. ASCII only, whatever the locale.

#include <algorithm>
#include <string_view>

namespace levada::net {

constexpr char LowerCase(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

constexpr bool EqualsIgnoringCase(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [](char a, char b) { return LowerCase(a) == LowerCase(b); });
}

constexpr bool IsDigit(char letter) { return letter >= '0' && letter <= '9'; }

constexpr bool IsLetterOrDigit(char letter) {
  return IsDigit(letter) || (LowerCase(letter) >= 'a' && LowerCase(letter) <= 'z');
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
