#include "services/r2/object_store.h"

#include <algorithm>

#include "base/utf8.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {
namespace {

std::string BlobsOf(const std::string& directory) { return os::JoinPath(directory, "blobs"); }
std::string IndexOf(const std::string& directory) { return os::JoinPath(directory, "index"); }

}  // namespace

using db::rocks::Batch;
using net::Task;

/// Counts a commit while it is under way, so that a bucket is not deleted beneath it. May outlive
/// the store, in a task that never ended.
class ObjectStore::BucketUse {
 public:
  BucketUse(const std::shared_ptr<std::map<uint64_t, int>>& commits, uint64_t bucket)
      : commits_(commits), bucket_(bucket) {
    ++(*commits)[bucket_];
  }
  ~BucketUse() {
    const auto commits = commits_.lock();
    if (commits == nullptr) return;
    const auto at = commits->find(bucket_);
    if (--at->second == 0) commits->erase(at);
  }
  BucketUse(const BucketUse&) = delete;
  BucketUse& operator=(const BucketUse&) = delete;

 private:
  std::weak_ptr<std::map<uint64_t, int>> commits_;
  uint64_t bucket_;
};

std::optional<VersionChoice> VersionChoice::Parse(std::string_view text) {
  if (text == "null") return VersionChoice{Kind::kNull, {}};
  const std::optional<Stamp> stamp = Stamp::Parse(text);
  if (!stamp) return std::nullopt;
  return VersionChoice{Kind::kStamp, *stamp};
}

ObjectStore::ObjectStore(R2Limits limits, Environment environment)
    : limits_(limits),
      environment_(environment),
      locks_(environment.loop),
      last_sequence_(static_cast<uint64_t>(environment.clock.Now())),
      first_sequence_(last_sequence_) {
  uses_ = std::make_unique<BlobUses>(
      [this](const Stamp& blob) { environment_.loop.Spawn(RemoveFile(blob)); });
}

ObjectStore::~ObjectStore() = default;

Result<std::unique_ptr<ObjectStore>> ObjectStore::Open(const std::string& directory,
                                                       R2Limits limits, Environment environment,
                                                       db::rocks::StoreOptions options) {
  std::unique_ptr<ObjectStore> store(new ObjectStore(limits, environment));
  ARROW_RETURN_NOT_OK(environment.disk.CreateDirectories(directory));
  // A start that was killed may have made it and not synced it.
  ARROW_RETURN_NOT_OK(environment.disk.SyncDirectory(os::ParentPath(directory)));
  ARROW_ASSIGN_OR_RAISE(store->blobs_, BlobDirectory::Open(environment.disk, BlobsOf(directory),
                                                           environment.reserve));
  const std::string index = IndexOf(directory);
  ARROW_ASSIGN_OR_RAISE(const auto there, environment.disk.Stat(index));
  ARROW_ASSIGN_OR_RAISE(store->index_, ObjectIndex::Open(index, environment.clock, environment.log,
                                                         environment.reserve, std::move(options)));
  if (!there) ARROW_RETURN_NOT_OK(store->index_->KeepFiles(*store->blobs_));
  return store;
}

Status ObjectStore::CopyTo(const std::string& directory) const {
  ARROW_RETURN_NOT_OK(environment_.disk.CreateDirectories(directory));
  // What the copy of the index names is not removed before it has a second name.
  const BlobDirectory::Hold hold(*blobs_);
  ARROW_RETURN_NOT_OK(index_->store().Checkpoint(IndexOf(directory)));
  return blobs_->LinkAll(BlobsOf(directory));
}

Result<uint64_t> ObjectStore::Sweep(const std::function<bool()>& is_stopping) const {
  return blobs_->Sweep(
      first_sequence_, [this](const Stamp& blob) { return index_->IsNamed(blob); }, is_stopping);
}

// ---- what all operations are made of

Task<Status> ObjectStore::Commit(uint64_t bucket, Change change) {
  if (closed_.contains(bucket)) co_return R2Error(R2ErrorCode::kNoSuchBucket);
  const BucketUse use(commits_, bucket);
  co_return co_await Write(std::move(change));
}

