#include "places/s3/s3_place.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/counters.h"
#include "places/s3/s3_objects.h"
#include "places/s3/s3_staging_file.h"

namespace levada::places {
namespace {

constexpr std::string_view kProbe = "_levada/_probe";
// What two files at once have in memory, times as many as rows may jump between.
constexpr int kStagingFilesMax = 8;
constexpr int64_t kReadBytesMax = int64_t{1} << 30;

/// An object, read by ranges. It stays the one that was opened, or reading fails.
class S3File final : public arrow::io::RandomAccessFile {
 public:
  S3File(const Context& ctx, std::shared_ptr<S3Client> client, std::string key, S3Object object)
      : ctx_(ctx), client_(std::move(client)), key_(std::move(key)), object_(std::move(object)) {}

  arrow::Status Close() override {
    closed_ = true;
    return Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Seek(int64_t position) override {
    if (position < 0) return Fault(FaultCode::kInternal, "a position below zero");
    position_ = position;
    return Status::OK();
  }
  arrow::Result<int64_t> GetSize() override { return object_.bytes; }

  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position_, nbytes, out));
    position_ += got;
    return got;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(auto got, ReadAt(position_, nbytes));
    position_ += got->size();
    return got;
  }
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t nbytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const std::string bytes, Fetch(position, nbytes));
    std::copy(bytes.begin(), bytes.end(), static_cast<char*>(out));
    return static_cast<int64_t>(bytes.size());
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(std::string bytes, Fetch(position, nbytes));
    return arrow::Buffer::FromString(std::move(bytes));
  }

 private:
  Result<std::string> Fetch(int64_t position, int64_t nbytes) {
    nbytes = std::clamp<int64_t>(object_.bytes - position, 0, std::min(nbytes, kReadBytesMax));
    Context ctx = ctx_;
    ARROW_ASSIGN_OR_RAISE(std::string bytes,
                          GetRange(ctx, *client_, key_, position, nbytes, object_.etag));
    if (bytes.size() == static_cast<size_t>(nbytes)) return bytes;
    return Fault(FaultCode::kTargetIo, fmt::format("object \"{}\": expected {} bytes at {}, got {}",
                                                   key_, nbytes, position, bytes.size()));
  }

  const Context ctx_;
  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  const S3Object object_;
  int64_t position_ = 0;
  bool closed_ = false;
};

int64_t BytesOf(const std::vector<S3Part>& parts) {
  int64_t bytes = 0;
  for (const S3Part& part : parts) bytes += part.bytes;
  return bytes;
}

class S3Place final : public Place {
 public:
  S3Place(std::shared_ptr<S3Client> client, Random& random, S3PlaceLimits limits)
      : client_(std::move(client)), random_(random), limits_(limits) {}

  std::string Location(const std::string& path) const override {
    const auto staged = ParseStaged(path);
    return client_->address().Location(staged ? staged->path : path);
  }
  int64_t staging_bytes() const override { return 2 * limits_.part_bytes; }
  int staging_files_max() const override { return kStagingFilesMax; }
  bool reads_staged() const override { return false; }

  Result<std::unique_ptr<StagingFile>> Stage(Context& ctx, const std::string& path,
                                             std::string_view) override {
    S3Staged staged{path, {}};
    ARROW_ASSIGN_OR_RAISE(staged.upload, CreateUpload(ctx, *client_, Key(path)));
    return MakeS3StagingFile(ctx, client_, UploadOf(staged), staged, limits_.part_bytes);
  }

  Status Publish(Context& ctx, const std::string& staged, const std::string& path) override {
    const auto named = ParseStaged(staged);
    if (!named || named->path != path) {
      return Fault(FaultCode::kInternal,
                   fmt::format("\"{}\" is not staged for \"{}\"", staged, path));
    }
    const S3Upload upload = UploadOf(*named);
    ARROW_ASSIGN_OR_RAISE(const auto parts, ListParts(ctx, *client_, upload));
    if (parts && !parts->empty()) {
      ARROW_ASSIGN_OR_RAISE(const bool done, CompleteUpload(ctx, *client_, upload, *parts));
      if (done) return Status::OK();
      // A first answer may have been lost.
      ARROW_ASSIGN_OR_RAISE(const auto bytes, Size(ctx, path));
      if (bytes == BytesOf(*parts)) return Status::OK();
    }
    return Fault(FaultCode::kTargetFileMissing,
                 fmt::format("nothing is staged for \"{}\"", Location(path)));
  }

  // An upload that was completed is no upload any more.
  Status Withdraw(Context& ctx, const std::string& path, const std::string&) override {
    return DeleteObject(ctx, *client_, Key(path));
  }

  Status Remove(Context& ctx, const std::string& path) override {
    const auto staged = ParseStaged(path);
    return staged ? AbortUpload(ctx, *client_, UploadOf(*staged))
                  : DeleteObject(ctx, *client_, Key(path));
  }
  Status Settle(Context&, std::span<const std::string>) override { return Status::OK(); }
  Status Prune(Context&, const std::string&) override { return Status::OK(); }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(Context& ctx,
                                                            const std::string& path) override {
    if (ParseStaged(path)) {
      return Fault(FaultCode::kTargetUnsupported,
                   fmt::format("\"{}\" cannot be read before it is published", Location(path)));
    }
    ARROW_ASSIGN_OR_RAISE(auto object, HeadObject(ctx, *client_, Key(path)));
    if (!object) {
      return Fault(FaultCode::kTargetFileMissing,
                   fmt::format("\"{}\" is not there", Location(path)))
          .With("path", Location(path));
    }
    return std::make_shared<S3File>(ctx, client_, Key(path), std::move(*object));
  }

