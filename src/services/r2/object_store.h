#pragma once
// ObjectStore: the R2 service's state, without HTTP: what its three doors share. Buckets of objects
// with versions, and multipart uploads. Every write is durable when it returns and seen by every
// read after it.
//
// How it is kept: the bytes of a larger object are in files (blob_file.h) that are durable before
// the record that names them is committed; that commit is the only moment at which anything becomes
// true. A write of a key holds the key's lock from reading what is there to its commit, so that
// conditions are decided by what is replaced. What no record names any more goes when its last
// reader has ended. Layout: docs/wire/r2.md.
//
// On the loop, apart from what says otherwise. Errors of all: R2Error, or a fault of the store.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "net/loop.h"
#include "os/disk_reserve.h"
#include "services/core/key_locks.h"
#include "services/core/on_thread.h"
#include "services/r2/blob_directory.h"
#include "services/r2/blob_uses.h"
#include "services/r2/conditions.h"
#include "services/r2/notifications.h"
#include "services/r2/object_index.h"
#include "services/r2/object_reader.h"
#include "services/r2/object_receiver.h"

namespace levada::services::r2 {

/// Of the format: enforced. Tests make them small.
struct R2Limits {
  size_t key_bytes_max = 1024;
  size_t metadata_bytes_max = 8192;  ///< of custom metadata, names and values
  uint64_t object_bytes_max = uint64_t{5} << 40;
  uint64_t upload_bytes_max = uint64_t{5} << 30;  ///< of a single put, and of a part
  uint64_t part_bytes_min = uint64_t{5} << 20;    ///< of all but the last
  int parts_max = 10'000;
  size_t list_max = 1000;
  size_t delete_max = 1000;
  /// Uploads and downloads of larger objects at once: each holds about a megabyte and a file.
  int transfers_max = 512;
  size_t inline_bytes_max = 64 * 1024;  ///< larger ones get a file
};

enum class Versioning : uint8_t { kOff, kEnabled, kSuspended };

/// A bucket as a request finds it. What decides is whether it keeps versions when the write is
/// committed, see SetVersioning.
struct Bucket {
  uint64_t number = 0;
  Versioning versioning = Versioning::kOff;
};

/// Which version of a key a request means.
struct VersionChoice {
  enum class Kind : uint8_t { kCurrent, kNull, kStamp };
  Kind kind = Kind::kCurrent;
  Stamp stamp;

  /// "null", or the text of a stamp; nullopt for what is no version at all.
  static std::optional<VersionChoice> Parse(std::string_view text);
  friend bool operator==(const VersionChoice&, const VersionChoice&) = default;
};

struct PutOptions {
  ObjectAttributes attributes;
  Conditions conditions;
  std::optional<CustomerKey> key;
  std::optional<CopiedFrom> copied_from = {};  ///< for event notifications
};

struct DeleteTarget {
  std::string key;
  VersionChoice version = {};
  Conditions conditions = {};
  /// Only while this is the current version; else nothing is done.
  std::optional<Stamp> if_version = {};
  bool is_by_lifecycle = false;  ///< for event notifications
};

struct Deleted {
  bool was_there = false;
  bool is_delete_marker = false;        ///< one was made, or the version that went was one
  std::optional<ObjectRecord> version;  ///< the marker made, or the version that went
  Status refused;                       ///< of this key alone
};

struct UploadOptions {
  ObjectAttributes attributes;
  std::optional<checksums::Algorithm> algorithm;
  checksums::ChecksumType checksum_type = checksums::ChecksumType::kComposite;
  std::optional<CustomerKey> key;
};

struct CompletedPart {
  int number = 0;
  std::string etag;                       ///< without quotes
  std::vector<StoredChecksum> checksums;  ///< as the client says them; must be the part's
};

struct CompleteOptions {
  std::vector<CompletedPart> parts;
  Conditions conditions;
  std::optional<StoredChecksum> expected;  ///< of the whole
  std::optional<uint64_t> bytes;           ///< of the whole
};

class ObjectStore final {
 public:
  struct Environment {
    os::Disk& disk;
    const Clock& clock;
    Random& random;
    net::Loop& loop;
    net::Workers& workers;    ///< for what is short: records
    net::Workers& transfers;  ///< for the bytes of objects, so that nobody waits behind them
    Logger& log;
    os::DiskReserve* reserve = nullptr;
  };

