#include "formats/otlp/sdk_environment.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "base/url.h"

namespace levada::otlp {
namespace {

using std::chrono::milliseconds;

constexpr size_t kPairsMax = 128;
constexpr size_t kListBytesMax = 64 * 1024;
constexpr milliseconds kLongest = std::chrono::hours(24);  // a timeout of 0 is "for ever"
constexpr milliseconds kShortestInterval{100};

std::string_view Trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

class Reader {
 public:
  using Variable = std::function<std::optional<std::string>(const std::string&)>;
  Reader(const Variable& variable, std::vector<std::string>& warnings)
      : variable_(variable), warnings_(warnings) {}

  /// Empty is as good as unset.
  std::string Text(const std::string& name) const { return variable_(name).value_or(""); }

  /// Of metrics alone, or else of all signals: which of both is set.
  std::string NameOf(const std::string& option) const {
    std::string own = "OTEL_EXPORTER_OTLP_METRICS_" + option;
    return Text(own).empty() ? "OTEL_EXPORTER_OTLP_" + option : own;
  }

  bool IsTrue(const std::string& name) {
    const std::string text = Text(name);
    const bool is_true = EqualsIgnoringCase(text, "true");
    if (!is_true && !text.empty() && !EqualsIgnoringCase(text, "false")) {
      Warn(name + ": expected true or false, got \"" + text + "\"; taken for false");
    }
    return is_true;
  }

  /// Milliseconds from `least`; what is none is as good as unset.
  milliseconds Time(const std::string& name, milliseconds otherwise, milliseconds least) {
    const std::string text = Text(name);
    if (text.empty()) return otherwise;
    int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number < least.count()) {
      Warn(name + ": expected milliseconds from " + std::to_string(least.count()) + ", got \"" +
           text + "\"; taken for " + std::to_string(otherwise.count()));
      return otherwise;
    }
    return number == 0 ? kLongest : std::min(milliseconds(number), kLongest);
  }

  /// Never with its text: values are often keys.
  Attributes Pairs(const std::string& name) {
    const std::string text = Text(name);
    if (text.empty()) return {};
    std::optional<Attributes> pairs = ParsePairs(text);
    if (pairs) return *std::move(pairs);
    Warn(name + ": expected name=value,name=value with values percent-encoded; left out");
    return {};
  }

  void Warn(std::string warning) { warnings_.push_back(std::move(warning)); }

 private:
  const Variable& variable_;
  std::vector<std::string>& warnings_;
};

/// Where one signal of those that an endpoint takes goes.
std::string OfMetrics(std::string endpoint) {
  const size_t query = std::min(endpoint.find_first_of("?#"), endpoint.size());
  std::string path = endpoint.substr(0, query);
  while (path.ends_with('/')) path.pop_back();
  return path + "/v1/metrics" + endpoint.substr(query);
}

std::string EndpointOf(const Reader& reader) {
  std::string own = reader.Text("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT");
  if (!own.empty()) return own;
  std::string all = reader.Text("OTEL_EXPORTER_OTLP_ENDPOINT");
  return all.empty() ? all : OfMetrics(std::move(all));
}

/// What speaks against it is said, unless it is what was asked for.
bool IsWanted(Reader& reader) {
  if (reader.IsTrue("OTEL_SDK_DISABLED")) return false;
  const std::string exporter = reader.Text("OTEL_METRICS_EXPORTER");
  if (exporter == "none") return false;
  if (!exporter.empty() && exporter != "otlp") {
    reader.Warn("metrics are not exported: OTEL_METRICS_EXPORTER is \"" + exporter +
                "\", and there is otlp and none here; Prometheus is answered at /metrics");
    return false;
  }
  const std::string name = reader.NameOf("PROTOCOL");
  const std::string protocol = reader.Text(name);
  if (!protocol.empty() && protocol != "http/json") {
    reader.Warn("metrics are not exported: " + name + " is \"" + protocol +
                "\", and there is http/json alone here; collectors take it where they take "
                "http/protobuf, port 4318 unless they say otherwise");
    return false;
  }
  return true;
}

std::vector<SentHeader> HeadersOf(Reader& reader) {
  std::vector<SentHeader> headers;
  for (auto& [name, value] : reader.Pairs(reader.NameOf("HEADERS"))) {
    headers.push_back({std::move(name), Secret(std::move(value))});
  }
  return headers;
}

Attributes ResourceOf(Reader& reader) {
  Attributes resource = reader.Pairs("OTEL_RESOURCE_ATTRIBUTES");
  const std::string service = reader.Text("OTEL_SERVICE_NAME");
  if (service.empty()) return resource;
  std::erase_if(resource, [](const auto& pair) { return pair.first == "service.name"; });
  resource.emplace(resource.begin(), "service.name", service);
  return resource;
}

}  // namespace

std::optional<Attributes> ParsePairs(std::string_view text) {
  if (text.size() > kListBytesMax) return std::nullopt;
  Attributes pairs;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view pair = Trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pairs.size() == kPairsMax) return std::nullopt;
    const std::string_view name = Trimmed(pair.substr(0, equals));
    std::optional<std::string> value = PercentDecoded(Trimmed(pair.substr(equals + 1)));
    if (name.empty() || !value) return std::nullopt;
    const auto is_same = [name](const auto& known) { return known.first == name; };
    if (const auto at = std::ranges::find_if(pairs, is_same); at != pairs.end()) {
      at->second = *std::move(value);
    } else {
      pairs.emplace_back(name, *std::move(value));
    }
  }
  return pairs;
}

SdkEnvironment ReadSdkEnvironment(
    const std::function<std::optional<std::string>(const std::string&)>& variable) {
  SdkEnvironment environment;
  Reader reader(variable, environment.warnings);
  MetricsExportOptions options;
  options.endpoint = EndpointOf(reader);
  // Of variables that are there for others nothing is said.
  if (options.endpoint.empty() || !IsWanted(reader)) return environment;
  options.headers = HeadersOf(reader);
  options.certificate_path = reader.Text(reader.NameOf("CERTIFICATE"));
  options.timeout = reader.Time(reader.NameOf("TIMEOUT"), options.timeout, milliseconds(0));
  options.interval =
      reader.Time("OTEL_METRIC_EXPORT_INTERVAL", options.interval, kShortestInterval);
  options.resource = ResourceOf(reader);
  const std::string compression = reader.NameOf("COMPRESSION");
  const std::string how = reader.Text(compression);
  if (!how.empty() && how != "none") {
    reader.Warn(compression + " is \"" + how + "\", and nothing is compressed here");
  }
  environment.metrics = std::move(options);
  return environment;
}

}  // namespace levada::otlp
