#pragma once
// MetricsExporter: sends what /metrics shows to a collector of OpenTelemetry, as often as the
// environment says (formats/otlp/sdk_environment.h). One export at a time: what a failed one had is
// in the next one too, since sums are cumulative. It never keeps the daemon from its work: a
// collector that is away is said once in the log, and once when it is back.

#include <chrono>
#include <memory>
#include <optional>

#include "app/daemon_metrics.h"
#include "base/clock.h"
#include "base/log.h"
#include "formats/otlp/sdk_environment.h"
#include "net/client.h"
#include "net/loop.h"
#include "os/service_starter.h"

namespace levada::app {

/// On the loop, and lives until Run of the loop has returned.
class MetricsExporter final {
 public:
  /// nullptr: the environment wants no export, or none that can be done; then the log says why.
  /// Reads the files of certificates. All outlive it.
  static std::unique_ptr<MetricsExporter> Make(const os::Variable& environment,
                                               DaemonMetrics& metrics, net::Loop& loop,
                                               const Clock& clock, Random& random, Logger& log);

  /// Exports until Stop.
  net::Task<void> Run();
  /// One last time, if no export is under way, for two seconds at most.
  net::Task<void> Stop();

 private:
  /// What became of an attempt.
  struct Attempt {
    Status status;
    bool is_retryable = false;  ///< sooner than the interval says
    std::optional<std::chrono::milliseconds> retry_after;
  };

  MetricsExporter(otlp::MetricsExportOptions options, net::HttpUrl url, DaemonMetrics& metrics,
                  net::Loop& loop, const Clock& clock, Random& random, Logger& log);
  net::Task<Attempt> Export(std::chrono::milliseconds timeout);
  net::Task<Attempt> Send(std::string body, std::chrono::milliseconds timeout);
  Attempt AttemptOf(const net::ClientAnswer& answer);
  void Note(const Attempt& attempt);
  /// Until the next attempt, which began so long ago.
  std::chrono::milliseconds DelayBehind(const Attempt& attempt, std::chrono::milliseconds ago);

  const otlp::MetricsExportOptions options_;
  const net::HttpUrl url_;
  DaemonMetrics& metrics_;
  net::Loop& loop_;
  const Clock& clock_;
  Random& random_;
  Logger& log_;
  const WallMicros start_;
  otlp::Attributes resource_;
  std::shared_ptr<const net::ClientTls> tls_;
  bool is_exporting_ = false;
  bool is_stopping_ = false;
  int64_t failures_ = 0;        ///< in a row
  std::string last_rejection_;  ///< of a collector that takes a part
};

}  // namespace levada::app