Task<Status> ObjectStore::Write(Change change) {
  const bool has_events = change.has_events;
  const Status status = co_await Durably(environment_.loop, [&](db::rocks::Committer::Done done) {
    return index_->Submit(std::move(change.batch), std::move(done));
  });
  // After a failure nobody knows which records stand: the files stay.
  if (status.ok()) uses_->Release(std::move(change.gone));
  if (has_events) on_event_();
  co_return status;
}

Task<Result<KeyState>> ObjectStore::StateOf(Bucket bucket, const std::string& key) {
  using Depth = ObjectIndex::Depth;
  const Depth depth = bucket.versioning == Versioning::kOff       ? Depth::kCurrent
                      : bucket.versioning == Versioning::kEnabled ? Depth::kNewest
                                                                  : Depth::kNull;
  if (depth == Depth::kCurrent) {
    Result<ObjectIndex::Cached> cached = index_->FindCached(bucket.number, key);
    if (!cached.ok()) co_return cached.status();
    if (cached->known) {
      KeyState state;
      if (cached->object) state.current = std::move(cached->object->record);
      co_return state;
    }
  }
  co_return co_await OnWorker(
      [this, bucket, &key, depth] { return index_->StateOf(bucket.number, key, depth); });
}

Task<void> ObjectStore::RemoveFile(Stamp blob) {
  const Status removed = co_await OnWorker([this, blob] { return blobs_->Remove(blob); });
  if (!removed.ok()) {
    environment_.log.Warning("r2: a file stays until the next start",
                             {{"blob", blob.Text()}, {"cause", removed.ToString()}});
  }
}

Bucket ObjectStore::Now(Bucket bucket) const {
  const auto at = versioning_.find(bucket.number);
  if (at != versioning_.end()) bucket.versioning = at->second;
  return bucket;
}

std::shared_ptr<TransferSlot> ObjectStore::TakeSlot() const {
  if (*transfers_ >= limits_.transfers_max) return nullptr;
  return std::make_shared<TransferSlot>(transfers_);
}

Stamp ObjectStore::NextStamp(uint64_t behind) {
  const auto now = static_cast<uint64_t>(environment_.clock.Now());
  last_sequence_ = std::max({now, last_sequence_ + 1, behind + 1});
  return {last_sequence_, environment_.random.Next()};
}

Status ObjectStore::CheckWritable(const std::string& key,
                                  const ObjectAttributes* attributes) const {
  if (environment_.reserve != nullptr && environment_.reserve->is_full()) {
    return R2Error(R2ErrorCode::kDiskFull);
  }
  if (key.empty() || key.size() > limits_.key_bytes_max) return R2Error(R2ErrorCode::kBadKey);
  if (!IsUtf8(key)) return R2Error(R2ErrorCode::kBadArgument, "The key is not UTF-8.");
  if (attributes == nullptr) return Status::OK();
  size_t bytes = 0;
  for (const auto& [name, value] : attributes->custom) bytes += name.size() + value.size();
  if (bytes > limits_.metadata_bytes_max) return R2Error(R2ErrorCode::kMetadataTooLarge);
  return Status::OK();
}

/// The data of a version that goes.
void ObjectStore::Forget(Change& change, const ObjectRecord& record) {
  if (record.is_inline) change.batch.Delete(kInline, record.version.Bytes());
  for (const Segment& segment : record.segments) {
    change.batch.Delete(kBlobs, segment.blob.Bytes());
    change.gone.push_back(segment.blob);
  }
}

// ---- reading

