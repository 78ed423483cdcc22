#include "services/analytics/analytics_service.h"

#include <utility>

#include "services/analytics/engine_child.h"
#include "services/analytics/engine_process.h"

namespace levada::services::analytics {
namespace {

constexpr int64_t kOwnerBytesMax = 64;

/// Of this data directory, made when it is first asked for.
Result<std::string> OwnerOf(os::Disk& disk, const std::string& directory, Random& random) {
  const std::string path = OwnerFileOf(directory);
  ARROW_ASSIGN_OR_RAISE(const auto known, os::ReadFile(disk, path, kOwnerBytesMax));
  if (known && !known->empty()) return *known;
  const std::string made = NewId(random);
  ARROW_RETURN_NOT_OK(os::WriteFileDurably(disk, path, made));
  return made;
}

Result<std::unique_ptr<Engine>> ServerOf(AnalyticsOptions& options, os::Disk& disk,
                                         const Clock& clock, Random& random, Logger& log) {
  ClickhouseOptions with = *std::move(options.server);
  ARROW_ASSIGN_OR_RAISE(with.owner, OwnerOf(disk, options.directory, random));
  if (with.address.server.is_secure) {
    ARROW_ASSIGN_OR_RAISE(with.tls, net::ClientTls::Load(""));
  }
  auto server = std::make_unique<ClickhouseServer>(std::move(with), clock, log);
  const Status checked = server->Check();
  if (CodeOf(checked) == FaultCode::kSourceUnsupported) return checked;
  if (!checked.ok()) {
    log.Warning("analytics: points are kept and queries not answered until the engine is there",
                {{"cause", checked.ToString()}});
  }
  return server;
}

std::unique_ptr<Engine> ChildOf(const AnalyticsOptions& options, const std::string& directory,
                                const Clock& clock, Logger& log) {
  EngineChildOptions child;
  child.arguments =
      ArgumentsOf({.library = options.library, .directory = directory, .readers = options.readers});
  child.arguments.insert(child.arguments.begin(), options.program);
  return std::make_unique<EngineChild>(std::move(child), clock, log);
}

}  // namespace

std::string FindLibrary(os::Disk& disk, const std::string& configured, const std::string& variable,
                        const std::string& program) {
  if (!configured.empty()) return configured;
  if (!variable.empty()) return variable;
  const std::string beside = os::ParentPath(program);
  const std::string first = os::JoinPath(beside, "libchdb.so");
  for (const std::string& path :
       {first, os::JoinPath(beside, "../lib/levada/libchdb.so"),
        os::JoinPath(beside, "../../node/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so")}) {
    const auto found = disk.Stat(path);
    if (found.ok() && *found) return path;
  }
  return first;
}

Result<std::unique_ptr<AnalyticsService>> AnalyticsService::Open(
    AnalyticsOptions options, os::Disk& disk, const Clock& clock, Random& random,
    const Control& control, Logger& log, os::DiskReserve* reserve) {
  std::unique_ptr<AnalyticsService> made(new AnalyticsService());
  const std::string engine = os::JoinPath(options.directory, "engine");
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(engine));
  ARROW_ASSIGN_OR_RAISE(made->log_, WriteAhead::Open(disk, LogOf(options.directory), options.log,
                                                     clock, random, log, reserve));
  if (options.server) {
    ARROW_ASSIGN_OR_RAISE(made->engine_, ServerOf(options, disk, clock, random, log));
  } else {
    made->engine_ = ChildOf(options, engine, clock, log);
  }
  made->flush_ = std::make_unique<SegmentFlush>(
      *made->log_, *made->engine_, [&control](uint64_t dataset) -> std::optional<std::string> {
        const std::optional<Resource> found = control.FindResourceByNumber(dataset);
        if (!found || found->kind != ResourceKind::kDataset) return std::nullopt;
        return found->name;
      });
  made->flusher_ = std::make_unique<Flusher>(*made->log_, *made->flush_, options.flusher, log);
  return made;
}

AnalyticsService::~AnalyticsService() {
  if (flusher_ != nullptr) StopEngine();
}

void AnalyticsService::StopEngine() {
  flusher_->RequestStop();
  engine_->Stop();  // what the flusher waits for is in doubt, and asked again at the next start
}

AnalyticsService::Counts AnalyticsService::counts() const {
  return {log_->counts(), engine_->counts(), flush_->counts()};
}

}  // namespace levada::services::analytics
