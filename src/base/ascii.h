#pragma once
// Letters of ASCII without regard to case, whatever the locale: names of HTTP headers, of columns.

#include <algorithm>
#include <string>
#include <string_view>

namespace levada {

constexpr char LowerAscii(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

inline std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) letter = LowerAscii(letter);
  return lower;
}

constexpr bool EqualsIgnoringCase(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [](char a, char b) { return LowerAscii(a) == LowerAscii(b); });
}

constexpr bool StartsIgnoringCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && EqualsIgnoringCase(text.substr(0, prefix.size()), prefix);
}

}  // namespace levada
