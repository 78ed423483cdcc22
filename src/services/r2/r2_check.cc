#include "services/r2/r2_check.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/byte_order.h"
#include "base/json.h"
#include "services/r2/blob_directory.h"
#include "services/r2/object_index.h"

namespace levada::services::r2 {
namespace {

using db::rocks::Store;

constexpr size_t kBucketBytes = sizeof(uint64_t);
constexpr size_t kStampBytes = 16;

/// Of a key of `objects`, `versions` or `uploads`; whole ones begin with it.
uint64_t BucketOf(std::string_view store_key) {
  return ReadBigEndian(store_key.substr(0, kBucketBytes));
}

std::string WhereOfObject(const KnownResources& buckets, uint64_t bucket, std::string_view key) {
  const bool is_known = buckets && buckets->contains(bucket);
  return "bucket " + (is_known ? QuoteJson(buckets->at(bucket)) : std::to_string(bucket)) +
         ", key " + QuoteJson(key);
}

std::string WhereOfEvent(std::optional<uint64_t> queue) {
  return queue ? "an event notification for queue " + std::to_string(*queue)
               : "an event notification whose key is damaged";
}

/// Stamps that records name; asked only when all are in it.
class StampSet {
 public:
  void Add(const Stamp& stamp) { stamps_.push_back(stamp); }
  void Close() { std::ranges::sort(stamps_); }
  bool Has(const Stamp& stamp) const { return std::ranges::binary_search(stamps_, stamp); }

 private:
  std::vector<Stamp> stamps_;
};

class Check {
 public:
  Check(const Context& ctx, os::Disk& disk, const R2CheckOptions& options, const Store& store,
        const BlobDirectory& blobs, Findings& findings)
      : ctx_(ctx),
        disk_(disk),
        options_(options),
        store_(store),
        blobs_(blobs),
        findings_(findings) {}

  Result<R2Checked> Run() {
    ARROW_RETURN_NOT_OK(WalkObjects());
    ARROW_RETURN_NOT_OK(WalkVersions());
    ARROW_RETURN_NOT_OK(WalkUploads());
    uploads_.Close();
    ARROW_RETURN_NOT_OK(WalkParts());
    ARROW_RETURN_NOT_OK(WalkEvents());
    named_files_.Close();
    named_inline_.Close();
    // A record that cannot be read may name whatever is left.
    if (is_whole_) {
      ARROW_RETURN_NOT_OK(WalkRegisteredFiles());
      ARROW_RETURN_NOT_OK(WalkInline());
    }
    ARROW_RETURN_NOT_OK(WalkDirectory());
    for (const auto& [bucket, count] : gone_) {
      findings_.AddLeftover("bucket_gone", "bucket " + std::to_string(bucket),
                            std::to_string(count) + " objects of a bucket that was removed");
    }
    return checked_;
  }

 private:
  using Visit = std::function<void(std::string_view key, std::string_view value)>;

  Status Walk(Family family, const char* name, const Visit& visit) {
    const auto cursor = store_.MakeCursor(family, "", "");
    for (; cursor->Valid(); cursor->Next()) {
      ARROW_RETURN_NOT_OK(ctx_.Check());
      visit(cursor->key(), cursor->value());
      if (options_.on_progress) options_.on_progress(checked_);
    }
    if (!cursor->status().ok()) {
      is_whole_ = false;
      checked_.is_readable = false;
      findings_.AddDamage("store_damaged", std::string("family \"") + name + "\"",
                          FaultOf(cursor->status()).message());
    }
    return ctx_.Check();
  }

  void AddDamagedRecord(std::string where) {
    is_whole_ = false;
    findings_.AddDamage("record_damaged", std::move(where));
  }

  std::string WhereOf(uint64_t bucket, std::string_view key) const {
    return WhereOfObject(options_.buckets, bucket, key);
  }

  void NoteBucket(uint64_t bucket) {
    if (options_.buckets && !options_.buckets->contains(bucket)) ++gone_[bucket];
  }

  Status WalkObjects() {
    return Walk(kObjects, "objects", [this](std::string_view key, std::string_view value) {
      ++checked_.objects;
      if (key.size() < kBucketBytes) return AddDamagedRecord("an object without a bucket");
      NoteBucket(BucketOf(key));
      const std::string where = WhereOf(BucketOf(key), key.substr(kBucketBytes));
      const std::optional<ObjectRecord> record = DecodeObject(value);
      if (!record || record->is_delete_marker) return AddDamagedRecord(where);
      CheckObject(*record, where);
    });
  }