  /// Opens or makes `directory` ("index", "blobs" in it). Blocks. Everything outlives it.
  static Result<std::unique_ptr<ObjectStore>> Open(const std::string& directory, R2Limits limits,
                                                   Environment environment,
                                                   db::rocks::StoreOptions options = {});
  ~ObjectStore();

  const R2Limits& limits() const { return limits_; }
  const ObjectIndex& index() const { return *index_; }
  const BlobDirectory& blobs() const { return *blobs_; }
  int64_t NowMs() const { return environment_.clock.Now() / 1000; }
  /// 32 hex digits that no other has.
  std::string NewId() { return NextStamp().Text(); }

  // ---- objects
  /// Busy when as many transfers are under way as there may be, of an object that is not inline;
  /// kNoSuchKey, kNoSuchVersion, kIsDeleteMarker (of a version that is one).
  net::Task<Result<OpenedObject>> OpenObject(Bucket bucket, std::string key, VersionChoice version);
  /// The newest version of a key without a current one, if it is a delete marker.
  net::Task<Result<std::optional<ObjectRecord>>> FindMarker(Bucket bucket, std::string key);
  /// The bytes of `object`. `key` when it is encrypted with one.
  std::unique_ptr<ObjectReader> Read(OpenedObject object, ByteRange range,
                                     std::optional<CustomerKey> key) const;
  /// kPrecondition; what Receive fails with.
  net::Task<Result<ObjectRecord>> Put(Bucket bucket, std::string key, PutOptions options,
                                      ObjectSource& source);
  net::Task<Result<Deleted>> Delete(Bucket bucket, DeleteTarget target);
  /// In the order of `targets`, all of them durable together.
  net::Task<Result<std::vector<Deleted>>> DeleteMany(Bucket bucket,
                                                     std::vector<DeleteTarget> targets);
  /// Gives the current version the infrequent storage class, if it is still `version`.
  net::Task<Result<bool>> MarkInfrequent(Bucket bucket, std::string key, Stamp version);
  net::Task<Result<ListPage>> List(Bucket bucket, ListRequest request);
  net::Task<Result<ListPage>> ListVersions(Bucket bucket, ListRequest request);

  // ---- multipart uploads
  net::Task<Result<UploadRecord>> CreateUpload(Bucket bucket, std::string key,
                                               UploadOptions options);
  net::Task<Result<UploadRecord>> FindUpload(Bucket bucket, std::string key, Stamp upload);
  net::Task<Result<PartRecord>> PutPart(Bucket bucket, std::string key, Stamp upload, int number,
                                        std::optional<CustomerKey> customer_key,
                                        ObjectSource& source);
  net::Task<Result<std::vector<PartRecord>>> ListParts(Stamp upload, int after, size_t limit);
  net::Task<Result<UploadPage>> ListUploads(Bucket bucket, ListRequest request);
  /// kBadPart, kBadPartOrder, kEntityTooSmall, kBadDigest, kPrecondition, kNoSuchUpload. Once more
  /// for an upload that is complete: the object it made, if it is still there.
  net::Task<Result<ObjectRecord>> CompleteUpload(Bucket bucket, std::string key, Stamp upload,
                                                 CompleteOptions options);
  net::Task<Status> AbortUpload(Bucket bucket, std::string key, Stamp upload);

  // ---- buckets
  /// From here on; without it, what each request says.
  void SetVersioning(uint64_t bucket, Versioning versioning) { versioning_[bucket] = versioning; }
  /// From here on every write notes its messages, in the same commit. null: there are none.
  void SetEvents(uint64_t bucket, std::shared_ptr<const BucketEvents> events);
  /// Called when there are messages to be carried. Before the first write.
  void set_on_event(std::function<void()> on_event) { on_event_ = std::move(on_event); }
  /// See ObjectIndex::Events.
  net::Task<Result<WaitingEvents>> Events(uint64_t queue, size_t count, size_t bytes);
  /// They have arrived.
  net::Task<Status> ForgetEvents(std::vector<std::string> keys);
  /// Takes no more writes for the bucket and drops its unfinished uploads; kBucketNotEmpty, and
  /// everything as before, when there are objects or versions in it.
  net::Task<Status> CloseBucket(Bucket bucket);
  net::Task<Result<BucketMeasure>> Measure(Bucket bucket);
  /// It was not deleted after all.
  void ReopenBucket(Bucket bucket) { closed_.erase(bucket.number); }

