#include "services/core/service_store.h"

#include <string>
#include <utility>

namespace levada::services {

using db::rocks::Committer;
using db::rocks::CommitterOptions;
using db::rocks::Store;
using db::rocks::StoreOptions;

Result<std::unique_ptr<Store>> OpenServiceStore(StoreOptions options, Logger& log) {
  options.on_damage = [&log, path = options.path](const std::string& what) {
    log.Error(
        "a store has damage that its compaction came upon; all else is served: see levada fsck",
        {{"path", path}, {"cause", what}});
  };
  ARROW_ASSIGN_OR_RAISE(auto store, Store::OpenOrStayClosed(std::move(options)));
  const Status closed = store->closed_because();
  if (!closed.ok()) {
    log.Error("a store is damaged and stays closed, the others are served: see levada fsck",
              {{"path", store->path()}, {"cause", FaultOf(closed).message()}});
  }
  return store;
}

std::unique_ptr<Committer> MakeServiceCommitter(Store& store, const Clock& clock, Logger& log,
                                                os::DiskReserve* reserve,
                                                CommitterOptions options) {
  options.clock = &clock;
  // Before the store is opened again: it needs room for that.
  options.on_failure = [reserve](const Status& failure) {
    if (reserve != nullptr) reserve->ReleaseIfFull(failure);
  };
  return std::make_unique<Committer>(store, std::move(options), log);
}

}  // namespace levada::services
