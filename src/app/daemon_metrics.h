#pragma once
// DaemonMetrics: what /metrics answers: all that the parts of a daemon count, collected when it is
// asked for. It holds nothing itself.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "db/rocksdb/committer.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/server.h"
#include "os/disk_reserve.h"
#include "services/analytics/analytics_service.h"
#include "services/core/control.h"
#include "services/core/door_watch.h"
#include "services/core/request_log.h"
#include "services/d1/backups.h"
#include "services/d1/databases.h"

namespace levada::app {

/// Who may read the metrics. They name routes and sizes of the daemon as a whole, and no account.
enum class MetricsAccess : uint8_t {
  kToken,  ///< a token with metrics:read
  kOpen,   ///< whoever reaches the listener
  kOff,
};

/// Of a daemon; all outlive it.
struct MetricsSources {
  const std::string& data;
  const Clock& clock;
  net::Loop& loop;
  net::Workers& workers;
  const services::Control& control;
  const os::DiskReserve& reserve;
  const services::RequestLog& requests;
};

/// On the loop.
class DaemonMetrics final {
 public:
  DaemonMetrics(const MetricsSources& sources, MetricsAccess access)
      : sources_(sources), access_(access) {}

  // Before it serves; what is given outlives it.
  void AddDoor(const services::DoorWatch& watch, const net::Server& server);
  void AddStore(std::string_view name, const db::rocks::Store& store,
                const db::rocks::Committer& committer);
  void AddDatabases(const services::d1::Databases& databases) { databases_ = &databases; }
  void AddBackups(const services::d1::Backups& backups) { backups_ = &backups; }
  void AddAnalytics(const services::analytics::AnalyticsService& service) { analytics_ = &service; }

  /// GET /metrics.
  net::Task<net::Response> Serve(net::Request& request);
  /// nullopt: too much to do.
  net::Task<std::optional<std::vector<MetricFamily>>> Collect();

 private:
  struct Door {
    const services::DoorWatch& watch;
    const net::Server& server;
  };
  struct Store {
    std::string name;
    const db::rocks::Store& store;
    const db::rocks::Committer& committer;
  };
  // Asks disks and locks: not on the loop.
  std::vector<MetricFamily> CollectElsewhere() const;
  void AddStores(std::vector<MetricFamily>& families) const;
  void AddD1(std::vector<MetricFamily>& families) const;
  void AddAnalyticsTo(std::vector<MetricFamily>& families) const;
  // On the loop.
  void AddDoors(std::vector<MetricFamily>& families) const;

  const MetricsSources sources_;
  const MetricsAccess access_;
  std::vector<Door> doors_;
  std::vector<Store> stores_;
  const services::d1::Databases* databases_ = nullptr;
  const services::d1::Backups* backups_ = nullptr;
  const services::analytics::AnalyticsService* analytics_ = nullptr;
};

}  // namespace levada::app
