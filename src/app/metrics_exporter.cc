#include "app/metrics_exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "app/version.h"
#include "base/timestamp.h"
#include "os/usage.h"

namespace levada::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLastTimeout{2'000};
constexpr milliseconds kBackoffFirst{1'000};
constexpr int kBackoffDoublingsMax = 16;
constexpr milliseconds kRetryAfterMax = std::chrono::hours(1);  // nobody means more by it

/// Of RFC 9562, version 4.
std::string NewUuid(Random& random) {
  const uint64_t high = (random.Next() & ~uint64_t{0xf000}) | 0x4000;
  const uint64_t low = (random.Next() >> 2) | (uint64_t{1} << 63);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffff'ffff'ffff);
}

/// With what every resource of ours has, where the environment says nothing else.
otlp::Attributes ResourceOf(const otlp::Attributes& given, Random& random) {
  otlp::Attributes resource = {{"service.name", "levada"},
                               {"service.version", std::string(Version())},
                               {"service.instance.id", NewUuid(random)}};
  for (const auto& [name, value] : given) {
    const auto at =
        std::ranges::find_if(resource, [&](const auto& known) { return known.first == name; });
    if (at != resource.end()) {
      at->second = value;
    } else {
      resource.emplace_back(name, value);
    }
  }
  return resource;
}

/// The process's own; its counters count since.
WallMicros StartOf(const Clock& clock) {
  const double start_s = os::ReadProcessUsage().start_s;
  return start_s > 0 ? static_cast<WallMicros>(start_s * 1e6) : clock.Now();
}

net::Headers HeadersOf(const otlp::MetricsExportOptions& options) {
  net::Headers headers;
  headers.Set("User-Agent", "OTel-OTLP-Exporter-Levada/" + std::string(Version()));
  for (const otlp::SentHeader& header : options.headers) {
    headers.Set(header.name, header.value.Reveal());
  }
  headers.Set("Content-Type", "application/json");
  return headers;
}

/// OTLP/HTTP, "Retryable Response Codes".
bool IsRetryable(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

/// Seconds, or a date.
std::optional<milliseconds> RetryAfterOf(const net::Headers& headers, WallMicros now) {
  const std::string_view text = headers.Find("Retry-After").value_or("");
  int64_t seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (parsed.ec == std::errc::result_out_of_range) return kRetryAfterMax;
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    const std::optional<WallMicros> date = ParseTimestamp(text);
    if (!date) return std::nullopt;
    seconds = (*date - now) / 1'000'000;
  }
  return std::chrono::seconds(std::clamp<int64_t>(
      seconds, 0, std::chrono::duration_cast<std::chrono::seconds>(kRetryAfterMax).count()));
}

}  // namespace

std::unique_ptr<MetricsExporter> MetricsExporter::Make(const os::Variable& environment,
                                                       DaemonMetrics& metrics, net::Loop& loop,
                                                       const Clock& clock, Random& random,
                                                       Logger& log) {
  otlp::SdkEnvironment said = otlp::ReadSdkEnvironment(environment);
  for (const std::string& warning : said.warnings) log.Warning(warning);
  if (!said.metrics) return nullptr;
  const auto refuse = [&log](const Status& why) {
    log.Warning("metrics are not exported: OTEL_EXPORTER_OTLP_* cannot be followed",
                {{"cause", why.ToString()}});
    return nullptr;
  };
  const Result<net::HttpUrl> url = net::ParseHttpUrl(said.metrics->endpoint);
  if (!url.ok()) return refuse(url.status());
  const Status sendable = net::CheckSendable(HeadersOf(*said.metrics));
  if (!sendable.ok()) return refuse(sendable);
  std::unique_ptr<MetricsExporter> exporter(
      new MetricsExporter(*std::move(said.metrics), *url, metrics, loop, clock, random, log));
  if (url->is_secure) {
    Result<std::shared_ptr<const net::ClientTls>> tls =
        net::ClientTls::Load(exporter->options_.certificate_path);
    if (!tls.ok()) return refuse(tls.status());
    exporter->tls_ = *std::move(tls);
  }
  log.Info("metrics are exported",
           {{"to", url->Origin()}, {"interval_ms", exporter->options_.interval.count()}});
  return exporter;
}

