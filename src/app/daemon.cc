#include "app/daemon.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "app/analytics_server.h"
#include "app/api_routes.h"
#include "app/daemon_metrics.h"
#include "app/event_sender.h"
#include "app/metrics_exporter.h"
#include "app/r2_shelf.h"
#include "app/snapshot.h"
#include "net/hangups.h"
#include "net/loop.h"
#include "os/disk_reserve.h"
#include "os/process.h"
#include "os/usage.h"
#include "services/analytics/analytics_service.h"
#include "services/core/admin.h"
#include "services/core/audit_rest.h"
#include "services/core/data_directory.h"
#include "services/core/door_watch.h"
#include "services/core/grants.h"
#include "services/core/open_control.h"
#include "services/core/route.h"
#include "services/d1/d1_admin.h"
#include "services/d1/databases.h"
#include "services/d1/transfers.h"
#include "services/kv/kv_binding.h"
#include "services/kv/kv_store.h"
#include "services/queues/queue_store.h"
#include "services/queues/queues.h"
#include "services/r2/buckets.h"
#include "services/r2/event_courier.h"
#include "services/r2/lifecycle.h"
#include "services/r2/object_store.h"
#include "services/s3/s3_door.h"

namespace levada::app {
namespace {

using services::Control;
using services::Resource;

constexpr size_t kBlockedMax = 4096;  ///< reads that wait for a thread
constexpr int kAnalyticsQueriesAtOnce = 4;
constexpr size_t kAnalyticsQueriesWaitingMax = 64;
constexpr int64_t kReserveBytes = int64_t{64} << 20;
// What the stores may have open, 512 tables each, and 64 databases with eight files each, beside
// the files that come and go with connections.
constexpr int64_t kFilesOfStores = 2304;
constexpr auto kLifecycleEvery = std::chrono::hours(1);
constexpr auto kLifecycleFirst = std::chrono::minutes(1);  // behind a start
constexpr auto kSpaceTick = std::chrono::seconds(1);
constexpr auto kDatabasesTick = std::chrono::seconds(10);
constexpr std::chrono::seconds kBackupTickMax{60};
// What a first start gives out is for a person at the keyboard to begin with.
constexpr WallMicros kFirstTokenLife = WallMicros{90} * 86'400 * 1'000'000;

/// The listener for people and programs: the v4 API, and what watches the daemon.
class FrontDoor final : public net::Handler {
 public:
  FrontDoor(services::V4Door& v4, DaemonMetrics& metrics, Random& ids)
      : v4_(v4), metrics_(metrics), ids_(ids) {}

  net::Task<net::Response> Handle(net::Request& request) override {
    const bool is_read = request.method == "GET" || request.method == "HEAD";
    const bool is_own = is_read && (request.path == "/metrics" || request.path == "/health");
    // Only workerd says this, and only to its own listener.
    if (request.headers.Find(services::kBindingHeader)) return Refuse();
    return is_own ? Own(request) : v4_.Handle(request);
  }

 private:
  static net::Task<net::Response> Refuse() {
    net::Response refused;
    refused.status = 400;
    refused.body = "this header belongs to another listener\n";
    co_return refused;
  }

  net::Task<net::Response> Own(net::Request& request) {
    request.notes.id = NewId(ids_);
    net::Response response;
    if (request.path == "/metrics") {  // g++ 12 destroys twice what a conditional expression awaits
      response = co_await metrics_.Serve(request);
    } else {
      response = Healthy(request);
    }
    response.headers.Add("cf-ray", request.notes.id);
    co_return response;
  }

  static net::Response Healthy(net::Request& request) {
    request.notes.route = "/health";
    net::Response healthy;
    healthy.headers.Add("Content-Type", "text/plain");
    healthy.body = "ok\n";
    return healthy;
  }

