#include "base/metrics.h"

#include <fmt/format.h>

#include <cmath>

namespace levada {
namespace {

std::string_view NameOf(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return "counter";
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kHistogram:
      return "histogram";
  }
  return "untyped";
}

std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

/// A backslash and a line's end stand for more than themselves, in a label's value quotes too.
void AppendEscaped(std::string& out, std::string_view text, bool in_quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (in_quotes && c == '"')) out += '\\';
    out += c;
  }
}

void AppendLine(std::string& out, std::string_view name, std::string_view suffix,
                const MetricSample& sample, std::optional<double> bound, std::string_view value) {
  out += name;
  out += suffix;
  char separator = '{';
  for (const auto& [label, text] : sample.labels) {
    out += separator;
    out += label;
    out += "=\"";
    AppendEscaped(out, text, true);
    out += '"';
    separator = ',';
  }
  if (bound) {
    out += separator;
    out += "le=\"" + NumberText(*bound) + '"';
    separator = ',';
  }
  if (separator == ',') out += '}';
  out += ' ';
  out += value;
  out += '\n';
}

void AppendHistogram(std::string& out, std::string_view name, const MetricSample& sample) {
  const MetricHistogram& histogram = *sample.histogram;
  uint64_t count = 0;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    count += histogram.counts[i];
    const double bound = i < histogram.bounds.size() ? histogram.bounds[i] : INFINITY;
    AppendLine(out, name, "_bucket", sample, bound, fmt::format("{}", count));
  }
  AppendLine(out, name, "_sum", sample, {}, NumberText(histogram.sum));
  AppendLine(out, name, "_count", sample, {}, fmt::format("{}", count));
}

}  // namespace

std::string PrometheusText(const std::vector<MetricFamily>& families) {
  std::string out;
  for (const MetricFamily& family : families) {
    if (family.samples.empty()) continue;
    out += "# HELP " + family.name + ' ';
    AppendEscaped(out, family.help, false);
    out += "\n# TYPE " + family.name + ' ';
    out += NameOf(family.kind);
    out += '\n';
    for (const MetricSample& sample : family.samples) {
      if (sample.histogram) {
        AppendHistogram(out, family.name, sample);
      } else {
        AppendLine(out, family.name, "", sample, {}, NumberText(sample.value));
      }
    }
  }
  return out;
}

}  // namespace levada
