#pragma once
// Daemon: everything `levada serve` holds, made in order and taken down in reverse: the data
// directory's lock, its key and control database, the stores, the doors, and last the listeners. It
// is ready when Start returns.

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "app/daemon_metrics.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/server.h"
#include "os/disk.h"
#include "os/service_starter.h"
#include "services/analytics/clickhouse_address.h"
#include "services/core/control.h"
#include "services/core/request_log.h"
#include "services/d1/backups.h"

namespace levada::app {

struct DaemonOptions {
  std::string data;  ///< the data directory
  std::string host = "127.0.0.1";
  uint16_t port = 8787;
  std::string s3_host = "127.0.0.1";
  uint16_t s3_port = 8788;
  std::string s3_domain;          ///< "<bucket>.<domain>" names a bucket; empty: only paths do
  std::string analytics_library;  ///< libchdb; empty: where FindLibrary looks
  /// Instead of libchdb.
  std::optional<services::analytics::ClickhouseAddress> analytics_server = std::nullopt;
  std::string analytics_password_file;  ///< of it; see analytics_server.h
  std::string master_key_path;          ///< empty: DATA/master.key
  std::optional<net::TlsFiles> tls;
  services::RequestLogOptions requests;
  MetricsAccess metrics = MetricsAccess::kToken;
  services::d1::BackupPlan backups;
  net::ServerLimits limits;                 ///< of each listener
  bool are_connections_configured = false;  ///< else fewer are nobody's concern
  /// Of the process: where the one that started it wants to hear of it.
  os::Variable environment = [](const std::string&) { return std::nullopt; };
  bool issue_first_token = true;            ///< for the account that a first start makes
  std::chrono::milliseconds grace{30'000};  ///< for requests in flight when it stops
};

/// Made by a first start: the only moment the token is known.
struct FirstStart {
  services::Account account;
  std::optional<services::IssuedToken> token;
};

class Daemon final {
 public:
  /// All outlive it. Errors: kLeaseHeld when another process has the directory; those of what it
  /// opens.
  static Result<std::unique_ptr<Daemon>> Start(DaemonOptions options, os::Disk& disk,
                                               const Clock& clock, Random& random, Logger& log);
  ~Daemon();

  /// "http://127.0.0.1:8787"
  std::string api_url() const;
  std::string s3_url() const;
  const std::optional<FirstStart>& first_start() const;
  /// Serves until `stop`, then lets requests in flight end. On SIGHUP certificates are read again.
  void Run(const std::stop_token& stop);

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace levada::app