  Status WalkVersions() {
    return Walk(kVersions, "versions", [this](std::string_view key, std::string_view value) {
      ++checked_.versions;
      const std::optional<KeyedEntry> entry = SplitKeyed(key);
      if (!entry) return AddDamagedRecord("a version whose key is damaged");
      NoteBucket(BucketOf(key));
      const Stamp version = *VersionOfRest(entry->rest);
      const std::string where = WhereOf(BucketOf(key), entry->key) + ", version " + version.Text();
      const std::optional<ObjectRecord> record = DecodeObject(value);
      if (!record || record->version != version) return AddDamagedRecord(where);
      CheckObject(*record, where);
    });
  }

  void CheckObject(const ObjectRecord& record, const std::string& where) {
    if (record.is_delete_marker) return;
    if (record.is_inline) return CheckInline(record, where);
    uint64_t bytes = 0;
    for (const Segment& segment : record.segments) {
      bytes += segment.bytes;
      CheckFile(segment, where);
    }
    if (bytes != record.bytes) {
      findings_.AddDamage("sizes_differ", where,
                          "expected " + std::to_string(record.bytes) + " bytes, got files of " +
                              std::to_string(bytes));
    }
  }

  void CheckInline(const ObjectRecord& record, const std::string& where) {
    named_inline_.Add(record.version);
    const auto bytes = store_.Get(kInline, record.version.Bytes());
    if (!bytes.ok()) {
      findings_.AddDamage("bytes_damaged", where, FaultOf(bytes.status()).message());
    } else if (!*bytes) {
      findings_.AddDamage("bytes_missing", where);
    } else if (record.customer_key_md5.empty() && (*bytes)->size() != record.bytes) {
      findings_.AddDamage("sizes_differ", where,
                          "expected " + std::to_string(record.bytes) + " bytes, got " +
                              std::to_string((*bytes)->size()));
    }
  }

  void CheckFile(const Segment& segment, const std::string& where) {
    ++checked_.files;
    named_files_.Add(segment.blob);
    const auto registered = store_.Get(kBlobs, segment.blob.Bytes());
    if (registered.ok() && !*registered) {
      findings_.AddDamage("file_unregistered", where,
                          "the next start would remove \"" + blobs_.PathOf(segment.blob) + "\"");
    }
    const auto there = disk_.Stat(blobs_.PathOf(segment.blob));
    if (there.ok() && !*there) {
      findings_.AddDamage("file_missing", where, blobs_.PathOf(segment.blob));
      return;
    }
    const Status whole = options_.is_scrub
                             ? blobs_.Check(segment, [this] { return !ctx_.Check().ok(); })
                             : blobs_.Open(segment, std::nullopt).status();
    if (!whole.ok()) findings_.AddDamage("file_damaged", where, FaultOf(whole).message());
    if (options_.is_scrub && whole.ok()) checked_.bytes_read += segment.bytes;
  }

  Status WalkUploads() {
    return Walk(kUploads, "uploads", [this](std::string_view key, std::string_view value) {
      ++checked_.uploads;
      const std::optional<KeyedEntry> entry = SplitKeyed(key);
      if (!entry) return AddDamagedRecord("an upload whose key is damaged");
      const Stamp upload = *Stamp::FromBytes(entry->rest);
      uploads_.Add(upload);
      const std::optional<UploadRecord> record = DecodeUpload(value);
      if (record && record->upload == upload) return;
      AddDamagedRecord(WhereOf(BucketOf(key), entry->key) + ", upload " + upload.Text());
    });
  }

  Status WalkParts() {
    return Walk(kParts, "parts", [this](std::string_view key, std::string_view value) {
      ++checked_.parts;
      const std::optional<Stamp> upload = Stamp::FromBytes(key.substr(0, kStampBytes));
      const std::optional<PartRecord> part = DecodePart(value);
      if (!upload || !part || key != PartKey(*upload, part->number)) {
        return AddDamagedRecord(upload ? "a part of upload " + upload->Text()
                                       : "a part whose key is damaged");
      }
      const std::string where =
          "upload " + upload->Text() + ", part " + std::to_string(part->number);
      CheckFile(part->segment, where);
      if (!uploads_.Has(*upload)) findings_.AddLeftover("part_of_no_upload", where);
    });
  }

  Status WalkEvents() {
    return Walk(kEvents, "events", [this](std::string_view key, std::string_view value) {
      ++checked_.events;
      const std::optional<uint64_t> queue = QueueOfEventKey(key);
      if (queue && ParseJson(value).is_object()) return;
      // It names no file: what is left of the records still says which files are needed.
      findings_.AddDamage("record_damaged", WhereOfEvent(queue));
    });
  }

