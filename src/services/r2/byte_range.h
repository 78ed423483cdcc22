#pragma once
// The Range header of HTTP (RFC 9110 section 14), of one object.

#include <cstdint>
#include <string_view>

#include "base/fault.h"

namespace levada::services::r2 {

/// A run of bytes; within the object.
struct ByteRange {
  uint64_t begin = 0;
  uint64_t bytes = 0;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct RangeChoice {
  bool is_partial = false;
  ByteRange range;
};

/// Of an object of `bytes`: what the header asks for, or all. A header that is malformed or names
/// several ranges is not looked at, as in S3. kBadRange for one behind the end.
Result<RangeChoice> RangeOf(std::string_view header, uint64_t bytes);

}  // namespace levada::services::r2
