#pragma once
// The variables by which every program that exports to a collector of OpenTelemetry is told where
// to and how, read into options. What makes no sense is left out and said, as the specification
// wants it: a variable that is there for other programs too must not keep this one from its work.
//
// Source: OpenTelemetry specification 1.x, configuration/sdk-environment-variables.md,
// protocol/exporter.md, resource/sdk.md; W3C Baggage for lists of pairs.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "formats/otlp/metrics_json.h"

namespace levada::otlp {

/// A header to send, as it was written: nobody has looked whether HTTP can. Its value is often a
/// key.
struct SentHeader {
  std::string name;
  Secret value;
};

struct MetricsExportOptions {
  std::string endpoint;  ///< as it was written, "/v1/metrics" at its end where it was of no signal
  std::vector<SentHeader> headers;
  std::string certificate_path;                ///< authorities to trust; empty: those of the system
  std::chrono::milliseconds timeout{10'000};   ///< of one export
  std::chrono::milliseconds interval{60'000};  ///< from the beginning of one to that of the next
  Attributes resource;                         ///< with "service.name", if it says so
};

struct SdkEnvironment {
  std::optional<MetricsExportOptions> metrics;  ///< nullopt: nothing is to be exported
  std::vector<std::string> warnings;            ///< a sentence each, without secrets
};

/// `variable`: of a name; nullopt where there is none. An export is wanted where an endpoint is
/// said and nothing speaks against it.
SdkEnvironment ReadSdkEnvironment(
    const std::function<std::optional<std::string>(const std::string&)>& variable);

/// "a=1,b=%20x": values decoded. nullopt: it is no such list, or one of more than 128 pairs.
std::optional<Attributes> ParsePairs(std::string_view text);

}  // namespace levada::otlp
