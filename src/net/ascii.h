#pragma once
// The letters of HTTP. ASCII only, whatever the locale.

#include "base/ascii.h"

namespace levada::net {

constexpr bool IsDigit(char letter) { return letter >= '0' && letter <= '9'; }

constexpr bool IsLetterOrDigit(char letter) {
  return IsDigit(letter) || (LowerAscii(letter) >= 'a' && LowerAscii(letter) <= 'z');
}

/// A control character that may stand in no header: all but the tab.
constexpr bool IsControl(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  return (code < 0x20 && letter != '\t') || code == 0x7f;
}

}  // namespace levada::net