MetricsExporter::MetricsExporter(otlp::MetricsExportOptions options, net::HttpUrl url,
                                 DaemonMetrics& metrics, net::Loop& loop, const Clock& clock,
                                 Random& random, Logger& log)
    : options_(std::move(options)),
      url_(std::move(url)),
      metrics_(metrics),
      loop_(loop),
      clock_(clock),
      random_(random),
      log_(log),
      start_(StartOf(clock)),
      resource_(ResourceOf(options_.resource, random)) {}

net::Task<void> MetricsExporter::Run() {
  milliseconds delay = options_.interval;
  while (true) {
    co_await loop_.Sleep(delay);
    if (is_stopping_) co_return;
    const SteadyTime begin = clock_.Steady();
    is_exporting_ = true;
    const Attempt attempt = co_await Export(options_.timeout);
    is_exporting_ = false;
    Note(attempt);
    delay = DelayBehind(attempt, std::chrono::duration_cast<milliseconds>(clock_.Steady() - begin));
  }
}

net::Task<void> MetricsExporter::Stop() {
  is_stopping_ = true;
  if (is_exporting_) co_return;
  Note(co_await Export(std::min(kLastTimeout, options_.timeout)));
}

net::Task<MetricsExporter::Attempt> MetricsExporter::Export(milliseconds timeout) {
  const auto families = co_await metrics_.Collect();
  if (!families) {
    co_return Attempt{Status::Invalid("the daemon has too much to do to read its metrics"), true,
                      std::nullopt};
  }
  const otlp::MetricsHead head{resource_, "levada", std::string(Version()), start_, clock_.Now()};
  co_return co_await Send(otlp::MetricsJson(*families, head), timeout);
}

net::Task<MetricsExporter::Attempt> MetricsExporter::Send(std::string body, milliseconds timeout) {
  net::ClientRequest request;
  request.url = url_;
  request.headers = HeadersOf(options_);
  request.body = std::move(body);
  request.timeout = timeout;
  const Result<net::ClientAnswer> answer = co_await net::Post(loop_, tls_, std::move(request));
  if (!answer.ok()) co_return Attempt{answer.status(), true, std::nullopt};
  co_return AttemptOf(*answer);
}

MetricsExporter::Attempt MetricsExporter::AttemptOf(const net::ClientAnswer& answer) {
  const otlp::ExportAnswer said = otlp::ParseExportAnswer(answer.body);
  if (answer.status != 200) {
    Fault refused(FaultCode::kTargetIo,
                  fmt::format("\"{}\" answers {}{}{}", url_.Origin(), answer.status,
                              said.message.empty() ? "" : ": ", said.message));
    return {refused, IsRetryable(answer.status), RetryAfterOf(answer.headers, clock_.Now())};
  }
  // It is not sent again: the collector has said what it makes of it.
  if (said.message != last_rejection_) {
    last_rejection_ = said.message;
    if (!said.message.empty()) {
      log_.Warning("the collector does not take all metrics",
                   {{"rejected", said.rejected_points}, {"cause", said.message}});
    }
  }
  return {Status::OK(), false, std::nullopt};
}

void MetricsExporter::Note(const Attempt& attempt) {
  if (!attempt.status.ok()) {
    if (failures_++ > 0) return;
    log_.Warning("metrics do not reach their collector; it is tried again",
                 {{"cause", attempt.status.ToString()}});
  } else if (failures_ > 0) {
    log_.Warning("metrics reach their collector again", {{"failures", failures_}});
    failures_ = 0;
  }
}

milliseconds MetricsExporter::DelayBehind(const Attempt& attempt, milliseconds ago) {
  if (attempt.retry_after) return *attempt.retry_after;
  const milliseconds regular = std::max(options_.interval - ago, milliseconds(0));
  if (!attempt.is_retryable) return regular;
  const auto doublings = static_cast<int>(std::min<int64_t>(failures_ - 1, kBackoffDoublingsMax));
  const milliseconds backoff =
      std::min(kBackoffFirst * (int64_t{1} << doublings), options_.interval);
  // From half of it to all: many daemons that lost one collector do not come back at once.
  const int64_t half = std::max<int64_t>(backoff.count() / 2, 1);
  return milliseconds(half + static_cast<int64_t>(random_.Next() % static_cast<uint64_t>(half)));
}

}  // namespace levada::app
