#pragma once
// Times as HTTP has them (RFC 9110 section 5.6.7), and DateLine: that of the Date header, made once
// a second.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace levada::net {

/// "Sun, 06 Nov 1994 08:49:37 GMT" of seconds since 1970.
std::string HttpDate(int64_t seconds);

class DateLine final {
 public:
  /// Until the next call.
  std::string_view At(WallMicros now);

 private:
  int64_t second_ = INT64_MIN;
  std::string line_;
};

}  // namespace levada::net