  Status WalkRegisteredFiles() {
    return Walk(kBlobs, "blobs", [this](std::string_view key, std::string_view value) {
      const std::optional<Stamp> blob = Stamp::FromBytes(key);
      if (!blob) return AddDamagedRecord("a file whose key is damaged");
      if (named_files_.Has(*blob)) return;
      findings_.AddLeftover(
          "file_of_no_record", blobs_.PathOf(*blob),
          value.size() < kBucketBytes
              ? std::string()
              : "once of " + WhereOf(BucketOf(value), value.substr(kBucketBytes)));
    });
  }

  Status WalkInline() {
    return Walk(kInline, "inline", [this](std::string_view key, std::string_view value) {
      const std::optional<Stamp> version = Stamp::FromBytes(key);
      if (version && named_inline_.Has(*version)) return;
      findings_.AddLeftover("bytes_of_no_object", version ? "version " + version->Text() : "a key",
                            std::to_string(value.size()) + " bytes");
    });
  }

  /// Files that nobody has registered: what a killed daemon leaves, until the next start.
  Status WalkDirectory() {
    const std::string path = os::JoinPath(options_.directory, "blobs");
    ARROW_ASSIGN_OR_RAISE(const auto folders, disk_.List(path));
    for (const os::DirectoryEntry& folder : folders) {
      if (!folder.is_directory) {
        findings_.AddLeftover("unknown_file", os::JoinPath(path, folder.name));
        continue;
      }
      const std::string folder_path = os::JoinPath(path, folder.name);
      ARROW_ASSIGN_OR_RAISE(const auto files, disk_.List(folder_path));
      for (const os::DirectoryEntry& file : files) {
        ARROW_RETURN_NOT_OK(ctx_.Check());
        CheckListed(os::JoinPath(folder_path, file.name), file.name);
      }
    }
    return Status::OK();
  }

  void CheckListed(const std::string& path, const std::string& name) {
    const std::optional<Stamp> blob = Stamp::Parse(name);
    if (!blob || blobs_.PathOf(*blob) != path) return findings_.AddLeftover("unknown_file", path);
    if (named_files_.Has(*blob)) return;
    const auto registered = store_.Get(kBlobs, blob->Bytes());
    if (registered.ok() && !*registered) {
      findings_.AddLeftover("file_of_no_record", path, "the next start removes it");
    }
  }

  const Context& ctx_;
  os::Disk& disk_;
  const R2CheckOptions& options_;
  const Store& store_;
  const BlobDirectory& blobs_;
  Findings& findings_;
  R2Checked checked_;
  bool is_whole_ = true;  // every record could be read
  StampSet uploads_;
  StampSet named_files_;
  StampSet named_inline_;
  std::map<uint64_t, uint64_t> gone_;  // buckets, how many objects and versions
};

}  // namespace

std::string WhereOf(const KnownResources& buckets, Family family, std::string_view store_key) {
  const bool is_stamp = family == kInline || family == kParts || family == kBlobs;
  if (is_stamp) {
    const auto stamp = Stamp::FromBytes(store_key.substr(0, kStampBytes));
    const char* const what = family == kInline  ? "version "
                             : family == kParts ? "upload "
                                                : "file ";
    return stamp ? what + stamp->Text() : "a key that is damaged";
  }
  if (family == kEvents) return WhereOfEvent(QueueOfEventKey(store_key));
  if (store_key.size() < kBucketBytes) return "a key without a bucket";
  if (family == kObjects) {
    return WhereOfObject(buckets, BucketOf(store_key), store_key.substr(kBucketBytes));
  }
  const std::optional<KeyedEntry> entry = SplitKeyed(store_key);
  return entry ? WhereOfObject(buckets, BucketOf(store_key), entry->key) : "a key that is damaged";
}

Result<R2Checked> CheckR2(const Context& ctx, os::Disk& disk, const R2CheckOptions& options,
                          Findings& findings) {
  findings.Begin("r2");
  db::rocks::StoreOptions opening;
  opening.path = os::JoinPath(options.directory, "index");
  opening.families = IndexFamilies();
  opening.is_read_only = true;
  const Result<std::unique_ptr<Store>> store = Store::Open(std::move(opening));
  if (!store.ok()) {
    findings.AddDamage("store_damaged", os::JoinPath(options.directory, "index"),
                       FaultOf(store.status()).message());
    return R2Checked{.is_readable = false};
  }
  const std::string files = os::JoinPath(options.directory, "blobs");
  ARROW_ASSIGN_OR_RAISE(const auto there, disk.Stat(files));
  if (!there) {
    findings.AddDamage("store_damaged", files, "the directory of all files is missing");
    return R2Checked();
  }
  ARROW_ASSIGN_OR_RAISE(const auto blobs, BlobDirectory::Open(disk, files));
  return Check(ctx, disk, options, **store, *blobs, findings).Run();
}

}  // namespace levada::services::r2
