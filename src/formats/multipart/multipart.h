#pragma once
// multipart/form-data (RFC 7578, RFC 2046): a whole body, already in memory, as its parts. Nothing
// is copied; nothing is decoded.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::formats::multipart {

struct Part {
  std::string name;                     ///< of Content-Disposition
  std::optional<std::string> filename;  ///< likewise
  std::string content_type;             ///< "" without one
  std::string_view body;                ///< into the body that was given
};

struct MultipartLimits {
  size_t parts_max = 10'000;
  size_t headers_bytes_max = 8 * 1024;  ///< of one part
};

/// Whether a Content-Type says so at all.
bool IsFormData(std::string_view content_type);

/// `body` outlives the parts. kInvalid, in words, for what is no such body: no boundary, one longer
/// than 70 characters, no closing delimiter, a part without a name.
Result<std::vector<Part>> Parse(std::string_view content_type, std::string_view body,
                                const MultipartLimits& limits = {});

}  // namespace levada::formats::multipart
