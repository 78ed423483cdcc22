#pragma once
// R2Shelf: copies of D1 databases as objects of R2: the two services know nothing of each other.

#include <cstdint>
#include <functional>
#include <future>
#include <memory>

#include "net/loop.h"
#include "os/disk.h"
#include "services/d1/backup_shelf.h"
#include "services/r2/buckets.h"
#include "services/r2/object_store.h"

namespace levada::app {

/// All outlive it; of `loop` what Spawn has begun outlives nothing of them.
struct R2ShelfSurroundings {
  services::r2::ObjectStore& store;
  services::r2::Buckets& buckets;
  net::Loop& loop;  ///< runs, on another thread than who calls
  net::Workers& workers;
  os::Disk& disk;
  std::function<bool()> is_stopping = [] { return false; };  ///< of any thread
};

class R2Shelf final : public services::d1::BackupShelf {
 public:
  /// What is larger than `part_bytes` is uploaded in parts: a single put has a limit.
  explicit R2Shelf(const R2ShelfSurroundings& surroundings, uint64_t part_bytes = uint64_t{1} << 30)
      : with_(surroundings), part_bytes_(part_bytes) {}

  Result<std::vector<std::string>> List(const std::string& bucket,
                                        const std::string& prefix) override;
  Status Put(const std::string& bucket, const std::string& key,
             const services::d1::BackupLabels& labels, const std::string& path,
             const std::string& sha256) override;
  Result<services::d1::BackupLabels> Fetch(const std::string& bucket, const std::string& key,
                                           const std::string& path) override;
  Status Remove(const std::string& bucket, const std::string& key) override;

 private:
  using Labels = services::d1::BackupLabels;
  struct Upload;
  Result<services::r2::Bucket> BucketOf(const std::string& name) const;
  net::Task<Result<std::vector<std::string>>> ListTask(std::string bucket, std::string prefix);
  net::Task<Result<bool>> PutTask(std::shared_ptr<const Upload> upload);
  net::Task<Result<bool>> PutParts(std::shared_ptr<const Upload> upload,
                                   services::r2::Bucket bucket);
  net::Task<Result<bool>> AbortOthers(std::string prefix, services::r2::Bucket bucket);
  net::Task<Result<Labels>> FetchTask(std::string bucket, std::string key, std::string path);
  net::Task<Result<bool>> RemoveTask(std::string bucket, std::string key);
  /// Runs `task` on the loop, and waits for it.
  template <typename T>
  Result<T> Wait(net::Task<Result<T>> task);

  const R2ShelfSurroundings with_;
  const uint64_t part_bytes_;
};

}  // namespace levada::app
