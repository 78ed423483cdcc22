// The binding door alone, for a workerd that a test starts: one KV namespace, one bucket, one
// queue, one database and one dataset in the directory given, on a Unix socket in it. It prints
// what the grants are, and serves until its standard input ends. The directory may be one of an
// earlier run, killed or not.
//
//     binding_server DIRECTORY  ->  {"socket": "...", "kv": "<grant>", "r2": "<grant>", "r2_read":
//     "<grant>", "queue": "<grant>", "queue_read": "<grant>", "d1": "<grant>", "d1_read":
//     "<grant>", "ae": "<grant>", "ae_read": "<grant>", "table": "..."}
//
// A line of its standard input is a statement for the engine (LEVADA_LIBCHDB, in a child of
// LEVADA_BINARY); its answer, or what went wrong, is a line of JSON.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "net/server.h"
#include "os/disk.h"
#include "services/analytics/analytics_binding.h"
#include "services/analytics/analytics_service.h"
#include "services/core/grants.h"
#include "services/core/master_key.h"
#include "services/d1/d1_binding.h"
#include "services/d1/transfers.h"
#include "services/kv/kv_binding.h"
#include "services/kv/kv_store.h"
#include "services/queues/queue_binding.h"
#include "services/queues/queues.h"
#include "services/r2/r2_binding.h"

namespace levada::services {
namespace {

template <typename T>
T Need(Result<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  std::exit(1);
}

/// The one of an earlier run, if there was one: a name of a bucket is taken once.
Account AccountOf(Control& control) {
  const std::vector<Account> known = control.Accounts();
  return known.empty() ? Need(control.CreateAccount("test", {"test", ""})) : known.front();
}

/// Everything that the door stands on.
struct Server {
  explicit Server(const std::string& path)
      : control(
            Need(Control::Open(path + "/control.db", MasterKey::Of("test key"), *clock, *random))),
        kv(Need(kv::KvStore::Open(path + "/kv", {}, *clock, *log))),
        objects(Need(r2::ObjectStore::Open(
            path + "/objects", {},
            {*disk, *clock, *random, loop, workers, workers, *log, nullptr}))),
        messages(Need(queues::QueueStore::Open(path + "/queues", {}, *clock, *random, *log))),
        databases(
            Need(d1::Databases::Open(path + "/d1", *control, *disk, *clock, *log, nullptr, {}))),
        transfers(*databases, *disk, *clock, *log, *random, loop, workers, nullptr, {}),
        analytics(Need(analytics::AnalyticsService::Open(
            {path + "/analytics", Variable("LEVADA_BINARY"), Variable("LEVADA_LIBCHDB")}, *disk,
            *clock, *random, *control, *log, nullptr))),
        account(AccountOf(*control)),
        kv_access{*kv, *control, *clock, loop, workers},
        buckets(*control, *objects, loop, workers),
        r2_access{*objects, buckets, *control},
        queue_access{*messages, *control, loop, workers},
        queues(queue_access, *clock, *random, *log),
        d1_access{*databases, *control, transfers, *clock, loop, workers},
        ae_access{analytics->log(), analytics->engine(), *control, *clock, loop, workers, workers},
        grants(*random),
        door(grants) {
    door.Add(ResourceKind::kNamespace, [this](net::Request& request, const Grant& grant) {
      return kv::ServeBinding(kv_access, request, grant);
    });
    door.Add(ResourceKind::kBucket, [this](net::Request& request, const Grant& grant) {
      return r2::ServeBinding(r2_access, request, grant);
    });
    door.Add(ResourceKind::kQueue, [this](net::Request& request, const Grant& grant) {
      return queues::ServeBinding(queue_access, request, grant);
    });
    door.Add(ResourceKind::kDatabase, [this](net::Request& request, const Grant& grant) {
      return d1::ServeBinding(d1_access, request, grant);
    });
    door.Add(ResourceKind::kDataset, [this](net::Request& request, const Grant& grant) {
      return analytics::ServeBinding(ae_access, request, grant);
    });
  }