  services::V4Door& v4_;
  DaemonMetrics& metrics_;
  Random& ids_;
};

std::string AddressOf(const std::string& host, uint16_t port) {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string UrlOf(bool is_secure, const std::string& host, uint16_t port) {
  return (is_secure ? "https://" : "http://") + AddressOf(host, port);
}

/// Of each of the two listeners. A connection is a file, and what it sends or fetches may be
/// another: strangers must not take those of the stores.
size_t ConnectionsFor(size_t wanted, int64_t files_max) {
  const int64_t left = files_max - std::min(kFilesOfStores, files_max / 2);
  return std::min(wanted, static_cast<size_t>(std::max<int64_t>(left / 4, 1)));
}

}  // namespace

// In the order of construction; the members go in reverse.
struct Daemon::Parts {
  DaemonOptions options;
  os::Disk& disk;
  const Clock& clock;
  Logger& log;
  const os::ServiceStarter starter;
  services::RequestLog requests;
  services::DoorWatch front_watch{"api", requests};
  services::DoorWatch admin_watch{"admin", requests};
  services::DoorWatch s3_watch{"s3", requests};
  std::unique_ptr<services::DataDirectory> directory;
  std::unique_ptr<os::DiskReserve> reserve;
  std::unique_ptr<Control> control;
  std::optional<FirstStart> first_start;
  net::Loop loop;  // before whoever comes back to it: committers and workers finish their work
  std::unique_ptr<services::kv::KvStore> kv;
  std::unique_ptr<services::r2::ObjectStore> objects;
  std::unique_ptr<services::queues::QueueStore> messages;
  std::unique_ptr<services::d1::Databases> databases;
  std::unique_ptr<services::d1::Transfers> d1_transfers;  // what workers do for it uses it
  std::unique_ptr<R2Shelf> shelf;
  std::unique_ptr<services::d1::Backups> backups;  // workers ask it, and metrics
  std::unique_ptr<services::analytics::AnalyticsService> analytics;
  std::unique_ptr<DaemonMetrics> metrics;  // workers ask it
  std::unique_ptr<MetricsExporter> exporter;
  std::unique_ptr<net::Workers> workers;
  std::unique_ptr<net::Workers> transfers;  ///< of objects
  std::unique_ptr<net::Workers> queries;    ///< of analytics
  std::unique_ptr<services::analytics::AnalyticsAccess> analytics_access;
  std::unique_ptr<services::kv::KvAccess> kv_access;
  std::unique_ptr<Random> request_ids;  ///< the loop's: no secrets, and no system call for each
  std::unique_ptr<services::V4Door> v4;
  std::unique_ptr<FrontDoor> front;
  std::unique_ptr<services::r2::Buckets> buckets;
  std::unique_ptr<services::r2::R2Access> r2_access;
  std::unique_ptr<services::queues::QueueAccess> queue_access;
  std::unique_ptr<services::queues::Queues> queues;
  std::unique_ptr<services::queues::QueueServices> queue_services;
  std::unique_ptr<services::r2::EventCourier> courier;
  std::unique_ptr<services::d1::D1Access> d1_access;
  std::unique_ptr<net::Workers> backup_worker;
  std::unique_ptr<services::AuditAccess> audit_access;
  std::unique_ptr<services::s3::S3Door> s3;
  std::unique_ptr<services::AdminDoor> admin;
  std::unique_ptr<net::Server> admin_server;
  std::unique_ptr<net::Server> front_server;
  std::unique_ptr<net::Server> s3_server;
  std::unique_ptr<net::Hangups> hangups;
  std::atomic<bool> is_stopping{false};
  std::mutex snapshot_mutex;

  Parts(DaemonOptions given, os::Disk& on, const Clock& with, Logger& to)
      : options(std::move(given)),
        disk(on),
        clock(with),
        log(to),
        starter(options.environment),
        requests(options.requests, with, to) {}

