#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "formats/otlp/metrics_json.h"
#include "formats/otlp/sdk_environment.h"

// An answer of a collector, and the same bytes as every variable of the environment: whatever they
// are, something bounded is made of them.

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(levada::otlp::ParseExportAnswer(text).message.size() <= 500);
  if (const auto pairs = levada::otlp::ParsePairs(text)) {
    for (const auto& [name, value] : *pairs) Check(!name.empty() && value.size() < size);
  }
  const auto environment = levada::otlp::ReadSdkEnvironment(
      [text](const std::string& name) -> std::optional<std::string> {
        if (name.find("PROTOCOL") != std::string::npos) return std::nullopt;
        return std::string(text);
      });
  if (environment.metrics) {
    Check(environment.metrics->interval >= std::chrono::milliseconds(100));
    Check(environment.metrics->timeout > std::chrono::milliseconds(0));
  }
  return 0;
}
