#include "app/r2_shelf.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "services/core/on_thread.h"
#include "services/r2/r2_error.h"

namespace levada::app {
namespace {

namespace r2 = services::r2;
using net::Task;

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr auto kLook = std::chrono::milliseconds(100);
constexpr int kLooksOfStop = 100;  // ten seconds for what is under way
constexpr const char* kContentType = "application/vnd.sqlite3";

/// Words for an operator.
Status Told(const Status& status, const std::string& bucket, const std::string& key = {}) {
  if (status.ok() || !r2::IsR2Error(status)) return status;
  const bool is_missing = r2::R2ErrorCodeOf(status) == r2::R2ErrorCode::kNoSuchKey;
  const std::string what = is_missing
                               ? fmt::format("bucket \"{}\" has no object \"{}\"", bucket, key)
                               : fmt::format("bucket \"{}\": {}", bucket, r2::R2MessageOf(status));
  return Fault(is_missing ? FaultCode::kBadValue : FaultCode::kTargetIo, what);
}

/// A run of a file's bytes as an object, or a part of one.
class FileSource final : public r2::ObjectSource {
 public:
  FileSource(std::shared_ptr<os::ReadableFile> file, r2::ByteRange range,
             std::optional<checksums::Digest> sha256, net::Loop& loop, net::Workers& workers,
             std::function<bool()> is_stopping)
      : file_(std::move(file)),
        left_(range),
        bytes_(range.bytes),
        sha256_(std::move(sha256)),
        loop_(loop),
        workers_(workers),
        is_stopping_(std::move(is_stopping)) {}

  Task<Result<std::string_view>> Read() override {
    if (is_stopping_()) co_return Fault(FaultCode::kStopped, "the daemon stops");
    const size_t size = std::min<uint64_t>(kPieceBytes, left_.bytes);
    // The thread may outlast this: what it works on is shared.
    auto piece = std::make_shared<std::string>(size, '\0');
    const auto file = file_;
    const auto offset = static_cast<int64_t>(left_.begin);
    const net::Arrival<Result<int64_t>> arrival(loop_);
    const bool is_taken = workers_.Submit([arrival, piece, file, offset] {
      arrival.Set(file->ReadAt(offset, {reinterpret_cast<uint8_t*>(piece->data()), piece->size()}));
    });
    if (!is_taken) co_return services::Busy();
    const Result<int64_t> got = co_await arrival;
    if (!got.ok()) co_return got.status();
    if (static_cast<size_t>(*got) != size) {
      co_return Fault(FaultCode::kTargetIo, "the copy is shorter than it was");
    }
    left_.begin += size;
    left_.bytes -= size;
    piece_ = std::move(piece);
    co_return std::string_view(*piece_);
  }
  std::optional<uint64_t> declared_bytes() const override { return bytes_; }
  std::vector<checksums::Algorithm> algorithms() const override {
    if (!sha256_) return {};
    return {checksums::Algorithm::kSha256};
  }
  Result<std::vector<r2::StoredChecksum>> Check(const r2::Computed& computed) override {
    std::vector<r2::StoredChecksum> kept;
    if (!sha256_) return kept;
    const checksums::Digest* digest = computed.Find(checksums::Algorithm::kSha256);
    if (digest == nullptr || *digest != *sha256_) {
      return Fault(FaultCode::kStoreDamaged, "the copy is not what it was when it was made");
    }
    kept.push_back(
        {checksums::Algorithm::kSha256, checksums::ChecksumType::kFullObject, digest->Base64()});
    return kept;
  }

