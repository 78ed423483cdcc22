#pragma once
// ObjectIndex: the records of R2 in RocksDB: which objects, versions, uploads and parts there are.
// It knows keys and records and nothing of files; object_store.h decides what is written.
// Thread-safe. What is not named "Cached" may block on the disk.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "base/log.h"
#include "db/rocksdb/committer.h"
#include "db/rocksdb/store.h"
#include "os/disk_reserve.h"
#include "services/r2/object_record.h"

namespace levada::services::r2 {

class BlobDirectory;

// Indices of the families, see object_record.h.
enum Family : db::rocks::FamilyIndex {
  kObjects,
  kVersions,
  kInline,
  kUploads,
  kParts,
  kBlobs,
  kEvents,
};

/// Of the index, in the order of Family.
std::vector<db::rocks::Family> IndexFamilies();

/// An object and, when it is small, its bytes (as stored: encrypted with a client's key).
struct FoundObject {
  ObjectRecord record;
  std::string inline_bytes;
};

/// What a write of a key has to know: of one moment.
struct KeyState {
  std::optional<ObjectRecord> current;
  /// The newest two of the others, be they delete markers.
  std::optional<ObjectRecord> newest_other;
  std::optional<ObjectRecord> second_other;
  /// The null version, when it is among the others.
  std::optional<ObjectRecord> null_other;
};

struct ListRequest {
  std::string prefix;
  std::string delimiter;
  /// Keys and prefixes behind it; one inside a common prefix is behind all of that.
  std::string after;
  /// Of the key `after` too, what comes behind this version or upload.
  std::optional<Stamp> after_version;
  size_t limit = 1000;
};

struct ListedObject {
  std::string key;
  ObjectRecord record;
  bool is_latest = true;
};

struct ListPage {
  std::vector<ListedObject> objects;
  std::vector<std::string> prefixes;  ///< common ones, up to and with the delimiter
  /// Where the next page begins behind: the last key or prefix given. "" at the end.
  std::string next;
  std::optional<Stamp> next_version;
};

struct ListedUpload {
  std::string key;
  UploadRecord record;
};

struct UploadPage {
  std::vector<ListedUpload> uploads;
  std::vector<std::string> prefixes;
  std::string next;
  std::optional<Stamp> next_upload;
};

/// Messages for one queue, the oldest first.
struct WaitingEvents {
  uint64_t queue = 0;
  std::vector<std::string> keys;  ///< of the store
  std::vector<std::string> messages;
};

/// Of the current versions of a bucket.
struct BucketMeasure {
  uint64_t objects = 0;
  uint64_t bytes = 0;
};

class ObjectIndex final {
 public:
  /// All outlive it; `reserve` may be null. Errors: those of OpenServiceStore.
  static Result<std::unique_ptr<ObjectIndex>> Open(const std::string& path, const Clock& clock,
                                                   Logger& log, os::DiskReserve* reserve,
                                                   db::rocks::StoreOptions options = {});

  /// As r2::KeepFiles, before anything is submitted.
  Status KeepFiles(const BlobDirectory& blobs);

  /// The current version; nullopt when there is none.
  Result<std::optional<FoundObject>> Find(uint64_t bucket, std::string_view key) const;
  struct Cached {
    bool known = false;
    std::optional<FoundObject> object;
  };
  Result<Cached> FindCached(uint64_t bucket, std::string_view key) const;
  /// `version` nullopt: the null version. Delete markers are found too.
  Result<std::optional<FoundObject>> FindVersion(uint64_t bucket, std::string_view key,
                                                 std::optional<Stamp> version) const;
  /// How much of it is looked for: each costs more than the one before.
  enum class Depth : uint8_t { kCurrent, kNewest, kNull };
  Result<KeyState> StateOf(uint64_t bucket, std::string_view key, Depth depth) const;

  /// In byte order of the keys.
  Result<ListPage> List(uint64_t bucket, const ListRequest& request) const;
  /// All versions, of a key the newest first, delete markers included.
  Result<ListPage> ListVersions(uint64_t bucket, const ListRequest& request) const;
  /// By key, then by begin.
  Result<UploadPage> ListUploads(uint64_t bucket, const ListRequest& request) const;
  /// What is there of the bucket: kOnlyVersions are old ones and delete markers.
  enum class Content : uint8_t { kNothing, kOnlyVersions, kObjects };
  Result<Content> ContentOf(uint64_t bucket) const;
  /// Reads every record: a second for some hundred thousand.
  Result<BucketMeasure> Measure(uint64_t bucket) const;

  Result<std::optional<UploadRecord>> FindUpload(uint64_t bucket, std::string_view key,
                                                 const Stamp& upload) const;
  /// In the order of their numbers, behind `after`, at most `limit`.
  Result<std::vector<PartRecord>> Parts(const Stamp& upload, int after, size_t limit) const;
  Result<std::optional<PartRecord>> FindPart(const Stamp& upload, int number) const;
  /// Whether a record names the file.
  Result<bool> IsNamed(const Stamp& blob) const;

  /// Of the first queue with a number of `queue` or above that has any: at most `count`, and no
  /// further one behind `bytes`. None: no such queue has any.
  Result<WaitingEvents> Events(uint64_t queue, size_t count, size_t bytes) const;

  /// In the order of submission; false when too much waits. `done` on the committer's thread.
  [[nodiscard]] bool Submit(db::rocks::Batch batch, db::rocks::Committer::Done done) {
    return committer_->Submit(std::move(batch), std::move(done));
  }

  const db::rocks::Store& store() const { return *store_; }
  const db::rocks::Committer& committer() const { return *committer_; }

 private:
  ObjectIndex() = default;
  std::unique_ptr<db::rocks::Store> store_;
  std::unique_ptr<db::rocks::Committer> committer_;
};

/// kStoreDamaged that names the object.
Status DamagedRecord(uint64_t bucket, std::string_view key);

}  // namespace levada::services::r2