  Result<std::optional<int64_t>> Size(Context& ctx, const std::string& path) override {
    if (const auto staged = ParseStaged(path)) {
      ARROW_ASSIGN_OR_RAISE(const auto parts, ListParts(ctx, *client_, UploadOf(*staged)));
      if (!parts) return std::nullopt;
      return BytesOf(*parts);
    }
    ARROW_ASSIGN_OR_RAISE(const auto object, HeadObject(ctx, *client_, Key(path)));
    if (!object) return std::nullopt;
    return object->bytes;
  }

  Result<std::vector<PlaceEntry>> List(Context& ctx, const std::string& directory) override {
    const std::string prefix = directory.empty() ? Key("") : Key(directory) + "/";
    ARROW_ASSIGN_OR_RAISE(const S3Listed listed, ListObjects(ctx, *client_, prefix));
    ARROW_ASSIGN_OR_RAISE(const auto uploads, ListUploads(ctx, *client_, prefix));
    std::vector<PlaceEntry> entries;
    for (const S3Listed::Entry& object : listed.objects) {
      // The object of a "directory" that some tools make.
      if (object.key.size() <= prefix.size() || !object.key.starts_with(prefix)) continue;
      entries.push_back({object.key.substr(prefix.size()), false, object.bytes});
    }
    for (const std::string& below : listed.prefixes) {
      if (below.size() <= prefix.size() + 1 || !below.starts_with(prefix)) continue;
      entries.push_back({below.substr(prefix.size(), below.size() - prefix.size() - 1), true, 0});
    }
    for (const S3Upload& upload : uploads) {
      if (!upload.key.starts_with(prefix)) continue;
      const std::string name = upload.key.substr(prefix.size());
      if (name.empty() || name.find('/') != name.npos) continue;
      const std::string path = directory.empty() ? name : directory + "/" + name;
      entries.push_back(
          {StagedName(kUnknownTag, name), false, 0, S3Staged{path, upload.id}.ToText()});
    }
    std::ranges::sort(entries, {}, &PlaceEntry::name);
    return entries;
  }

  Result<std::optional<Record>> ReadRecord(Context& ctx, const std::string& path,
                                           int64_t limit_bytes) override {
    return GetObject(ctx, *client_, Key(path), limit_bytes);
  }

  Status WriteRecord(Context& ctx, const std::string& path, std::string_view content,
                     const Expectation& expected) override {
    return PutObject(ctx, *client_, Key(path), content, expected).status();
  }

  Result<std::unique_ptr<PlaceLock>> TryLock(Context& ctx, const std::string& path) override {
    ARROW_RETURN_NOT_OK(CheckConditions(ctx));
    return TryLease(ctx, client_, random_, Key(path), limits_.lease);
  }

 private:
  std::string Key(const std::string& path) const {
    const std::string& prefix = client_->address().prefix;
    return prefix.empty() ? path : prefix + "/" + path;
  }
  S3Upload UploadOf(const S3Staged& staged) const { return {Key(staged.path), staged.upload}; }

  // Whether the server looks at conditions: one that does not would let two writers through.
  Status CheckConditions(Context& ctx) {
    const std::lock_guard lock(mutex_);
    if (has_conditions_) return Status::OK();
    const std::string path = fmt::format("{}-{}", kProbe, NewId(random_));
    const std::string key = Key(path);
    ARROW_RETURN_NOT_OK(PutObject(ctx, *client_, key, "a", Expectation::Absent()).status());
    const auto taken = PutObject(ctx, *client_, key, "b", Expectation::Absent());
    const auto other =
        PutObject(ctx, *client_, key, "c", Expectation::Tag("0123456789abcdef0123456789abcdef"));
    ARROW_RETURN_NOT_OK(DeleteObject(ctx, *client_, key));
    for (const auto& written : {taken, other}) {
      if (written.ok()) {
        return Fault(FaultCode::kTargetUnsupported,
                     fmt::format("{} ignores conditional writes, by which runs exclude each other",
                                 client_->address().origin))
            .With("server", client_->address().origin)
            .Help(
                "use a server that honours If-None-Match and If-Match on PUT: S3, R2, MinIO, "
                "SeaweedFS, Ceph, levada serve");
      }
      if (CodeOf(written.status()) != FaultCode::kFenced) return written.status();
    }
    has_conditions_ = true;
    return Status::OK();
  }

  const std::shared_ptr<S3Client> client_;
  Random& random_;
  const S3PlaceLimits limits_;
  std::mutex mutex_;
  bool has_conditions_ = false;
};

}  // namespace

std::unique_ptr<Place> MakeS3Place(std::shared_ptr<S3Client> client, Random& random,
                                   S3PlaceLimits limits) {
  return std::make_unique<S3Place>(std::move(client), random, limits);
}

}  // namespace levada::places
