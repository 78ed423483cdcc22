#pragma once
// Backups: copies of databases on a shelf, by a plan and when an operator asks, and databases made
// of them again. A copy is the image of one point, as the history has it; a database that has not
// changed since its newest copy gets no other. What is due follows from the keys on the shelf, so
// that a time which was missed while no daemon ran is made up. Why: docs/decisions/0024.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "os/disk.h"
#include "os/disk_reserve.h"
#include "services/core/admin.h"
#include "services/core/control.h"
#include "services/d1/backup_key.h"
#include "services/d1/backup_shelf.h"
#include "services/d1/databases.h"

namespace levada::services::d1 {

struct BackupPlan {
  /// Each takes the databases of the account that it belongs to. Empty: nothing goes by itself.
  std::vector<std::string> buckets;
  std::vector<std::string> databases;  ///< names and ids; empty: all
  std::chrono::seconds every{86'400};
  size_t keep = 30;  ///< copies of a database
};

/// All outlive who has it.
struct BackupSurroundings {
  Databases& databases;
  Control& control;
  BackupShelf& shelf;
  os::Disk& disk;
  const Clock& clock;
  Logger& log;
  os::DiskReserve* reserve = nullptr;                        ///< may be null
  std::function<bool()> is_stopping = [] { return false; };  ///< of any thread
};

/// Thread-safe; one copy is made or put in place at a time. All but counts() blocks, on no thread
/// of the databases or the shelf.
class Backups final {
 public:
  Backups(const BackupSurroundings& surroundings, BackupPlan plan);

  /// Makes the copies that are due. What fails is logged, and due at the next call.
  void RunDue();

  struct Copied {
    std::string bucket;
    std::string key;
    std::string bookmark;
    int64_t bytes = 0;
    bool is_new = false;  ///< false: nothing has changed since that copy
  };
  /// Now. `bucket` empty: the plan's of its account.
  Result<Copied> BackUp(const Resource& database, const std::string& bucket);

  struct RestoreRequest {
    std::string database;  ///< a name or an id; of one that is gone too
    std::string account;   ///< may be empty
    std::string bucket;    ///< empty: the plan's, if it has one
    std::string from;      ///< a key, or "latest"
  };
  struct PutInPlace {
    Resource database;
    std::string key;
    std::string bookmark;
    std::string previous;  ///< restoring to it undoes it; empty: the database was made
  };
  /// Makes the database what a copy has, as a new point of its history; one that is not there is
  /// made. Nothing happens unless the copy is whole. Errors: kBadValue in words, kStoreDamaged for
  /// a copy that is not what was written.
  Result<PutInPlace> Restore(const RestoreRequest& request);

  struct Counts {
    bool has_plan = false;
    WallMicros last_success = 0;  ///< when all that was due was there; 0: not yet
    uint64_t copies = 0;
    uint64_t failures = 0;
  };
  Counts counts() const;
  /// Something is under way.
  bool is_busy() const { return busy_ > 0; }

 private:
  class Work;
  bool IsPlanned(const Resource& database) const;
  Result<Resource> BucketOf(const std::string& name) const;
  Result<std::string> PlannedBucket(int64_t account) const;
  /// Whether nothing is missing.
  bool RunBuckets();
  Status RunBucket(const std::string& name);
  Status TendDatabase(const Resource& database, const std::string& bucket,
                      const std::vector<std::string>& keys);
  /// Under work_.
  Result<Copied> Copy(const Resource& database, const std::string& bucket,
                      const std::vector<BackupKey>& copies);
  Status MakeCopy(const Resource& database, const std::string& path, Copied& copied);
  Status Prune(const std::string& bucket, const std::vector<BackupKey>& copies);
  Result<std::string> KeyToRestore(const RestoreRequest& request, const std::string& bucket,
                                   const std::optional<Resource>& database) const;
  /// The pages of the copy at `path`, if it is one and whole.
  Result<uint32_t> CheckCopy(const std::string& path, const BackupLabels& labels) const;
  Result<PutInPlace> Place(const std::string& path, const std::string& key, uint32_t page_count,
                           const RestoreRequest& request, std::optional<Resource> database,
                           int64_t account);
  std::string NewPath(const char* what);

  const BackupSurroundings with_;
  const BackupPlan plan_;
  std::mutex work_;                        // held by what works
  std::map<uint64_t, WallMicros> looked_;  // by number, when it was last seen to be unchanged
  std::atomic<uint64_t> files_{0};
  std::atomic<int> busy_{0};
  std::atomic<WallMicros> last_success_{0};
  std::atomic<uint64_t> copies_{0};
  std::atomic<uint64_t> failures_{0};
};

/// d1.backup {account?, database, bucket?} -> {bucket, key, bookmark, bytes, is_new};
/// d1.restore {account?, database, bucket?, from} -> {database_id, name, key, bookmark, previous},
/// where previous is null for a database that was made.
AdminCommands BackupCommands(Backups& backups, const Control& control);

}  // namespace levada::services::d1
