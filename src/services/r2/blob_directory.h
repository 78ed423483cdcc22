#pragma once
// BlobDirectory: where the files of blobs are: DATA/objects/xx/<stamp>, xx being two digits of its
// random half. Blocking; thread-safe.

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "base/log.h"
#include "os/disk.h"
#include "os/disk_reserve.h"
#include "services/r2/blob_file.h"

namespace levada::services::r2 {

class BlobDirectory final {
 public:
  /// Makes `path` when absent. `reserve` may be null: a write that finds the disk full lets go of
  /// it, and all writes fail with kDiskFull until it is kept again. Both outlive it.
  static Result<std::unique_ptr<BlobDirectory>> Open(os::Disk& disk, std::string path,
                                                     os::DiskReserve* reserve = nullptr);

  std::string PathOf(const Stamp& blob) const;
  /// Whether so many bytes fit on the disk, as far as is known.
  bool HasRoomFor(uint64_t bytes) const {
    return reserve_ == nullptr || reserve_->HasRoomFor(bytes);
  }
  Result<std::unique_ptr<BlobWriter>> Create(const Stamp& blob,
                                             const std::optional<CustomerKey>& key) const;
  /// As BlobWriter::Append.
  Status Append(BlobWriter& writer, std::string_view bytes) const;
  /// Ends a blob: durable when OK, its name in the directory too.
  Status Finish(const Stamp& blob, BlobWriter& writer) const;
  Result<std::unique_ptr<BlobReader>> Open(const Segment& segment,
                                           const std::optional<CustomerKey>& key) const;
  /// As BlobReader::Check.
  Status Check(const Segment& segment, const std::function<bool()>& is_stopping = {}) const;
  /// While somebody holds removals, the file goes when that has ended, or with the next start.
  Status Remove(const Stamp& blob) const;

  /// While it lives, every file stays. The directory outlives it.
  class [[nodiscard]] Hold final {
   public:
    explicit Hold(const BlobDirectory& directory);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    const BlobDirectory& directory_;
  };
  /// Gives every file there is a second name below `path`, which must not exist, in a directory of
  /// the same file system: those that are begun and not finished too.
  Status LinkAll(const std::string& path) const;

  /// Every blob that has a file, those that are begun and not finished too; other files are passed
  /// over. What `visit` fails with.
  Status Walk(const std::function<Status(const Stamp&)>& visit) const;
  /// Removes the files of blobs with a sequence below `before` that `is_named` denies: what a
  /// killed process left. One whose record cannot be read stays. Other files are not touched. How
  /// many it removed.
  Result<uint64_t> Sweep(uint64_t before, const std::function<Result<bool>(const Stamp&)>& is_named,
                         const std::function<bool()>& is_stopping) const;

 private:
  BlobDirectory(os::Disk& disk, std::string path, os::DiskReserve* reserve)
      : disk_(disk), path_(std::move(path)), reserve_(reserve) {}
  /// kDiskFull while it is.
  Status CheckRoom() const;
  /// `status`; the reserve goes if it is for want of room.
  Status Noted(Status status) const;
  std::string FolderOf(const Stamp& blob) const;

  os::Disk& disk_;
  const std::string path_;
  mutable std::mutex held_mutex_;  // guards what follows
  mutable int holds_ = 0;
  mutable std::vector<Stamp> held_;  // to be removed when nobody holds them any more
  os::DiskReserve* const reserve_;
  mutable std::array<std::atomic<bool>, 256>
      durable_folders_{};  // those with a name synced in path_
};

}  // namespace levada::services::r2