  static std::string Variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  }

  std::string Table() {
    const auto dataset = control->FindResourceByName(account.row, ResourceKind::kDataset, "points");
    return "analytics.d" + std::to_string(dataset->number);
  }

  std::string Allow(ResourceKind kind, const std::string& name, Action action) {
    auto resource = control->FindResourceByName(account.row, kind, name);
    if (!resource && kind == ResourceKind::kDatabase) {
      resource = *Need(databases->Create(account, name, {"test", ""}));
    } else if (!resource) {
      resource = *Need(control->CreateResource(account, kind, name, "", {"test", ""}));
    }
    return grants.Issue({account.row, kind, resource->number, action, "test"});
  }

  const std::unique_ptr<Clock> clock = MakeSystemClock();
  const std::unique_ptr<Random> random = MakeSystemRandom();
  const std::unique_ptr<Logger> log = MakeNullLogger();
  const std::unique_ptr<os::Disk> disk = os::MakeSystemDisk();
  net::Loop loop;
  std::unique_ptr<Control> control;
  std::unique_ptr<kv::KvStore> kv;
  net::Workers workers{4, 4096};
  std::unique_ptr<r2::ObjectStore> objects;
  std::unique_ptr<queues::QueueStore> messages;
  std::unique_ptr<d1::Databases> databases;
  d1::Transfers transfers;
  std::unique_ptr<analytics::AnalyticsService> analytics;
  Account account;
  kv::KvAccess kv_access;
  r2::Buckets buckets;
  r2::R2Access r2_access;
  queues::QueueAccess queue_access;
  queues::Queues queues;
  d1::D1Access d1_access;
  analytics::AnalyticsAccess ae_access;
  Grants grants;
  BindingDoor door;
};

int Run(const std::string& path) {
  Server server(path);
  net::ListenOptions listen;
  listen.unix_path = path + "/bind.sock";
  const auto listener = Need(net::Server::Listen(server.loop, server.door, listen));
  const Json ready{{"socket", listen.unix_path},
                   {"kv", server.Allow(ResourceKind::kNamespace, "space", Action::kWrite)},
                   {"r2", server.Allow(ResourceKind::kBucket, "bucket", Action::kWrite)},
                   {"r2_read", server.Allow(ResourceKind::kBucket, "bucket", Action::kRead)},
                   {"queue", server.Allow(ResourceKind::kQueue, "queue", Action::kWrite)},
                   {"queue_read", server.Allow(ResourceKind::kQueue, "queue", Action::kRead)},
                   {"d1", server.Allow(ResourceKind::kDatabase, "database", Action::kWrite)},
                   {"d1_read", server.Allow(ResourceKind::kDatabase, "database", Action::kRead)},
                   {"ae", server.Allow(ResourceKind::kDataset, "points", Action::kWrite)},
                   {"ae_read", server.Allow(ResourceKind::kDataset, "points", Action::kRead)},
                   {"table", server.Table()}};
  server.queues.ConfigureAll();
  std::printf("%s\n", Dump(ready).c_str());
  std::fflush(stdout);
  std::thread input([&server] {
    std::string sql;
    while (std::getline(std::cin, sql)) {
      const auto answer = server.analytics->engine().Run({analytics::StatementKind::kQuery, sql});
      const Json said =
          answer.ok() ? Json{{"answer", *answer}} : Json{{"error", answer.status().ToString()}};
      std::printf("%s\n", Dump(said).c_str());
      std::fflush(stdout);
    }
    server.loop.Stop();
  });
  server.loop.Run();
  input.join();
  return 0;
}

}  // namespace
}  // namespace levada::services

int main(int count, char** arguments) {
  if (count != 2) return 2;
  return levada::services::Run(arguments[1]);
}
