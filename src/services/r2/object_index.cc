#include "services/r2/object_index.h"

#include <algorithm>
#include <utility>

#include "services/core/service_store.h"
#include "services/r2/kept_files.h"

namespace levada::services::r2 {
namespace {

using db::rocks::CachedRead;
using db::rocks::Cursor;
using db::rocks::PrefixEnd;

// Of small objects: below it a value stays in the tables, where a read finds it with less.
constexpr uint64_t kBlobBytesMin = 4096;
constexpr size_t kBucketBytes = 8;
constexpr int kPartEnd = 0xffff;

/// The start of the keys of `versions` and `uploads` whose own key begins with `prefix`.
std::string KeyedStart(uint64_t bucket, std::string_view prefix) {
  std::string start = KeyedPrefix(bucket, prefix);
  start.resize(start.size() - 2);  // without the end of the key
  return start;
}

std::string BucketEnd(uint64_t bucket) { return BucketBegin(bucket + 1); }

/// The prefix up to a delimiter that `key` is rolled up into; "" for none.
std::string_view RolledUp(const ListRequest& request, std::string_view key) {
  if (request.delimiter.empty() || !key.starts_with(request.prefix)) return {};
  const size_t at = key.find(request.delimiter, request.prefix.size());
  if (at == std::string_view::npos) return {};
  return key.substr(0, at + request.delimiter.size());
}

/// Counts what a page gives and remembers where it stopped.
class PageEnd {
 public:
  explicit PageEnd(size_t limit) : limit_(limit) {}
  bool is_full() const { return count_ >= limit_; }
  void Gave(std::string_view name, std::optional<Stamp> stamp = std::nullopt) {
    ++count_;
    last_ = name;
    stamp_ = stamp;
  }
  const std::string& last() const { return last_; }
  const std::optional<Stamp>& stamp() const { return stamp_; }
  bool gave_nothing() const { return count_ == 0; }

