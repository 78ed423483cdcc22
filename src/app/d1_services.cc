#include "app/d1_services.h"

#include <sys/stat.h>

#include <memory>
#include <utility>

#include "app/r2_shelf.h"
#include "app/serve_settings.h"
#include "net/loop.h"
#include "services/d1/backups.h"
#include "services/d1/d1_admin.h"
#include "services/d1/databases.h"
#include "services/r2/buckets.h"
#include "services/r2/object_store.h"

namespace levada::app {
namespace {

using services::Control;
using services::DataDirectory;

constexpr int kThreads = 4;
constexpr size_t kWaitingMax = 4096;

/// In the order of opening; the members go in reverse.
struct Opened {
  std::unique_ptr<services::d1::Databases> databases;
  // Of R2, where it is wanted. The loop outlives who comes back to it.
  net::Loop loop;
  std::unique_ptr<net::Workers> workers;
  std::unique_ptr<services::r2::ObjectStore> objects;
  std::unique_ptr<services::r2::Buckets> buckets;
  std::unique_ptr<R2Shelf> shelf;
  std::unique_ptr<services::d1::Backups> backups;
  std::unique_ptr<net::Workers> runner;  ///< of the loop

  Opened() = default;
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() {
    if (runner == nullptr) return;
    loop.Stop();
    runner.reset();
    workers.reset();  // what was taken has ended before the store goes
  }

  Status OpenBackups(Session& session, const DataDirectory& directory, Control& control) {
    ARROW_ASSIGN_OR_RAISE(const ServeSettings settings,
                          ReadServeSettings(session.line(), session.disk(), session.environment()));
    Logger& log = *session.context().log;
    workers = std::make_unique<net::Workers>(kThreads, kWaitingMax);
    ARROW_ASSIGN_OR_RAISE(objects, services::r2::ObjectStore::Open(
                                       directory.Path("objects"), services::r2::R2Limits{},
                                       {session.disk(), session.clock(), session.random(), loop,
                                        *workers, *workers, log, nullptr}));
    buckets = std::make_unique<services::r2::Buckets>(control, *objects, loop, *workers);
    const auto is_stopping = [&session] { return session.stopped(); };
    shelf = std::make_unique<R2Shelf>(
        R2ShelfSurroundings{*objects, *buckets, loop, *workers, session.disk(), is_stopping});
    backups = std::make_unique<services::d1::Backups>(
        services::d1::BackupSurroundings{*databases, control, *shelf, session.disk(),
                                         session.clock(), log, nullptr, is_stopping},
        settings.daemon.backups);
    runner = std::make_unique<net::Workers>(1, 1);
    if (runner->Submit([this] { loop.Run(); })) return Status::OK();
    return Fault(FaultCode::kInternal, "the loop does not run");
  }
};

}  // namespace

OpenServices D1Services(Session& session, bool has_backups) {
  return [&session, has_backups](const DataDirectory& directory,
                                 Control& control) -> Result<LocalServices> {
    // What is made is for its owner alone, as the daemon has it.
    umask(S_IRWXG | S_IRWXO);
    Logger& log = *session.context().log;
    auto opened = std::make_shared<Opened>();
    ARROW_ASSIGN_OR_RAISE(opened->databases, services::d1::Databases::Open(
                                                 directory.Path("d1"), control, session.disk(),
                                                 session.clock(), log, nullptr, {}));
    services::AdminCommands commands = services::d1::D1AdminCommands(
        {*opened->databases, control, session.disk(), session.clock(), log});
    if (has_backups) {
      ARROW_RETURN_NOT_OK(opened->OpenBackups(session, directory, control));
      commands.merge(services::d1::BackupCommands(*opened->backups, control));
    }
    return LocalServices{std::move(opened), std::move(commands)};
  };
}

}  // namespace levada::app