Task<Result<OpenedObject>> ObjectStore::OpenObject(Bucket bucket, std::string key,
                                                   VersionChoice version) {
  const BlobUses::Lookup lookup = uses_->BeginLookup();
  std::optional<FoundObject> found;
  const bool is_current = version.kind == VersionChoice::Kind::kCurrent;
  if (is_current) {
    Result<ObjectIndex::Cached> cached = index_->FindCached(bucket.number, key);
    if (!cached.ok()) co_return cached.status();
    if (cached->known) {
      if (!cached->object) co_return R2Error(R2ErrorCode::kNoSuchKey);
      found = std::move(cached->object);
    }
  }
  if (!found) {
    auto read = co_await OnWorker([this, bucket, &key, version, is_current] {
      if (is_current) return index_->Find(bucket.number, key);
      const bool is_stamp = version.kind == VersionChoice::Kind::kStamp;
      return index_->FindVersion(bucket.number, key,
                                 is_stamp ? std::optional(version.stamp) : std::nullopt);
    });
    if (!read.ok()) co_return read.status();
    found = *std::move(read);
  }
  if (!found) {
    co_return R2Error(is_current ? R2ErrorCode::kNoSuchKey : R2ErrorCode::kNoSuchVersion);
  }
  if (found->record.is_delete_marker) co_return R2Error(R2ErrorCode::kIsDeleteMarker);
  std::shared_ptr<TransferSlot> slot;
  if (!found->record.segments.empty()) {
    slot = TakeSlot();
    if (slot == nullptr) co_return Busy();
  }
  BlobUses::Pins pins = uses_->Pin(found->record.segments);
  co_return OpenedObject{std::move(found->record), std::move(found->inline_bytes), std::move(pins),
                         std::move(slot)};
}

Task<Result<std::optional<ObjectRecord>>> ObjectStore::FindMarker(Bucket bucket, std::string key) {
  const Result<KeyState> state = co_await StateOf(bucket, key);
  if (!state.ok()) co_return state.status();
  if (state->current || !state->newest_other || !state->newest_other->is_delete_marker) {
    co_return std::optional<ObjectRecord>();
  }
  co_return state->newest_other;
}

std::unique_ptr<ObjectReader> ObjectStore::Read(OpenedObject object, ByteRange range,
                                                std::optional<CustomerKey> key) const {
  return std::make_unique<ObjectReader>(std::move(object), range, std::move(key), *blobs_,
                                        environment_.loop, environment_.transfers);
}

Task<Result<ListPage>> ObjectStore::List(Bucket bucket, ListRequest request) {
  co_return co_await OnWorker(
      [this, bucket, &request] { return index_->List(bucket.number, request); });
}

Task<Result<ListPage>> ObjectStore::ListVersions(Bucket bucket, ListRequest request) {
  co_return co_await OnWorker(
      [this, bucket, &request] { return index_->ListVersions(bucket.number, request); });
}

Task<Result<BucketMeasure>> ObjectStore::Measure(Bucket bucket) {
  co_return co_await OnWorker([this, bucket] { return index_->Measure(bucket.number); });
}

// ---- writing

namespace {

/// The newest sequence of a key.
uint64_t NewestOf(const KeyState& state) {
  const uint64_t current = state.current ? state.current->version.sequence : 0;
  const uint64_t other = state.newest_other ? state.newest_other->version.sequence : 0;
  return std::max(current, other);
}

}  // namespace

void ObjectStore::Displace(Change& change, Bucket bucket, const std::string& key,
                           const KeyState& state, bool by_null_version) {
  if (state.current) {
    const ObjectRecord& old = *state.current;
    const bool goes =
        bucket.versioning == Versioning::kOff || (by_null_version && old.is_null_version);
    if (goes) {
      Forget(change, old);
    } else {
      change.batch.Put(kVersions, VersionKey(bucket.number, key, old.version), Encode(old));
    }
  }
  if (by_null_version && state.null_other) {
    Forget(change, *state.null_other);
    change.batch.Delete(kVersions, VersionKey(bucket.number, key, state.null_other->version));
  }
}

/// The record and its bytes.
void ObjectStore::AddObject(Change& change, Bucket bucket, const std::string& key,
                            const KeyState& state, ObjectRecord& record, std::string inline_bytes) {
  record.version = NextStamp(NewestOf(state));
  record.uploaded_ms = NowMs();
  record.is_null_version = bucket.versioning != Versioning::kEnabled;
  Displace(change, bucket, key, state, record.is_null_version);
  record.is_inline = record.segments.empty() && record.bytes > 0;
  if (record.is_inline) {
    change.batch.Put(kInline, record.version.Bytes(), std::move(inline_bytes));
  }
  change.batch.Put(kObjects, ObjectKey(bucket.number, key), Encode(record));
}

