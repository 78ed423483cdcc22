#pragma once
// DateLine: "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", made once a second. RFC 9110 section 5.6.7.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace levada::net {

class DateLine final {
 public:
  /// Until the next call.
  std::string_view At(WallMicros now);

 private:
  int64_t second_ = INT64_MIN;
  std::string line_;
};

}  // namespace levada::net
