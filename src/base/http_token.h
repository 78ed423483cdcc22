#pragma once
// What RFC 9110 calls a token: names of header fields are tokens, whoever sends or stores them.

#include <algorithm>
#include <string_view>

namespace levada {

/// RFC 9110 section 5.6.2
constexpr bool IsHttpToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

}  // namespace levada