Task<Result<ObjectRecord>> ObjectStore::Put(Bucket bucket, std::string key, PutOptions options,
                                            ObjectSource& source) {
  Status status = CheckWritable(key, &options.attributes);
  if (!status.ok()) co_return status;
  // What is refused already need not be sent. It is decided again when the bytes are here.
  if (!options.conditions.empty()) {
    const Result<KeyState> state = co_await StateOf(bucket, key);
    if (!state.ok()) co_return state.status();
    if (Evaluate(options.conditions, state->current ? &*state->current : nullptr) !=
        Verdict::kHolds) {
      co_return R2Error(R2ErrorCode::kPrecondition);
    }
  }
  std::shared_ptr<TransferSlot> slot;
  if (source.declared_bytes().value_or(UINT64_MAX) > limits_.inline_bytes_max) {
    slot = TakeSlot();
    if (slot == nullptr) co_return Busy();
  }
  ReceiveOptions receiving;
  receiving.blob = NextStamp();
  receiving.key = options.key;
  receiving.inline_bytes_max = limits_.inline_bytes_max;
  receiving.always_blob = options.key.has_value();
  receiving.bytes_max = limits_.upload_bytes_max;
  Result<Received> received = co_await Receive(source, std::move(receiving), *blobs_,
                                               environment_.loop, environment_.transfers);
  if (!received.ok()) co_return received.status();
  slot.reset();
  ObjectRecord record;
  record.bytes = received->computed.bytes;
  record.attributes = std::move(options.attributes);
  record.checksums = std::move(received->checksums);
  record.etag = received->computed.md5.Hex();
  record.md5 = received->computed.md5.bytes();
  if (options.key) record.customer_key_md5 = options.key->md5();
  if (received->segment) record.segments.push_back(*received->segment);

  const KeyLocks::Hold hold = co_await locks_.Acquire(ObjectKey(bucket.number, key));
  bucket = Now(bucket);
  const Result<KeyState> state = co_await StateOf(bucket, key);
  status = state.status();
  if (status.ok() && Evaluate(options.conditions, state->current ? &*state->current : nullptr) !=
                         Verdict::kHolds) {
    status = R2Error(R2ErrorCode::kPrecondition);
  }
  if (status.ok()) {
    Change change;
    AddObject(change, bucket, key, *state, record, std::move(received->inline_bytes));
    for (const Segment& segment : record.segments) {
      change.batch.Put(kBlobs, segment.blob.Bytes(), ObjectKey(bucket.number, key));
    }
    const bool is_copy = options.copied_from.has_value();
    Announce(change, bucket.number,
             {.action = is_copy ? ObjectAction::kCopyObject : ObjectAction::kPutObject,
              .key = key,
              .bytes = record.bytes,
              .etag = record.etag,
              .copied_from = is_copy ? &*options.copied_from : nullptr});
    status = co_await Commit(bucket.number, std::move(change));
    if (status.ok()) co_return record;
    // It may stand in the log even so: then its file is needed, else the next start removes it.
    if (!IsR2Error(status)) co_return status;
  }
  if (received->segment) co_await RemoveFile(received->segment->blob);
  co_return status;
}

Task<Result<bool>> ObjectStore::MarkInfrequent(Bucket bucket, std::string key, Stamp version) {
  const KeyLocks::Hold hold = co_await locks_.Acquire(ObjectKey(bucket.number, key));
  const Result<KeyState> state = co_await StateOf(bucket, key);
  if (!state.ok()) co_return state.status();
  if (!state->current || state->current->version != version) co_return false;
  ObjectRecord record = *state->current;
  record.attributes.infrequent_access = true;
  Change change;
  change.batch.Put(kObjects, ObjectKey(bucket.number, key), Encode(record));
  const Status status = co_await Commit(bucket.number, std::move(change));
  if (!status.ok()) co_return status;
  co_return true;
}

// ---- deleting