  /// A copy of all of it at `directory`, which must not exist, in a directory of the same file
  /// system. Blocks: on a thread of its own, any time.
  Status CopyTo(const std::string& directory) const;

  /// Removes files that a killed process left. Blocks: on a thread of its own, any time.
  Result<uint64_t> Sweep(const std::function<bool()>& is_stopping) const;

 private:
  ObjectStore(R2Limits limits, Environment environment);

  /// What one commit does.
  struct Change {
    db::rocks::Batch batch;
    std::vector<Stamp> gone;  ///< blobs that no record names behind it
    bool has_events = false;
  };
  class BucketUse;  // a commit of a bucket that is under way

  template <typename Work>
  auto OnWorker(Work work) {
    return OnThread(environment_.loop, environment_.workers, std::move(work));
  }
  /// Durable when OK. A refusal (see IsR2Error) wrote nothing; after another failure it may stand
  /// or not.
  net::Task<Status> Commit(uint64_t bucket, Change change);
  net::Task<Status> Write(Change change);
  net::Task<Result<KeyState>> StateOf(Bucket bucket, const std::string& key);
  net::Task<void> RemoveFile(Stamp blob);
  /// One of the transfers that may be under way; null: there are too many.
  std::shared_ptr<TransferSlot> TakeSlot() const;

  Stamp NextStamp(uint64_t behind = 0);
  Bucket Now(Bucket bucket) const;
  Status CheckWritable(const std::string& key, const ObjectAttributes* attributes) const;
  /// What becomes of the version that was current when another (or a marker) takes its place.
  void Displace(Change& change, Bucket bucket, const std::string& key, const KeyState& state,
                bool by_null_version);
  void AddObject(Change& change, Bucket bucket, const std::string& key, const KeyState& state,
                 ObjectRecord& record, std::string inline_bytes);
  /// `target` is the version that the choice means, if there is one.
  Deleted PlanDelete(Change& change, Bucket bucket, const std::string& key, const KeyState& state,
                     VersionChoice choice, const std::optional<ObjectRecord>& target);
  void PlanMarker(Change& change, Bucket bucket, const std::string& key, const KeyState& state,
                  Deleted& deleted);
  static void Forget(Change& change, const ObjectRecord& record);
  void Announce(Change& change, uint64_t bucket, ObjectEvent event);
  net::Task<Result<Deleted>> PlanTarget(Change& change, Bucket bucket, DeleteTarget target);
  /// Blocks.
  Status PlanAbort(Change& change, uint64_t bucket, const std::string& key,
                   const Stamp& upload) const;
  Result<ObjectRecord> Assemble(const UploadRecord& upload, const CompleteOptions& options,
                                const std::vector<PartRecord>& parts) const;

  const R2Limits limits_;
  const Environment environment_;
  std::unique_ptr<BlobDirectory> blobs_;
  KeyLocks locks_;
  std::unique_ptr<BlobUses> uses_;
  /// Under way, by bucket.
  const std::shared_ptr<std::map<uint64_t, int>> commits_ =
      std::make_shared<std::map<uint64_t, int>>();
  std::map<uint64_t, Versioning> versioning_;
  std::map<uint64_t, std::shared_ptr<const BucketEvents>> events_;
  std::function<void()> on_event_ = [] {};
  const std::shared_ptr<int> transfers_ = std::make_shared<int>(0);  // under way
  std::set<uint64_t> closed_;  // buckets that are deleted, or about to be
  uint64_t last_sequence_;
  const uint64_t first_sequence_;
  std::unique_ptr<ObjectIndex> index_;  // first to die: its committer calls back
};

/// The same of one that nobody has open.
Status CopyClosedObjects(os::Disk& disk, const std::string& from, const std::string& directory);

}  // namespace levada::services::r2