  Status OpenControl(os::Disk& disk, const Clock& clock, Random& random);
  /// Of a directory that was not used yet, once nothing is left that could fail.
  Status IssueFirst(const Clock& clock);
  Status OpenStores(os::Disk& disk, const Clock& clock, Random& random);
  Status OpenAnalytics(os::Disk& disk, const Clock& clock, Random& random);
  /// So that connections leave enough files for the rest.
  void LimitConnections();
  /// What every listener has.
  net::ListenOptions Watched(services::DoorWatch& watch) const;
  Status Listen(os::Disk& disk, const Clock& clock, Random& random);
  /// What AdminDoor answers beside what everybody can.
  services::AdminCommands CommandsOfDaemon();
  /// What SIGHUP asks for.
  void Reload();
  void NoteTold(const Status& told) const;
  net::Task<void> WatchSpace();
  void Sweep();
  void RemoveSnapshot();
  net::Task<void> WatchLifecycles();
  net::Task<void> WatchDatabases();
  void OpenBackups(os::Disk& disk);
  net::Task<void> WatchBackups();
  net::Task<void> StopAll();
};

Status Daemon::Parts::OpenControl(os::Disk& disk, const Clock& clock, Random& random) {
  ARROW_ASSIGN_OR_RAISE(directory, services::DataDirectory::TryOpen(disk, options.data));
  if (directory == nullptr) {
    return Fault(FaultCode::kLeaseHeld,
                 "another levada has the data directory \"" + options.data + "\"")
        .With("path", options.data)
        .Help("stop that one, or name another directory with --data");
  }
  reserve = os::DiskReserve::Open(directory->Path("reserve"), kReserveBytes, clock);
  if (reserve->is_full()) log.Warning("the disk is full: reads and deletes only", {});
  ARROW_ASSIGN_OR_RAISE(control, services::OpenControl(disk, *directory, options.master_key_path,
                                                       clock, random, reserve.get()));
  return Status::OK();
}

/// A start that failed, or one whose token nobody may see, has left the account without one.
Status Daemon::Parts::IssueFirst(const Clock& clock) {
  const services::Actor actor{"first start", ""};
  const std::vector<services::Account> accounts = control->Accounts();
  FirstStart first;
  if (accounts.empty()) {
    ARROW_ASSIGN_OR_RAISE(first.account, control->CreateAccount("default", actor));
  } else if (accounts.size() == 1 && control->Tokens(accounts.front()).empty()) {
    first.account = accounts.front();
  } else {
    return Status::OK();
  }
  if (options.issue_first_token) {
    ARROW_ASSIGN_OR_RAISE(first.token,
                          control->CreateToken(first.account, "first start",
                                               {{std::nullopt, services::Action::kAdmin, ""}},
                                               clock.Now() + kFirstTokenLife, actor));
  }
  first_start = std::move(first);
  return Status::OK();
}

Status Daemon::Parts::OpenStores(os::Disk& disk, const Clock& clock, Random& random) {
  ARROW_ASSIGN_OR_RAISE(
      kv, services::kv::KvStore::Open(directory->Path("kv"), services::kv::KvLimits{}, clock, log,
                                      reserve.get()));
  workers = std::make_unique<net::Workers>(std::max(4, 2 * os::ProcessorCount()), kBlockedMax);
  transfers = std::make_unique<net::Workers>(std::max(4, 2 * os::ProcessorCount()), kBlockedMax);
  ARROW_ASSIGN_OR_RAISE(objects,
                        services::r2::ObjectStore::Open(
                            directory->Path("objects"), services::r2::R2Limits{},
                            {disk, clock, random, loop, *workers, *transfers, log, reserve.get()}));
  ARROW_ASSIGN_OR_RAISE(messages, services::queues::QueueStore::Open(
                                      directory->Path("queues"), services::queues::QueueLimits{},
                                      clock, random, log, reserve.get()));
  ARROW_ASSIGN_OR_RAISE(
      databases, services::d1::Databases::Open(directory->Path("d1"), *control, disk, clock, log,
                                               reserve.get(), {}));
  return Status::OK();
}

Status Daemon::Parts::OpenAnalytics(os::Disk& disk, const Clock& clock, Random& random) {
  namespace ae = services::analytics;
  const std::string variable = options.environment("LEVADA_LIBCHDB").value_or("");
  ae::AnalyticsOptions with;
  with.directory = directory->Path("analytics");
  with.program = os::ProgramPath();
  with.library = ae::FindLibrary(disk, options.analytics_library, variable, with.program);
  with.readers = kAnalyticsQueriesAtOnce;
  ARROW_ASSIGN_OR_RAISE(with.server, AnalyticsServerOf(options, disk));
  ARROW_ASSIGN_OR_RAISE(analytics, ae::AnalyticsService::Open(std::move(with), disk, clock, random,
                                                              *control, log, reserve.get()));
  queries = std::make_unique<net::Workers>(kAnalyticsQueriesAtOnce, kAnalyticsQueriesWaitingMax);
  analytics_access = std::make_unique<ae::AnalyticsAccess>(
      ae::AnalyticsAccess{analytics->log(), analytics->engine(), *control, clock, loop, *workers,
                          *queries, reserve.get()});
  return Status::OK();
}

net::ListenOptions Daemon::Parts::Watched(services::DoorWatch& watch) const {
  net::ListenOptions watched;
  watched.log = &log;
  watched.clock = &clock;
  watched.observer = &watch;
  watched.limits = options.limits;
  return watched;
}

void Daemon::Parts::LimitConnections() {
  const size_t wanted = options.limits.connections_max;
  const int64_t files = os::ReadProcessUsage().open_files_max;
  options.limits.connections_max = ConnectionsFor(wanted, files);
  const auto connections = static_cast<int64_t>(options.limits.connections_max);
  if (options.limits.connections_max == wanted) return;
  if (options.are_connections_configured) {
    log.Warning("fewer connections than configured, for so few files may be open",
                {{"connections", connections},
                 {"configured", static_cast<int64_t>(wanted)},
                 {"open_files_max", files},
                 {"help", std::string("raise the limit of open files: ulimit -n, LimitNOFILE")}});
  } else {
    log.Info("connections are limited by the files that may be open",
             {{"connections", connections}, {"open_files_max", files}});
  }
}

services::AdminCommands Daemon::Parts::CommandsOfDaemon() {
  services::AdminCommands commands =
      services::d1::D1AdminCommands({*databases, *control, disk, clock, log});
  commands.merge(services::d1::BackupCommands(*backups, *control));
  commands[kSnapshotCommand] = [this](std::string_view) -> Result<std::string> {
    const std::unique_lock one(snapshot_mutex, std::try_to_lock);
    if (!one) return Fault(FaultCode::kLeaseHeld, "a snapshot is being taken");
    const SteadyTime begin = clock.Steady();
    ARROW_RETURN_NOT_OK(
        TakeSnapshot({disk, *directory, *control, kv.get(), objects.get(), messages.get()}));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock.Steady() - begin);
    log.Info("took a snapshot", {{"ms", static_cast<int64_t>(took.count())}});
    return std::string("{}");
  };
  return commands;
}

Status Daemon::Parts::Listen(os::Disk& disk, const Clock& clock, Random& random) {
  LimitConnections();
  request_ids = MakeSeededRandom(random.Next());
  kv_access = std::make_unique<services::kv::KvAccess>(
      services::kv::KvAccess{*kv, *control, clock, loop, *workers});
  v4 = std::make_unique<services::V4Door>(*control, *request_ids);
  buckets = std::make_unique<services::r2::Buckets>(*control, *objects, loop, *workers);
  r2_access = std::make_unique<services::r2::R2Access>(
      services::r2::R2Access{*objects, *buckets, *control});
  queue_access = std::make_unique<services::queues::QueueAccess>(
      services::queues::QueueAccess{*messages, *control, loop, *workers});
  queues = std::make_unique<services::queues::Queues>(*queue_access, clock, *request_ids, log);
  queues->ConfigureAll();
  queue_services = std::make_unique<services::queues::QueueServices>(
      services::queues::QueueServices{*queue_access, *queues});
  courier = std::make_unique<services::r2::EventCourier>(*objects, loop, log,
                                                         SenderOfEvents(*queue_access));
  objects->set_on_event([this] { courier->Poke(); });
  audit_access =
      std::make_unique<services::AuditAccess>(services::AuditAccess{*control, loop, *workers});
  d1_transfers = std::make_unique<services::d1::Transfers>(*databases, disk, clock, log, random,
                                                           loop, *transfers, reserve.get(),
                                                           services::d1::TransfersLimits());
  d1_access = std::make_unique<services::d1::D1Access>(
      services::d1::D1Access{*databases, *control, *d1_transfers, clock, loop, *workers});
  AddApiRoutes(*v4, ApiServices(*control, *audit_access, *kv_access, *r2_access, *queue_services,
                                *d1_access, *analytics_access));
  metrics = std::make_unique<DaemonMetrics>(
      MetricsSources{options.data, clock, loop, *workers, *control, *reserve, requests},
      options.metrics);
  metrics->AddStore("kv", kv->store(), kv->committer());
  metrics->AddStore("r2", objects->index().store(), objects->index().committer());
  metrics->AddStore("queues", messages->store(), messages->committer());
  metrics->AddDatabases(*databases);
  metrics->AddAnalytics(*analytics);
  front = std::make_unique<FrontDoor>(*v4, *metrics, *request_ids);
  s3 = std::make_unique<services::s3::S3Door>(
      services::s3::S3Services{*objects, *buckets, *control, clock},
      services::s3::S3DoorOptions{options.s3_domain, {}}, *request_ids);
  OpenBackups(disk);
  admin =
      std::make_unique<services::AdminDoor>(*control, clock, loop, *workers, CommandsOfDaemon());
  net::ListenOptions at_admin = Watched(admin_watch);
  at_admin.unix_path = directory->Path("admin.sock");
  ARROW_ASSIGN_OR_RAISE(admin_server, net::Server::Listen(loop, *admin, std::move(at_admin)));
  net::ListenOptions at_front = Watched(front_watch);
  at_front.host = options.host;
  at_front.port = options.port;
  at_front.tls = options.tls;
  ARROW_ASSIGN_OR_RAISE(front_server, net::Server::Listen(loop, *front, std::move(at_front)));
  net::ListenOptions at_s3 = Watched(s3_watch);
  at_s3.host = options.s3_host;
  at_s3.port = options.s3_port;
  at_s3.tls = options.tls;
  ARROW_ASSIGN_OR_RAISE(s3_server, net::Server::Listen(loop, *s3, std::move(at_s3)));
  r2_access->s3_address = AddressOf(options.s3_host, s3_server->port());
  v4->set_s3_url(UrlOf(options.tls.has_value(), options.s3_host, s3_server->port()));
  metrics->AddDoor(admin_watch, *admin_server);
  metrics->AddDoor(front_watch, *front_server);
  metrics->AddDoor(s3_watch, *s3_server);
  exporter = MetricsExporter::Make(options.environment, *metrics, loop, clock, random, log);
  ARROW_ASSIGN_OR_RAISE(hangups, net::Hangups::Watch(loop, [this] { Reload(); }));
  return Status::OK();
}

void Daemon::Parts::NoteTold(const Status& told) const {
  if (!told.ok())
    log.Warning("who started this service hears nothing of it", {{"cause", told.ToString()}});
}

void Daemon::Parts::Reload() {
  NoteTold(starter.Reloading());
  Status loaded = front_server->ReloadTls();
  if (loaded.ok()) loaded = s3_server->ReloadTls();
  if (loaded.ok()) {
    log.Info("certificates are read again", {{"tls", options.tls.has_value()}});
  } else {
    log.Error("certificates could not be read again, the old ones stay",
              {{"cause", loaded.ToString()}});
  }
  NoteTold(starter.Ready());
}

net::Task<void> Daemon::Parts::WatchSpace() {
  bool was_full = reserve->is_full();
  while (true) {
    co_await loop.Sleep(kSpaceTick);
    const bool is_full = !reserve->TryRestore();
    if (is_full != was_full) {
      log.Warning(is_full ? "the disk is full: reads and deletes only"
                          : "the disk has room again: writes go on",
                  {});
    }
    was_full = is_full;
  }
}

/// What a killed daemon left of uploads.
void Daemon::Parts::Sweep() {
  const Result<uint64_t> removed = objects->Sweep([this] { return is_stopping.load(); });
  if (!removed.ok()) {
    log.Warning("r2: files of unfinished uploads stay", {{"cause", removed.status().ToString()}});
  } else if (*removed > 0) {
    log.Info("r2: removed files of unfinished uploads",
             {{"files", static_cast<int64_t>(*removed)}});
  }
}

/// What a killed `levada backup` left.
void Daemon::Parts::RemoveSnapshot() {
  const Status removed = RemoveOldSnapshot(disk, directory->path());
  if (!removed.ok()) log.Warning("an old snapshot stays", {{"cause", removed.ToString()}});
}

net::Task<void> Daemon::Parts::WatchLifecycles() {
  co_await loop.Sleep(kLifecycleFirst);
  for (;; co_await loop.Sleep(kLifecycleEvery)) {
    for (const Resource& each : buckets->List(0)) {
      const auto bucket = buckets->Find(each.name);
      if (!bucket.ok() || *bucket == nullptr) continue;
      const auto done = co_await services::r2::RunLifecycle(*objects, (*bucket)->bucket(),
                                                            (*bucket)->settings.lifecycle,
                                                            [this] { return is_stopping.load(); });
      if (!done.ok()) {
        log.Error("r2: the lifecycle of a bucket could not be done",
                  {{"bucket", each.name}, {"cause", done.status().ToString()}});
        continue;
      }
      log.Info("r2: lifecycle", {{"bucket", each.name},
                                 {"objects_expired", static_cast<int64_t>(done->objects_expired)},
                                 {"versions_removed", static_cast<int64_t>(done->versions_removed)},
                                 {"markers_removed", static_cast<int64_t>(done->markers_removed)},
                                 {"objects_moved", static_cast<int64_t>(done->objects_moved)},
                                 {"uploads_aborted", static_cast<int64_t>(done->uploads_aborted)}});
    }
  }
}

net::Task<void> Daemon::Parts::WatchDatabases() {
  while (true) {
    co_await loop.Sleep(kDatabasesTick);
    // Next time, if there is too much to do.
    (void)co_await net::Blocking(loop, *workers, [this] {
      databases->Tend();
      return true;
    });
  }
}

void Daemon::Parts::OpenBackups(os::Disk& disk) {
  const auto is_ending = [this] { return is_stopping.load(); };
  shelf = std::make_unique<R2Shelf>(
      R2ShelfSurroundings{*objects, *buckets, loop, *transfers, disk, is_ending});
  backups = std::make_unique<services::d1::Backups>(
      services::d1::BackupSurroundings{*databases, *control, *shelf, disk, clock, log,
                                       reserve.get(), is_ending},
      options.backups);
  // A thread of its own: a copy takes its time.
  backup_worker = std::make_unique<net::Workers>(1, 1);
  metrics->AddBackups(*backups);
}

net::Task<void> Daemon::Parts::WatchBackups() {
  const auto tick = std::clamp(options.backups.every / 10, std::chrono::seconds(1), kBackupTickMax);
  while (!options.backups.buckets.empty()) {
    co_await loop.Sleep(tick);
    if (is_stopping) co_return;
    (void)co_await net::Blocking(loop, *backup_worker, [this] {
      backups->RunDue();
      return true;
    });
  }
}

net::Task<void> Daemon::Parts::StopAll() {
  is_stopping = true;
  // Both stop at once: what is left of the grace is for both.
  net::Task<void> s3_stop = s3_server->Stop(options.grace);
  s3_stop.Start();
  co_await front_server->Stop(options.grace);
  co_await s3_stop;
  co_await courier->Stop();
  if (exporter != nullptr) co_await exporter->Stop();
  co_await admin_server->Stop(std::chrono::seconds(1));
  while (backups->is_busy()) co_await loop.Sleep(std::chrono::milliseconds(20));
  analytics->StopEngine();  // what still waits for it is answered to nobody
  loop.Stop();
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::Start(DaemonOptions options, os::Disk& disk,
                                              const Clock& clock, Random& random, Logger& log) {
  auto parts = std::make_unique<Parts>(std::move(options), disk, clock, log);
  ARROW_RETURN_NOT_OK(parts->OpenControl(disk, clock, random));
  ARROW_RETURN_NOT_OK(parts->OpenStores(disk, clock, random));
  ARROW_RETURN_NOT_OK(parts->OpenAnalytics(disk, clock, random));
  ARROW_RETURN_NOT_OK(parts->Listen(disk, clock, random));
  ARROW_RETURN_NOT_OK(parts->IssueFirst(clock));
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

std::string Daemon::api_url() const {
  return UrlOf(parts_->options.tls.has_value(), parts_->options.host, parts_->front_server->port());
}

std::string Daemon::s3_url() const {
  return UrlOf(parts_->options.tls.has_value(), parts_->options.s3_host, parts_->s3_server->port());
}

const std::optional<FirstStart>& Daemon::first_start() const { return parts_->first_start; }

void Daemon::Run(const std::stop_token& stop) {
  Parts& parts = *parts_;
  const std::stop_callback on_stop(stop, [&parts] {
    parts.log.Info("stopping", {});
    parts.NoteTold(parts.starter.Stopping());
    parts.loop.Spawn(parts.StopAll());
  });
  parts.loop.Spawn(parts.WatchSpace());
  parts.loop.Spawn(parts.WatchLifecycles());
  parts.courier->Poke();  // what an earlier run left
  parts.loop.Spawn(parts.WatchDatabases());
  parts.loop.Spawn(parts.WatchBackups());
  if (parts.exporter != nullptr) parts.loop.Spawn(parts.exporter->Run());
  // If it is not taken, the next start does it.
  (void)parts.workers->Submit([&parts] { parts.Sweep(); });
  (void)parts.workers->Submit([&parts] { parts.RemoveSnapshot(); });
  parts.NoteTold(parts.starter.Ready());
  parts.loop.Run();
  parts.log.Info("stopped", {});
}

}  // namespace levada::app