 private:
  const std::shared_ptr<os::ReadableFile> file_;
  r2::ByteRange left_;
  const uint64_t bytes_;
  const std::optional<checksums::Digest> sha256_;
  net::Loop& loop_;
  net::Workers& workers_;
  const std::function<bool()> is_stopping_;
  std::shared_ptr<std::string> piece_;
};

}  // namespace

struct R2Shelf::Upload {
  std::string bucket;
  std::string key;
  r2::ObjectAttributes attributes;
  std::shared_ptr<os::ReadableFile> file;
  uint64_t bytes = 0;
  std::optional<checksums::Digest> sha256;
};

template <typename T>
Result<T> R2Shelf::Wait(Task<Result<T>> task) {
  struct Bring {
    static Task<void> Run(Task<Result<T>> task, std::shared_ptr<std::promise<Result<T>>> promise) {
      Result<T> result = co_await std::move(task);
      promise->set_value(std::move(result));
    }
  };
  const auto promise = std::make_shared<std::promise<Result<T>>>();
  std::future<Result<T>> future = promise->get_future();
  with_.loop.Spawn(Bring::Run(std::move(task), promise));
  // Where the loop ends first, nobody brings it.
  for (int looks = 0; looks < kLooksOfStop;) {
    if (future.wait_for(kLook) == std::future_status::ready) return future.get();
    if (with_.is_stopping()) ++looks;
  }
  return Fault(FaultCode::kStopped, "the daemon stops");
}

Result<r2::Bucket> R2Shelf::BucketOf(const std::string& name) const {
  ARROW_ASSIGN_OR_RAISE(const auto bucket, with_.buckets.Find(name));
  if (bucket != nullptr) return bucket->bucket();
  return Fault(FaultCode::kBadValue, fmt::format("there is no bucket \"{}\"", name));
}

Task<Result<std::vector<std::string>>> R2Shelf::ListTask(std::string bucket, std::string prefix) {
  const Result<r2::Bucket> found = BucketOf(bucket);
  if (!found.ok()) co_return found.status();
  std::vector<std::string> keys;
  r2::ListRequest request;
  request.prefix = std::move(prefix);
  do {
    const Result<r2::ListPage> page = co_await with_.store.List(*found, request);
    if (!page.ok()) co_return Told(page.status(), bucket);
    for (const r2::ListedObject& object : page->objects) keys.push_back(object.key);
    request.after = page->next;
    // Not a part of them: what is missing would be taken for not being there.
    if (with_.is_stopping()) co_return Fault(FaultCode::kStopped, "the daemon stops");
  } while (!request.after.empty());
  co_return keys;
}

Task<Result<bool>> R2Shelf::PutTask(std::shared_ptr<const Upload> upload) {
  const Result<r2::Bucket> bucket = BucketOf(upload->bucket);
  if (!bucket.ok()) co_return bucket.status();
  if (upload->bytes > part_bytes_) {
    Result<bool> put = co_await PutParts(upload, *bucket);
    co_return put;
  }
  const r2::ByteRange all{0, upload->bytes};
  FileSource source(upload->file, all, upload->sha256, with_.loop, with_.workers,
                    with_.is_stopping);
  r2::PutOptions options;
  options.attributes = upload->attributes;
  const Result<r2::ObjectRecord> put =
      co_await with_.store.Put(*bucket, upload->key, std::move(options), source);
  if (!put.ok()) co_return put.status();
  co_return true;
}

/// What a killed daemon left of uploads of the same database.
Task<Result<bool>> R2Shelf::AbortOthers(std::string prefix, r2::Bucket bucket) {
  r2::ListRequest request;
  request.prefix = std::move(prefix);
  const Result<r2::UploadPage> page = co_await with_.store.ListUploads(bucket, request);
  if (!page.ok()) co_return page.status();
  for (const r2::ListedUpload& other : page->uploads) {
    const Status aborted = co_await with_.store.AbortUpload(bucket, other.key, other.record.upload);
    if (!aborted.ok() && !r2::IsR2Error(aborted)) co_return aborted;
  }
  co_return true;
}

Task<Result<bool>> R2Shelf::PutParts(std::shared_ptr<const Upload> upload, r2::Bucket bucket) {
  const std::string& key = upload->key;
  const Result<bool> cleared = co_await AbortOthers(key.substr(0, key.rfind('/') + 1), bucket);
  if (!cleared.ok()) co_return cleared.status();
  r2::UploadOptions options;
  options.attributes = upload->attributes;
  const Result<r2::UploadRecord> begun =
      co_await with_.store.CreateUpload(bucket, key, std::move(options));
  if (!begun.ok()) co_return begun.status();
  r2::CompleteOptions complete;
  complete.bytes = upload->bytes;
  Status status;
  for (uint64_t at = 0; at < upload->bytes && status.ok(); at += part_bytes_) {
    const r2::ByteRange range{at, std::min(part_bytes_, upload->bytes - at)};
    FileSource source(upload->file, range, std::nullopt, with_.loop, with_.workers,
                      with_.is_stopping);
    const int number = static_cast<int>(complete.parts.size()) + 1;
    const Result<r2::PartRecord> part =
        co_await with_.store.PutPart(bucket, key, begun->upload, number, std::nullopt, source);
    status = part.status();
    if (!part.ok()) break;
    r2::CompletedPart done;
    done.number = number;
    done.etag = checksums::Digest(part->md5).Hex();
    complete.parts.push_back(std::move(done));
  }
  if (status.ok()) {
    const Result<r2::ObjectRecord> made =
        co_await with_.store.CompleteUpload(bucket, key, begun->upload, std::move(complete));
    status = made.status();
  }
  if (status.ok()) co_return true;
  (void)co_await with_.store.AbortUpload(bucket, key, begun->upload);
  co_return status;
}

Task<Result<R2Shelf::Labels>> R2Shelf::FetchTask(std::string bucket, std::string key,
                                                 std::string path) {
  const Result<r2::Bucket> found = BucketOf(bucket);
  if (!found.ok()) co_return found.status();
  const r2::VersionChoice current;
  Result<r2::OpenedObject> opened = co_await with_.store.OpenObject(*found, key, current);
  if (!opened.ok()) co_return Told(opened.status(), bucket, key);
  if (!opened->record.customer_key_md5.empty()) {
    co_return Fault(FaultCode::kBadValue, "the object is encrypted with a key of its own");
  }
  Labels labels = opened->record.attributes.custom;
  const r2::ByteRange all{0, opened->record.bytes};
  const std::unique_ptr<r2::ObjectReader> reader =
      with_.store.Read(*std::move(opened), all, std::nullopt);
  const auto out = std::make_shared<std::unique_ptr<os::WritableFile>>();
  Status status = co_await services::OnThread(with_.loop, with_.workers, [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(*out, with_.disk.Create(path));
    return Status::OK();
  });
  while (status.ok()) {
    const Result<std::string_view> piece = co_await reader->Next();
    if (!piece.ok()) co_return Told(piece.status(), bucket, key);
    if (piece->empty()) break;
    if (with_.is_stopping()) co_return Fault(FaultCode::kStopped, "the daemon stops");
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(piece->data()),
                                         piece->size());
    status = co_await services::OnThread(with_.loop, with_.workers,
                                         [&] { return (*out)->Append(bytes); });
  }
  if (status.ok()) {
    status = co_await services::OnThread(with_.loop, with_.workers, [&]() -> Status {
      ARROW_RETURN_NOT_OK((*out)->Sync());
      return (*out)->Close();
    });
  }
  if (!status.ok()) co_return status;
  co_return labels;
}

