#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "formats/multipart/multipart.h"

// The first line is the Content-Type, the rest the body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string_view body = input.substr(std::min(line + 1, input.size()));
  const auto parts = levada::formats::multipart::Parse(input.substr(0, line), body);
  if (!parts.ok()) return 0;
  for (const auto& part : *parts) {
    if (part.body.empty()) continue;
    if (part.body.data() < body.data() ||
        part.body.data() + part.body.size() > body.data() + body.size()) {
      std::abort();
    }
  }
  return 0;
}
