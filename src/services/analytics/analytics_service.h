#pragma once
// AnalyticsService: what of the Analytics Engine lives as long as the daemon: the write-ahead log,
// the engine in its child process or elsewhere, and the flusher between them. Points are taken and
// kept, whether there is an engine or not; only queries need one.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "os/disk.h"
#include "os/disk_reserve.h"
#include "services/analytics/clickhouse_server.h"
#include "services/analytics/engine.h"
#include "services/analytics/flusher.h"
#include "services/analytics/write_ahead.h"
#include "services/core/control.h"

namespace levada::services::analytics {

struct AnalyticsOptions {
  std::string directory;  ///< of the service: the log and the engine's data are below it
  std::string program;    ///< levada itself, which becomes the engine's child
  std::string library;    ///< libchdb
  int readers = 4;        ///< queries at once
  /// A server as the engine, instead of the library; its `owner` and `tls` are set here.
  std::optional<ClickhouseOptions> server = std::nullopt;
  WriteAheadOptions log = {};
  FlusherOptions flusher = {};
};

/// Where libchdb is: `configured` if it says anything, else what LEVADA_LIBCHDB names, else beside
/// the program, in its lib directory, or where deps/install puts it for a build tree. The first of
/// these when it is in none.
std::string FindLibrary(os::Disk& disk, const std::string& configured, const std::string& variable,
                        const std::string& program);

/// Thread-safe.
class AnalyticsService final {
 public:
  /// Starts no engine yet. All outlive it; `reserve` may be null. kSourceUnsupported when a server
  /// is to be the engine and is of no use; one that does not answer may do so later.
  static Result<std::unique_ptr<AnalyticsService>> Open(AnalyticsOptions options, os::Disk& disk,
                                                        const Clock& clock, Random& random,
                                                        const Control& control, Logger& log,
                                                        os::DiskReserve* reserve);
  ~AnalyticsService();

  WriteAhead& log() { return *log_; }
  Engine& engine() { return *engine_; }
  /// Ends the engine; whoever waits for it is told. Points are still taken. Before the threads that
  /// ask it are joined.
  void StopEngine();

  struct Counts {
    WriteAheadCounts log;
    EngineCounts engine;
    FlusherCounts flusher;
  };
  Counts counts() const;

 private:
  AnalyticsService() = default;
  std::unique_ptr<WriteAhead> log_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<SegmentFlush> flush_;
  std::unique_ptr<Flusher> flusher_;
};

}  // namespace levada::services::analytics