void ObjectStore::PlanMarker(Change& change, Bucket bucket, const std::string& key,
                             const KeyState& state, Deleted& deleted) {
  ObjectRecord marker;
  marker.is_delete_marker = true;
  marker.is_null_version = bucket.versioning != Versioning::kEnabled;
  marker.uploaded_ms = NowMs();
  marker.version = NextStamp(NewestOf(state));
  Displace(change, bucket, key, state, marker.is_null_version);
  if (state.current) change.batch.Delete(kObjects, ObjectKey(bucket.number, key));
  change.batch.Put(kVersions, VersionKey(bucket.number, key, marker.version), Encode(marker));
  deleted.is_delete_marker = true;
  deleted.version = std::move(marker);
}

Deleted ObjectStore::PlanDelete(Change& change, Bucket bucket, const std::string& key,
                                const KeyState& state, VersionChoice choice,
                                const std::optional<ObjectRecord>& target) {
  Deleted deleted;
  const std::string object_key = ObjectKey(bucket.number, key);
  if (choice.kind == VersionChoice::Kind::kCurrent) {
    deleted.was_there = state.current.has_value();
    if (bucket.versioning != Versioning::kOff) {
      PlanMarker(change, bucket, key, state, deleted);
    } else if (state.current) {
      Forget(change, *state.current);
      change.batch.Delete(kObjects, object_key);
    }
    return deleted;
  }
  if (!target) return deleted;
  deleted.was_there = true;
  deleted.is_delete_marker = target->is_delete_marker;
  deleted.version = *target;
  Forget(change, *target);
  const bool is_current = state.current && state.current->version == target->version;
  const std::optional<ObjectRecord>* next = &state.newest_other;
  if (is_current) {
    change.batch.Delete(kObjects, object_key);
  } else {
    change.batch.Delete(kVersions, VersionKey(bucket.number, key, target->version));
    const bool was_newest =
        !state.current && state.newest_other && state.newest_other->version == target->version;
    if (!was_newest) return deleted;
    next = &state.second_other;
  }
  // What was second is the current version now, unless it is a delete marker.
  if (!*next || (*next)->is_delete_marker) return deleted;
  change.batch.Delete(kVersions, VersionKey(bucket.number, key, (*next)->version));
  change.batch.Put(kObjects, object_key, Encode(**next));
  return deleted;
}

/// Within the key's lock.
Task<Result<Deleted>> ObjectStore::PlanTarget(Change& change, Bucket bucket, DeleteTarget target) {
  Deleted deleted;
  if (target.key.empty() || target.key.size() > limits_.key_bytes_max) {
    deleted.refused = R2Error(R2ErrorCode::kBadKey);
    co_return deleted;
  }
  bucket = Now(bucket);
  // A version may be asked of a bucket that keeps none: its objects are null versions.
  const bool by_version = target.version.kind != VersionChoice::Kind::kCurrent;
  const Result<KeyState> state = co_await StateOf(bucket, target.key);
  if (!state.ok()) co_return state.status();
  if (Evaluate(target.conditions, state->current ? &*state->current : nullptr) != Verdict::kHolds) {
    deleted.refused = R2Error(R2ErrorCode::kPrecondition);
    co_return deleted;
  }
  if (target.if_version && (!state->current || state->current->version != *target.if_version)) {
    co_return deleted;
  }
  std::optional<ObjectRecord> meant;
  if (by_version) {
    auto found = co_await OnWorker([this, bucket, &target] {
      const bool is_stamp = target.version.kind == VersionChoice::Kind::kStamp;
      return index_->FindVersion(bucket.number, target.key,
                                 is_stamp ? std::optional(target.version.stamp) : std::nullopt);
    });
    if (!found.ok()) co_return found.status();
    if (*found) meant = std::move((*found)->record);
  }
  const bool is_current =
      state->current && (!by_version || (meant && meant->version == state->current->version));
  if (is_current) {
    Announce(change, bucket.number,
             {.action = target.is_by_lifecycle ? ObjectAction::kLifecycleDeletion
                                               : ObjectAction::kDeleteObject,
              .key = target.key});
  }
  co_return PlanDelete(change, bucket, target.key, *state, target.version, meant);
}