 private:
  const size_t limit_;
  size_t count_ = 0;
  std::string last_;
  std::optional<Stamp> stamp_;
};

/// Where a walk over `versions` or `uploads` begins.
std::string KeyedBegin(uint64_t bucket, const ListRequest& request) {
  std::string begin = KeyedStart(bucket, request.prefix);
  if (request.after.empty()) return begin;
  const std::string_view rolled_up = RolledUp(request, request.after);
  std::string behind = !rolled_up.empty() ? PrefixEnd(KeyedStart(bucket, rolled_up))
                                          : PrefixEnd(KeyedPrefix(bucket, request.after));
  return std::max(begin, behind);
}

std::string KeyedEnd(uint64_t bucket, const std::string& prefix) {
  return prefix.empty() ? BucketEnd(bucket) : PrefixEnd(KeyedStart(bucket, prefix));
}

std::string ObjectsBegin(uint64_t bucket, const ListRequest& request) {
  std::string begin = ObjectKey(bucket, request.prefix);
  if (request.after.empty()) return begin;
  const std::string_view rolled_up = RolledUp(request, request.after);
  std::string behind = !rolled_up.empty() ? PrefixEnd(ObjectKey(bucket, rolled_up))
                                          : ObjectKey(bucket, request.after) + '\0';
  return std::max(begin, behind);
}

std::string ObjectsEnd(uint64_t bucket, const std::string& prefix) {
  return prefix.empty() ? BucketEnd(bucket) : PrefixEnd(ObjectKey(bucket, prefix));
}

/// The key at a cursor of `versions` or `uploads`, with the stamp behind it.
struct At {
  std::string key;
  Stamp stamp;
};

Result<std::optional<At>> KeyedAt(const Cursor& cursor, bool newest_first) {
  if (!cursor.Valid()) return std::optional<At>();
  std::optional<KeyedEntry> entry = SplitKeyed(cursor.key());
  if (!entry) return Fault(FaultCode::kStoreDamaged, "r2: the key of a record is damaged");
  const std::optional<Stamp> stamp =
      newest_first ? VersionOfRest(entry->rest) : Stamp::FromBytes(entry->rest);
  return At{std::move(entry->key), *stamp};
}

}  // namespace

std::vector<db::rocks::Family> IndexFamilies() {
  return {{.name = "objects"},
          {.name = "versions"},
          {.name = "inline", .blob_bytes_min = kBlobBytesMin},
          {.name = "uploads"},
          {.name = "parts"},
          {.name = "blobs"},
          {.name = "events"}};
}

Status DamagedRecord(uint64_t bucket, std::string_view key) {
  return Fault(FaultCode::kStoreDamaged, "r2: the record of an object is damaged")
      .With("bucket", std::to_string(bucket))
      .With("key", std::string(key));
}

Result<std::unique_ptr<ObjectIndex>> ObjectIndex::Open(const std::string& path, const Clock& clock,
                                                       Logger& log, os::DiskReserve* reserve,
                                                       db::rocks::StoreOptions options) {
  std::unique_ptr<ObjectIndex> index(new ObjectIndex());
  options.path = path;
  options.families = IndexFamilies();
  ARROW_ASSIGN_OR_RAISE(index->store_, OpenServiceStore(std::move(options), log));
  index->committer_ = MakeServiceCommitter(*index->store_, clock, log, reserve);
  return index;
}

Status ObjectIndex::KeepFiles(const BlobDirectory& blobs) { return r2::KeepFiles(blobs, *store_); }

// ---- one key

Result<ObjectIndex::Cached> ObjectIndex::FindCached(uint64_t bucket, std::string_view key) const {
  ARROW_ASSIGN_OR_RAISE(const CachedRead read, store_->GetCached(kObjects, ObjectKey(bucket, key)));
  if (!read.known) return Cached{};
  if (!read.value) return Cached{true, std::nullopt};
  std::optional<ObjectRecord> record = DecodeObject(*read.value);
  if (!record) return DamagedRecord(bucket, key);
  FoundObject found{*std::move(record), {}};
  if (found.record.is_inline) {
    // Absent: it was written again between the two reads. The whole read settles that.
    ARROW_ASSIGN_OR_RAISE(CachedRead bytes,
                          store_->GetCached(kInline, found.record.version.Bytes()));
    if (!bytes.known || !bytes.value) return Cached{};
    found.inline_bytes = *std::move(bytes.value);
  }
  return Cached{true, std::move(found)};
}

namespace {

/// The object of a record, of the same moment.
Result<std::optional<FoundObject>> Whole(const db::rocks::View& view,
                                         const std::optional<std::string>& bytes, uint64_t bucket,
                                         std::string_view key) {
  if (!bytes) return std::optional<FoundObject>();
  std::optional<ObjectRecord> record = DecodeObject(*bytes);
  if (!record) return DamagedRecord(bucket, key);
  FoundObject found{*std::move(record), {}};
  if (found.record.is_inline) {
    ARROW_ASSIGN_OR_RAISE(std::optional<std::string> data,
                          view.Get(kInline, found.record.version.Bytes()));
    if (!data) return DamagedRecord(bucket, key);
    found.inline_bytes = *std::move(data);
  }
  return std::optional<FoundObject>(std::move(found));
}

}  // namespace

Result<std::optional<FoundObject>> ObjectIndex::Find(uint64_t bucket, std::string_view key) const {
  const db::rocks::View view = store_->MakeView();
  ARROW_ASSIGN_OR_RAISE(const auto bytes, view.Get(kObjects, ObjectKey(bucket, key)));
  return Whole(view, bytes, bucket, key);
}

Result<std::optional<FoundObject>> ObjectIndex::FindVersion(uint64_t bucket, std::string_view key,
                                                            std::optional<Stamp> version) const {
  if (!version) {
    ARROW_ASSIGN_OR_RAISE(const KeyState state, StateOf(bucket, key, Depth::kNull));
    if (state.current && state.current->is_null_version) return Find(bucket, key);
    if (!state.null_other) return std::optional<FoundObject>();
    version = state.null_other->version;
  }
  const db::rocks::View view = store_->MakeView();
  ARROW_ASSIGN_OR_RAISE(const auto current, view.Get(kObjects, ObjectKey(bucket, key)));
  if (current) {
    const std::optional<ObjectRecord> record = DecodeObject(*current);
    if (!record) return DamagedRecord(bucket, key);
    if (record->version == *version) return Whole(view, current, bucket, key);
  }
  ARROW_ASSIGN_OR_RAISE(const auto other, view.Get(kVersions, VersionKey(bucket, key, *version)));
  return Whole(view, other, bucket, key);
}

Result<KeyState> ObjectIndex::StateOf(uint64_t bucket, std::string_view key, Depth depth) const {
  KeyState state;
  ARROW_ASSIGN_OR_RAISE(const auto current, store_->Get(kObjects, ObjectKey(bucket, key)));
  if (current) {
    state.current = DecodeObject(*current);
    if (!state.current) return DamagedRecord(bucket, key);
  }
  if (depth == Depth::kCurrent) return state;
  const std::string prefix = KeyedPrefix(bucket, key);
  const auto cursor = store_->MakeCursor(kVersions, prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    std::optional<ObjectRecord> record = DecodeObject(cursor->value());
    if (!record) return DamagedRecord(bucket, key);
    if (record->is_null_version) state.null_other = record;  // there is one at most
    if (!state.newest_other) {
      state.newest_other = std::move(record);
    } else if (!state.second_other) {
      state.second_other = std::move(record);
    }
    const bool needs_null = depth == Depth::kNull && !state.null_other;
    if (state.second_other && !needs_null) break;
  }
  ARROW_RETURN_NOT_OK(cursor->status());
  return state;
}

// ---- lists

Result<ListPage> ObjectIndex::List(uint64_t bucket, const ListRequest& request) const {
  ListPage page;
  if (request.limit == 0) return page;
  const auto cursor = store_->MakeCursor(kObjects, ObjectsBegin(bucket, request),
                                         ObjectsEnd(bucket, request.prefix));
  PageEnd end(request.limit);
  while (cursor->Valid()) {
    if (end.is_full()) {
      page.next = end.last();
      break;
    }
    const std::string_view key = cursor->key().substr(kBucketBytes);
    if (const std::string rolled_up(RolledUp(request, key)); !rolled_up.empty()) {
      end.Gave(rolled_up);
      page.prefixes.push_back(rolled_up);
      cursor->Seek(PrefixEnd(ObjectKey(bucket, rolled_up)));
      continue;
    }
    std::optional<ObjectRecord> record = DecodeObject(cursor->value());
    if (!record) return DamagedRecord(bucket, key);
    end.Gave(key);
    page.objects.push_back({std::string(key), *std::move(record), true});
    cursor->Next();
  }
  ARROW_RETURN_NOT_OK(cursor->status());
  return page;
}

Result<ListPage> ObjectIndex::ListVersions(uint64_t bucket, const ListRequest& request) const {
  ListPage page;
  if (request.limit == 0) return page;
  std::string versions_begin = KeyedBegin(bucket, request);
  // The current version of a key comes before its others, so it has been given by then.
  if (request.after_version) {
    versions_begin = VersionKey(bucket, request.after, *request.after_version) + '\0';
  }
  const auto objects = store_->MakeCursor(kObjects, ObjectsBegin(bucket, request),
                                          ObjectsEnd(bucket, request.prefix));
  const auto others =
      store_->MakeCursor(kVersions, versions_begin, KeyedEnd(bucket, request.prefix));
  PageEnd end(request.limit);
  std::string last_key = request.after_version ? request.after : std::string();
  bool has_last = request.after_version.has_value();
  while (objects->Valid() || others->Valid()) {
    if (end.is_full()) {
      page.next = end.last();
      page.next_version = end.stamp();
      break;
    }
    ARROW_ASSIGN_OR_RAISE(const std::optional<At> other, KeyedAt(*others, true));
    const bool is_object =
        objects->Valid() && (!other || objects->key().substr(kBucketBytes) <= other->key);
    const std::string key =
        is_object ? std::string(objects->key().substr(kBucketBytes)) : other->key;
    if (const std::string rolled_up(RolledUp(request, key)); !rolled_up.empty()) {
      end.Gave(rolled_up);
      page.prefixes.push_back(rolled_up);
      objects->Seek(PrefixEnd(ObjectKey(bucket, rolled_up)));
      others->Seek(PrefixEnd(KeyedStart(bucket, rolled_up)));
      continue;
    }
    Cursor& cursor = is_object ? *objects : *others;
    std::optional<ObjectRecord> record = DecodeObject(cursor.value());
    if (!record) return DamagedRecord(bucket, key);
    end.Gave(key, record->version);
    page.objects.push_back({key, *std::move(record), !has_last || last_key != key});
    last_key = key;
    has_last = true;
    cursor.Next();
  }
  ARROW_RETURN_NOT_OK(objects->status());
  ARROW_RETURN_NOT_OK(others->status());
  return page;
}

Result<UploadPage> ObjectIndex::ListUploads(uint64_t bucket, const ListRequest& request) const {
  UploadPage page;
  if (request.limit == 0) return page;
  std::string begin = KeyedBegin(bucket, request);
  if (request.after_version)
    begin = UploadKey(bucket, request.after, *request.after_version) + '\0';
  const auto cursor = store_->MakeCursor(kUploads, begin, KeyedEnd(bucket, request.prefix));
  PageEnd end(request.limit);
  while (cursor->Valid()) {
    if (end.is_full()) {
      page.next = end.last();
      page.next_upload = end.stamp();
      break;
    }
    ARROW_ASSIGN_OR_RAISE(const std::optional<At> at, KeyedAt(*cursor, false));
    if (const std::string rolled_up(RolledUp(request, at->key)); !rolled_up.empty()) {
      end.Gave(rolled_up);
      page.prefixes.push_back(rolled_up);
      cursor->Seek(PrefixEnd(KeyedStart(bucket, rolled_up)));
      continue;
    }
    std::optional<UploadRecord> record = DecodeUpload(cursor->value());
    if (!record) return DamagedRecord(bucket, at->key);
    end.Gave(at->key, at->stamp);
    page.uploads.push_back({at->key, *std::move(record)});
    cursor->Next();
  }
  ARROW_RETURN_NOT_OK(cursor->status());
  return page;
}

Result<ObjectIndex::Content> ObjectIndex::ContentOf(uint64_t bucket) const {
  for (const Family family : {kObjects, kVersions}) {
    const auto cursor = store_->MakeCursor(family, BucketBegin(bucket), BucketEnd(bucket));
    if (cursor->Valid()) return family == kObjects ? Content::kObjects : Content::kOnlyVersions;
    ARROW_RETURN_NOT_OK(cursor->status());
  }
  return Content::kNothing;
}

Result<BucketMeasure> ObjectIndex::Measure(uint64_t bucket) const {
  BucketMeasure measure;
  const auto cursor = store_->MakeCursor(kObjects, BucketBegin(bucket), BucketEnd(bucket));
  for (; cursor->Valid(); cursor->Next()) {
    const std::optional<ObjectRecord> record = DecodeObject(cursor->value());
    if (!record) return DamagedRecord(bucket, cursor->key().substr(kBucketBytes));
    ++measure.objects;
    measure.bytes += record->bytes;
  }
  ARROW_RETURN_NOT_OK(cursor->status());
  return measure;
}

// ---- uploads

Result<std::optional<UploadRecord>> ObjectIndex::FindUpload(uint64_t bucket, std::string_view key,
                                                            const Stamp& upload) const {
  ARROW_ASSIGN_OR_RAISE(const auto bytes, store_->Get(kUploads, UploadKey(bucket, key, upload)));
  if (!bytes) return std::optional<UploadRecord>();
  std::optional<UploadRecord> record = DecodeUpload(*bytes);
  if (!record) return DamagedRecord(bucket, key);
  return record;
}

Result<std::vector<PartRecord>> ObjectIndex::Parts(const Stamp& upload, int after,
                                                   size_t limit) const {
  std::vector<PartRecord> parts;
  const auto cursor =
      store_->MakeCursor(kParts, PartKey(upload, after + 1), PartKey(upload, kPartEnd));
  for (; cursor->Valid() && parts.size() < limit; cursor->Next()) {
    std::optional<PartRecord> part = DecodePart(cursor->value());
    if (!part) {
      return Fault(FaultCode::kStoreDamaged, "r2: the record of a part is damaged")
          .With("upload", upload.Text());
    }
    parts.push_back(*std::move(part));
  }
  ARROW_RETURN_NOT_OK(cursor->status());
  return parts;
}

Result<std::optional<PartRecord>> ObjectIndex::FindPart(const Stamp& upload, int number) const {
  ARROW_ASSIGN_OR_RAISE(std::vector<PartRecord> parts, Parts(upload, number - 1, 1));
  if (parts.empty() || parts.front().number != number) return std::optional<PartRecord>();
  return std::optional<PartRecord>(std::move(parts.front()));
}

Result<bool> ObjectIndex::IsNamed(const Stamp& blob) const {
  ARROW_ASSIGN_OR_RAISE(const auto found, store_->Get(kBlobs, blob.Bytes()));
  return found.has_value();
}

Result<WaitingEvents> ObjectIndex::Events(uint64_t queue, size_t count, size_t bytes) const {
  WaitingEvents waiting;
  size_t taken = 0;
  const auto cursor = store_->MakeCursor(kEvents, EventsBegin(queue), "");
  for (; cursor->Valid() && waiting.keys.size() < count; cursor->Next()) {
    const std::optional<uint64_t> of = QueueOfEventKey(cursor->key());
    if (!of) {
      return Fault(FaultCode::kStoreDamaged, "r2: the key of an event notification is damaged");
    }
    taken += cursor->value().size();
    if (waiting.keys.empty()) {
      waiting.queue = *of;
    } else if (*of != waiting.queue || taken > bytes) {
      break;
    }
    waiting.keys.emplace_back(cursor->key());
    waiting.messages.emplace_back(cursor->value());
  }
  ARROW_RETURN_NOT_OK(cursor->status());
  return waiting;
}

}  // namespace levada::services::r2
