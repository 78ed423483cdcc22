#include "app/daemon_metrics.h"

#include <iterator>
#include <optional>
#include <utility>

#include "app/version.h"
#include "os/usage.h"
#include "services/core/api.h"
#include "services/core/route.h"

namespace levada::app {
namespace {

using services::Action;
using services::Service;

MetricFamily Family(MetricKind kind, std::string name, std::string help) {
  return {std::move(name), kind, std::move(help), {}};
}

MetricFamily One(MetricKind kind, std::string name, std::string help, double value) {
  MetricFamily family = Family(kind, std::move(name), std::move(help));
  family.samples.push_back({{}, value});
  return family;
}

MetricFamily Gauge(std::string name, std::string help, double value) {
  return One(MetricKind::kGauge, std::move(name), std::move(help), value);
}

MetricFamily Counter(std::string name, std::string help, double value) {
  return One(MetricKind::kCounter, std::move(name), std::move(help), value);
}

template <typename Integer>
double Real(Integer value) {
  return static_cast<double>(value);
}

/// Names that every Prometheus client library gives them.
void AddProcess(std::vector<MetricFamily>& families, double now_s) {
  const os::ProcessUsage usage = os::ReadProcessUsage();
  families.push_back(
      Counter("process_cpu_seconds_total", "User and system time of this process.", usage.cpu_s));
  families.push_back(
      Gauge("process_resident_memory_bytes", "Memory that is in use.", Real(usage.resident_bytes)));
  families.push_back(Gauge("process_virtual_memory_bytes", "Address space that is in use.",
                           Real(usage.virtual_bytes)));
  families.push_back(Gauge("process_threads", "Threads.", Real(usage.threads)));
  families.push_back(Gauge("process_open_fds", "Open file descriptors.", Real(usage.open_files)));
  families.push_back(
      Gauge("process_max_fds", "File descriptors that may be open.", Real(usage.open_files_max)));
  families.push_back(
      Gauge("process_start_time_seconds", "When it was started, since the epoch.", usage.start_s));
  families.push_back(Gauge("levada_uptime_seconds", "Since it was started.",
                           usage.start_s > 0 ? now_s - usage.start_s : 0));
  MetricFamily build = Family(MetricKind::kGauge, "levada_build_info", "Always 1.");
  build.samples.push_back({{{"version", std::string(Version())}}, 1});
  families.push_back(std::move(build));
}

void AddControl(std::vector<MetricFamily>& families, const services::Control& control) {
  const services::Control::Counts counts = control.counts();
  families.push_back(Gauge("levada_accounts", "Accounts.", Real(counts.accounts)));
  families.push_back(Gauge("levada_tokens", "Valid API tokens.", Real(counts.tokens)));
  MetricFamily resources =
      Family(MetricKind::kGauge, "levada_resources", "Namespaces, buckets and the like.");
  for (const auto& [kind, count] : counts.resources) {
    resources.samples.push_back({{{"kind", std::string(NameOf(kind))}}, Real(count)});
  }
  families.push_back(std::move(resources));
}

void AddDisk(std::vector<MetricFamily>& families, const std::string& data,
             const os::DiskReserve& reserve) {
  families.push_back(Gauge("levada_disk_full",
                           "1 while the disk is full and only reads and deletes are done.",
                           reserve.is_full() ? 1 : 0));
  if (const auto space = os::ReadDiskSpace(data)) {
    families.push_back(Gauge("levada_disk_size_bytes", "Of the disk of the data directory.",
                             Real(space->size_bytes)));
    families.push_back(Gauge("levada_disk_free_bytes", "Of it, what this user may still write.",
                             Real(space->free_bytes)));
  }
}

void AddWorkers(std::vector<MetricFamily>& families, const net::Workers::Counts& counts) {
  families.push_back(
      Gauge("levada_workers", "Threads for work that blocks.", Real(counts.threads)));
  families.push_back(
      Gauge("levada_workers_busy", "Of them, those that work now.", Real(counts.busy)));
  families.push_back(
      Gauge("levada_workers_waiting", "Work that waits for a thread.", Real(counts.waiting)));
  families.push_back(Counter("levada_workers_refused_total",
                             "Work that was refused because too much waited.",
                             Real(counts.refused)));
}

/// Those of RocksDB's properties that belong to one family of keys: the others would be counted
/// once for each.
struct Property {
  const char* property;
  const char* metric;
  const char* help;
};
constexpr Property kProperties[] = {
    {"rocksdb.estimate-num-keys", "levada_store_records", "Records, as RocksDB estimates them."},
    {"rocksdb.live-sst-files-size", "levada_store_table_bytes", "Tables that are in use."},
    {"rocksdb.live-blob-file-size", "levada_store_blob_bytes", "Files of large values."},
    {"rocksdb.live-blob-file-garbage-size", "levada_store_blob_garbage_bytes",
     "Of them, what nobody needs any more."},
    {"rocksdb.cur-size-all-mem-tables", "levada_store_memtable_bytes",
     "Records that are in memory and in the log."},
    {"rocksdb.estimate-table-readers-mem", "levada_store_reader_bytes",
     "Memory for indexes and filters."},
    {"rocksdb.estimate-pending-compaction-bytes", "levada_store_compaction_pending_bytes",
     "What is to be written anew."},
    {"rocksdb.background-errors", "levada_store_background_errors",
     "Flushes and compactions that failed."},
};

}  // namespace

void DaemonMetrics::AddDoor(const services::DoorWatch& watch, const net::Server& server) {
  doors_.push_back({watch, server});
}

void DaemonMetrics::AddStore(std::string_view name, const db::rocks::Store& store,
                             const db::rocks::Committer& committer) {
  stores_.push_back({std::string(name), store, committer});
}

net::Task<net::Response> DaemonMetrics::Serve(net::Request& request) {
  request.notes.route = "/metrics";
  if (access_ == MetricsAccess::kOff) {
    co_return services::Failure({404, services::kNoRoute, "metrics are off here", std::nullopt});
  }
  if (access_ == MetricsAccess::kToken) {
    const services::Bearer bearer = services::AuthenticateBearer(sources_.control, request);
    if (bearer.refusal) co_return services::Failure(*bearer.refusal);
    if (!bearer.principal.May(Service::kMetrics, Action::kRead, "")) {
      co_return services::Failure({403, services::kAuthenticationError,
                                   "Authentication error: this token lacks the scope metrics:read",
                                   std::nullopt});
    }
  }
  const std::optional<std::vector<MetricFamily>> families = co_await Collect();
  if (!families) co_return services::Failure(services::TooBusy());
  net::Response response;
  response.headers.Add("Content-Type", std::string(kPrometheusContentType));
  response.body = PrometheusText(*families);
  co_return response;
}

net::Task<std::optional<std::vector<MetricFamily>>> DaemonMetrics::Collect() {
  std::optional<std::vector<MetricFamily>> families = co_await net::Blocking(
      sources_.loop, sources_.workers, [this] { return CollectElsewhere(); });
  if (families) AddDoors(*families);
  co_return families;
}

std::vector<MetricFamily> DaemonMetrics::CollectElsewhere() const {
  std::vector<MetricFamily> families;
  AddProcess(families, Real(sources_.clock.Now()) / 1e6);
  AddControl(families, sources_.control);
  AddDisk(families, sources_.data, sources_.reserve);
  AddWorkers(families, sources_.workers.counts());
  AddStores(families);
  AddD1(families);
  AddAnalyticsTo(families);
  return families;
}

void DaemonMetrics::AddStores(std::vector<MetricFamily>& families) const {
  MetricFamily open =
      Family(MetricKind::kGauge, "levada_store_open",
             "1 while a store is served, 0 while it is closed since it is damaged.");
  for (const Store& each : stores_) {
    open.samples.push_back({{{"store", each.name}}, each.store.closed_because().ok() ? 1.0 : 0.0});
  }
  families.push_back(std::move(open));
  for (const Property& property : kProperties) {
    MetricFamily family = Family(MetricKind::kGauge, property.metric, property.help);
    for (const Store& each : stores_) {
      family.samples.push_back(
          {{{"store", each.name}}, Real(each.store.Property(property.property))});
    }
    families.push_back(std::move(family));
  }
  MetricFamily waiting = Family(MetricKind::kGauge, "levada_store_commits_waiting",
                                "Batches that wait to be written.");
  MetricFamily waiting_bytes =
      Family(MetricKind::kGauge, "levada_store_commits_waiting_bytes", "What they hold.");
  MetricFamily batches =
      Family(MetricKind::kCounter, "levada_store_commits_total", "Batches that were written.");
  MetricFamily groups = Family(MetricKind::kCounter, "levada_store_commit_groups_total",
                               "Writes of batches together, with an fsync each.");
  MetricFamily failures = Family(MetricKind::kCounter, "levada_store_commit_failures_total",
                                 "Of them, those that failed.");
  MetricFamily busy =
      Family(MetricKind::kCounter, "levada_store_commit_seconds_total", "Time spent in them.");
  for (const Store& each : stores_) {
    const db::rocks::CommitterCounts counts = each.committer.counts();
    const auto add = [&each](MetricFamily& family, double value) {
      family.samples.push_back({{{"store", each.name}}, value});
    };
    add(waiting, Real(counts.waiting));
    add(waiting_bytes, Real(counts.waiting_bytes));
    add(batches, Real(counts.batches));
    add(groups, Real(counts.groups));
    add(failures, Real(counts.failures));
    add(busy, counts.busy_s);
  }
  for (MetricFamily* family : {&waiting, &waiting_bytes, &batches, &groups, &failures, &busy}) {
    families.push_back(std::move(*family));
  }
}

void DaemonMetrics::AddD1(std::vector<MetricFamily>& families) const {
  if (databases_ == nullptr) return;
  const services::d1::Databases::Counts counts = databases_->counts();
  families.push_back(
      Gauge("levada_d1_databases_open", "Databases whose files are open.", Real(counts.open)));
  families.push_back(Gauge("levada_d1_requests_waiting", "Requests that wait for their database.",
                           Real(counts.waiting)));
  families.push_back(Gauge("levada_d1_threads_busy", "Threads of all databases that work.",
                           Real(counts.workers.busy)));
  families.push_back(
      Counter("levada_d1_requests_total", "Requests to databases.", Real(counts.requests)));
  families.push_back(Counter("levada_d1_requests_refused_total",
                             "Of them, those that found too many waiting.", Real(counts.refused)));
  families.push_back(Counter("levada_d1_failures_total",
                             "Failures of the files under a database, after which it was opened "
                             "again.",
                             Real(counts.failures)));
  if (backups_ == nullptr) return;
  const services::d1::Backups::Counts backups = backups_->counts();
  families.push_back(Counter("levada_d1_backups_total", "Copies of databases that were made.",
                             Real(backups.copies)));
  if (!backups.has_plan) return;
  families.push_back(Counter("levada_d1_backup_failures_total",
                             "Databases and buckets of the plan that could not be backed up; they "
                             "are tried again.",
                             Real(backups.failures)));
  families.push_back(Gauge("levada_d1_backup_last_success_timestamp_seconds",
                           "When every copy that was due was there; 0: not since the start.",
                           static_cast<double>(backups.last_success) / 1e6));
}

void DaemonMetrics::AddAnalyticsTo(std::vector<MetricFamily>& families) const {
  if (analytics_ == nullptr) return;
  const services::analytics::AnalyticsService::Counts counts = analytics_->counts();
  const auto add = [&families](MetricFamily family) { families.push_back(std::move(family)); };
  add(Counter("levada_analytics_points_total", "Points that were written.", Real(counts.log.rows)));
  add(Counter("levada_analytics_commit_groups_total", "Writes of points, with an fsync each.",
              Real(counts.log.groups)));
  add(Counter("levada_analytics_commit_failures_total", "Of them, those that failed.",
              Real(counts.log.failures)));
  add(Gauge("levada_analytics_unflushed_bytes", "Points that the engine has not yet.",
            Real(counts.log.unflushed_bytes)));
  add(Gauge("levada_analytics_damaged_segments", "Files of points that were set aside.",
            Real(counts.log.damaged_segments)));
  add(Counter("levada_analytics_points_flushed_total", "Points that the engine took.",
              Real(counts.flusher.rows)));
  add(Counter("levada_analytics_flush_failures_total", "Tries to give it some that failed.",
              Real(counts.flusher.failures)));
  add(Gauge("levada_analytics_engine_running", "1 while the engine's process runs.",
            counts.engine.is_running ? 1 : 0));
  add(Counter("levada_analytics_engine_starts_total", "Starts of the engine's process.",
              Real(counts.engine.starts)));
  add(Counter("levada_analytics_statements_total", "Statements of queries and inserts.",
              Real(counts.engine.statements)));
  add(Counter("levada_analytics_statement_failures_total", "Of them, those that failed.",
              Real(counts.engine.failures)));
}

void DaemonMetrics::AddDoors(std::vector<MetricFamily>& families) const {
  std::vector<const services::DoorWatch*> watches;
  std::vector<services::DoorServer> servers;
  for (const Door& door : doors_) {
    watches.push_back(&door.watch);
    servers.push_back({door.watch.door(), door.server.counts()});
  }
  for (auto& made : {services::RequestMetrics(watches), services::ConnectionMetrics(servers)}) {
    families.insert(families.end(), made.begin(), made.end());
  }
  families.push_back(Counter("levada_log_requests_unwritten_total",
                             "Requests that were worth a line of the log, in a second that had "
                             "enough of them.",
                             Real(sources_.requests.unwritten_total())));
}

}  // namespace levada::app