Task<Result<bool>> R2Shelf::RemoveTask(std::string bucket, std::string key) {
  const Result<r2::Bucket> found = BucketOf(bucket);
  if (!found.ok()) co_return found.status();
  r2::DeleteTarget target;
  target.key = std::move(key);
  const Result<r2::Deleted> deleted = co_await with_.store.Delete(*found, std::move(target));
  if (!deleted.ok()) co_return deleted.status();
  if (!deleted->refused.ok()) co_return deleted->refused;
  co_return true;
}

Result<std::vector<std::string>> R2Shelf::List(const std::string& bucket,
                                               const std::string& prefix) {
  return Wait(ListTask(bucket, prefix));
}

Status R2Shelf::Put(const std::string& bucket, const std::string& key, const Labels& labels,
                    const std::string& path, const std::string& sha256) {
  auto upload = std::make_shared<Upload>();
  upload->bucket = bucket;
  upload->key = key;
  upload->attributes.http.content_type = kContentType;
  upload->attributes.custom = labels;
  upload->sha256 =
      checksums::Digest::FromHex(sha256, checksums::DigestBytes(checksums::Algorithm::kSha256));
  ARROW_ASSIGN_OR_RAISE(upload->file, with_.disk.Open(path));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, upload->file->Size());
  upload->bytes = static_cast<uint64_t>(size);
  return Told(Wait(PutTask(std::move(upload))).status(), bucket, key);
}

Result<services::d1::BackupLabels> R2Shelf::Fetch(const std::string& bucket, const std::string& key,
                                                  const std::string& path) {
  return Wait(FetchTask(bucket, key, path));
}

Status R2Shelf::Remove(const std::string& bucket, const std::string& key) {
  return Told(Wait(RemoveTask(bucket, key)).status(), bucket, key);
}

}  // namespace levada::app