Task<Result<Deleted>> ObjectStore::Delete(Bucket bucket, DeleteTarget target) {
  const KeyLocks::Hold hold = co_await locks_.Acquire(ObjectKey(bucket.number, target.key));
  Change change;
  Result<Deleted> deleted = co_await PlanTarget(change, bucket, std::move(target));
  if (!deleted.ok()) co_return deleted.status();
  if (!deleted->refused.ok()) co_return deleted->refused;
  if (change.batch.empty()) co_return deleted;
  const Status status = co_await Commit(bucket.number, std::move(change));
  if (!status.ok()) co_return status;
  co_return deleted;
}

Task<Result<std::vector<Deleted>>> ObjectStore::DeleteMany(Bucket bucket,
                                                           std::vector<DeleteTarget> targets) {
  std::vector<Deleted> all(targets.size());
  // A key that is named more than once (its versions) takes a round for each: one round's plans
  // know nothing of each other.
  std::vector<size_t> waiting(targets.size());
  for (size_t i = 0; i < targets.size(); ++i) waiting[i] = i;
  while (!waiting.empty()) {
    // In the order of the keys: two of these never wait for each other.
    std::map<std::string, size_t> round;
    std::vector<size_t> later;
    for (const size_t i : waiting) {
      if (!round.emplace(targets[i].key, i).second) later.push_back(i);
    }
    Change change;
    std::vector<KeyLocks::Hold> holds;
    for (const auto& [key, i] : round) {
      holds.push_back(co_await locks_.Acquire(ObjectKey(bucket.number, key)));
      Result<Deleted> deleted = co_await PlanTarget(change, bucket, targets[i]);
      if (!deleted.ok()) co_return deleted.status();
      all[i] = *std::move(deleted);
    }
    if (!change.batch.empty()) {
      const Status status = co_await Commit(bucket.number, std::move(change));
      if (!status.ok()) co_return status;
    }
    waiting = std::move(later);
  }
  co_return all;
}

// ---- buckets

Task<Status> ObjectStore::CloseBucket(Bucket bucket) {
  if (!closed_.insert(bucket.number).second) co_return R2Error(R2ErrorCode::kNoSuchBucket);
  while (commits_->contains(bucket.number)) {
    co_await environment_.loop.Sleep(std::chrono::milliseconds(1));
  }
  using Content = ObjectIndex::Content;
  const Result<Content> content =
      co_await OnWorker([this, bucket] { return index_->ContentOf(bucket.number); });
  Status status = content.status();
  if (status.ok() && *content == Content::kObjects) status = R2Error(R2ErrorCode::kBucketNotEmpty);
  if (status.ok() && *content == Content::kOnlyVersions) {
    status = R2Error(R2ErrorCode::kBucketNotEmpty,
                     "The bucket you tried to delete is not empty: it holds old versions or delete "
                     "markers, which list-object-versions shows.");
  }
  Change change;
  if (status.ok()) {
    status = co_await OnWorker([this, bucket, &change]() -> Status {
      ListRequest request;
      do {
        ARROW_ASSIGN_OR_RAISE(const UploadPage page, index_->ListUploads(bucket.number, request));
        for (const ListedUpload& each : page.uploads) {
          ARROW_RETURN_NOT_OK(PlanAbort(change, bucket.number, each.key, each.record.upload));
        }
        request.after = page.next;
        request.after_version = page.next_upload;
      } while (!request.after.empty());
      return Status::OK();
    });
  }
  if (status.ok() && !change.batch.empty()) status = co_await Write(std::move(change));
  if (!status.ok()) closed_.erase(bucket.number);
  co_return status;
}

Status CopyClosedObjects(os::Disk& disk, const std::string& from, const std::string& directory) {
  ARROW_RETURN_NOT_OK(db::rocks::CopyClosedStore(disk, IndexOf(from), IndexOf(directory)));
  ARROW_ASSIGN_OR_RAISE(const auto blobs, BlobDirectory::Open(disk, BlobsOf(from)));
  return blobs->LinkAll(BlobsOf(directory));
}

}  // namespace levada::services::r2
