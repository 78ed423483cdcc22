#pragma once
// Databases: all D1 databases of a daemon: which there are is Control's to know, each is a
// directory d1/<number>, and here are the ones that somebody uses. They share one pool of threads.
// Files are open of as few as are used: those that nobody asked for a while are closed, and before
// one too many is opened the idle one whose last request is the longest ago.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "services/core/control.h"
#include "services/d1/database.h"

namespace levada::services::d1 {

struct DatabasesLimits {
  DatabaseLimits database;
  int threads = 8;
  size_t waiting_max = 4096;  ///< jobs of all databases, of which each hands over a few at a time
  size_t open_max = 64;       ///< each has some eight files open
  int64_t idle_ms = 60'000;
};

/// Thread-safe.
class Databases final {
 public:
  /// Removes what deleted databases, and such as were not made to the end, left in `directory`, and
  /// leaves what nobody knows. All outlive it.
  static Result<std::unique_ptr<Databases>> Open(std::string directory, Control& control,
                                                 os::Disk& disk, const Clock& clock, Logger& log,
                                                 os::DiskReserve* reserve,
                                                 const DatabasesLimits& limits);
  /// Cancels what runs, and closes all in order.
  ~Databases();

  /// One that IsReady. Of one that was deleted meanwhile every call fails with kStopped.
  std::shared_ptr<Database> Of(const Resource& resource);
  /// False: it is being made, and there is none yet for anybody.
  static bool IsReady(const Resource& resource);

  // ---- what waits for the disk
  /// nullopt: the name is taken.
  Result<std::optional<Resource>> Create(const Account& account, const std::string& name,
                                         const Actor& actor);
  /// Nobody can find it any more, and then its files go.
  Status Delete(const Resource& resource, const Actor& actor);
  /// Closes what nobody uses and has the rest tended. Every few seconds.
  void Tend();

  struct Counts {
    size_t open = 0;
    size_t waiting = 0;
    uint64_t requests = 0;
    uint64_t refused = 0;
    uint64_t failures = 0;
    net::Workers::Counts workers;
  };
  Counts counts() const;
  /// For uploads and exports, which nobody misses after a restart.
  const std::string& transfers_directory() const { return transfers_; }
  const std::string& directory() const { return directory_; }

 private:
  Databases(std::string directory, Control& control, os::Disk& disk, const Clock& clock,
            Logger& log, os::DiskReserve* reserve, const DatabasesLimits& limits);
  std::string PathOf(uint64_t number) const;
  Status Sweep();
  /// Of one that Control does not know any more.
  void Close(uint64_t number);
  /// And the mark that they are to be removed. What stays is logged.
  void RemoveFiles(uint64_t number);
  std::string MarkOf(uint64_t number) const;
  std::vector<std::shared_ptr<Database>> Known() const;
  /// Those whose files are open, with when they were last used, the longest ago first.
  std::vector<std::pair<SteadyTime, std::shared_ptr<Database>>> OpenOnes() const;
  /// For the files of one more.
  void MakeRoom();

  const std::string directory_;
  const std::string transfers_;
  Control& control_;
  os::Disk& disk_;
  const Clock& clock_;
  Logger& log_;
  os::DiskReserve* const reserve_;
  const DatabasesLimits limits_;
  std::unique_ptr<net::Workers> workers_;
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, std::shared_ptr<Database>> known_;
  Counts gone_;  ///< of those that were deleted
};

/// 8-4-4-4-12 hex digits.
bool IsDatabaseId(std::string_view text);
/// 1 to 64 letters, digits, '-' and '_', the first no sign. One that is an id would be another
/// database's to a token of that id.
bool IsDatabaseName(std::string_view name);

}  // namespace levada::services::d1
