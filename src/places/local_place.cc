#include "places/local_place.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/counters.h"
#include "base/url.h"
#include "places/local_reader.h"
#include "places/sha256.h"

namespace levada::places {
namespace {

// A Parquet writer emits page headers of some 30 bytes between its pages: those are gathered, pages
// pass through.
constexpr size_t kGatherBytes = 64 * 1024;

// Prune of another window may take away a directory between its making and our first file in it.
constexpr int kStageTries = 8;

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class LocalStagingFile final : public StagingFile {
 public:
  LocalStagingFile(os::Disk& disk, std::string full_path, std::string staged,
                   std::unique_ptr<os::WritableFile> file, Sha256 sha256, Counters* counters)
      : disk_(disk),
        full_path_(std::move(full_path)),
        staged_(std::move(staged)),
        file_(std::move(file)),
        sha256_(std::move(sha256)),
        counters_(counters) {}

  ~LocalStagingFile() override {
    if (sealed_) return;
    (void)file_->Close();            // the file goes, so what became of its bytes does not matter
    (void)disk_.Remove(full_path_);  // what stays is removed under the lock of the next run
  }

  arrow::Status Write(const void* data, int64_t nbytes) override {
    if (closed_) return Fault(FaultCode::kInternal, "staged file is closed");
    const std::span<const uint8_t> bytes(static_cast<const uint8_t*>(data),
                                         static_cast<size_t>(nbytes));
    ARROW_RETURN_NOT_OK(sha256_.Update(bytes));
    position_ += nbytes;
    if (gathered_.size() + bytes.size() > kGatherBytes) ARROW_RETURN_NOT_OK(Flush());
    if (bytes.size() >= kGatherBytes) return Append(bytes);
    gathered_.reserve(kGatherBytes);
    gathered_.insert(gathered_.end(), bytes.begin(), bytes.end());
    return Status::OK();
  }
  using arrow::io::OutputStream::Write;

  arrow::Status Flush() override {
    if (gathered_.empty()) return Status::OK();
    ARROW_RETURN_NOT_OK(Append(gathered_));
    gathered_ = {};  // a file may stay open for long until more comes
    return Status::OK();
  }

  // Arrow's writers close the stream at their end; what makes a file durable is Seal.
  arrow::Status Close() override {
    if (closed_) return Status::OK();
    closed_ = true;
    return Flush();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }

  Result<StagedFile> Seal() override {
    ARROW_RETURN_NOT_OK(Close());
    StagedFile staged{staged_, position_, {}};
    ARROW_ASSIGN_OR_RAISE(staged.sha256, sha256_.Finish());
    const Timed timed(counters_->target_wait_ns);
    ARROW_RETURN_NOT_OK(file_->Sync());
    ARROW_RETURN_NOT_OK(file_->Close());
    ARROW_RETURN_NOT_OK(disk_.SyncDirectory(os::ParentPath(full_path_)));
    sealed_ = true;
    return staged;
  }

  const std::string& staged() const override { return staged_; }

 private:
  Status Append(std::span<const uint8_t> bytes) {
    const Timed timed(counters_->target_wait_ns);
    ARROW_RETURN_NOT_OK(file_->Append(bytes));
    counters_->bytes_written += static_cast<int64_t>(bytes.size());
    return Status::OK();
  }

  os::Disk& disk_;
  const std::string full_path_;
  const std::string staged_;
  const std::unique_ptr<os::WritableFile> file_;
  Sha256 sha256_;
  Counters* const counters_;
  std::vector<uint8_t> gathered_;
  int64_t position_ = 0;
  bool closed_ = false;
  bool sealed_ = false;
};

class LocalLock final : public PlaceLock {
 public:
  LocalLock(os::Disk& disk, std::string path, std::unique_ptr<os::FileLock> lock)
      : disk_(disk), path_(std::move(path)), lock_(std::move(lock)) {}

  Result<std::string> Read(Context&) const override {
    ARROW_ASSIGN_OR_RAISE(auto text, os::ReadFile(disk_, path_, kLockTextBytesMax));
    return text.value_or("");
  }

  Status Write(Context&, std::string_view text) override {
    ARROW_ASSIGN_OR_RAISE(auto file, disk_.Create(path_));
    ARROW_RETURN_NOT_OK(file->Append(BytesOf(text)));
    ARROW_RETURN_NOT_OK(file->Sync());
    ARROW_RETURN_NOT_OK(file->Close());
    return disk_.SyncDirectory(os::ParentPath(path_));
  }

 private:
  static constexpr int64_t kLockTextBytesMax = 64 * 1024;
  os::Disk& disk_;
  const std::string path_;
  const std::unique_ptr<os::FileLock> lock_;
};

class LocalPlace final : public Place {
 public:
  LocalPlace(os::Disk& disk, std::string root) : disk_(disk), root_(std::move(root)) {}

  std::string Location(const std::string& path) const override { return Full(path); }

  Result<std::unique_ptr<StagingFile>> Stage(Context& ctx, const std::string& path,
                                             std::string_view tag) override {
    const std::string directory = os::ParentPath(path);
    std::string staged = StagedName(tag, os::BaseName(path));
    if (directory != ".") staged = os::JoinPath(directory, staged);
    ARROW_ASSIGN_OR_RAISE(Sha256 sha256, Sha256::Make());
    ARROW_ASSIGN_OR_RAISE(auto file, Create(Full(staged)));
    return std::make_unique<LocalStagingFile>(disk_, Full(staged), staged, std::move(file),
                                              std::move(sha256), ctx.counters);
  }

  Status Publish(Context&, const std::string& staged, const std::string& path) override {
    return disk_.Rename(Full(staged), Full(path));
  }

  Status Withdraw(Context&, const std::string& path, const std::string& staged) override {
    return disk_.Rename(Full(path), Full(staged));
  }

  Status Remove(Context&, const std::string& path) override { return disk_.Remove(Full(path)); }

  Status Settle(Context&, std::span<const std::string> paths) override {
    return SyncAll(DirectoriesOf(paths));
  }

  Status Prune(Context&, const std::string& directory) override {
    for (std::string at = directory; !at.empty() && at != "."; at = os::ParentPath(at)) {
      ARROW_RETURN_NOT_OK(disk_.RemoveEmptyDirectory(Full(at)));
      ARROW_ASSIGN_OR_RAISE(const auto left, disk_.Stat(Full(at)));
      if (left) break;
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(Context&,
                                                            const std::string& path) override {
    return OpenLocal(disk_, Full(path));
  }

  Result<std::optional<int64_t>> Size(Context&, const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(const auto entry, disk_.Stat(Full(path)));
    if (!entry || entry->is_directory) return std::nullopt;
    return entry->size_bytes;
  }

  Result<std::vector<PlaceEntry>> List(Context&, const std::string& directory) override {
    auto listed = disk_.List(Full(directory));
    if (!listed.ok() && CodeOf(listed.status()) == FaultCode::kTargetFileMissing) {
      return std::vector<PlaceEntry>();
    }
    ARROW_ASSIGN_OR_RAISE(auto entries, std::move(listed));
    std::vector<PlaceEntry> found;
    found.reserve(entries.size());
    for (os::DirectoryEntry& entry : entries) {
      found.push_back({std::move(entry.name), entry.is_directory, entry.size_bytes});
    }
    return found;
  }

  Result<std::optional<Record>> ReadRecord(Context&, const std::string& path,
                                           int64_t limit_bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto content, os::ReadFile(disk_, Full(path), limit_bytes));
    if (!content) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(std::string tag, Sha256Of(*content));
    return Record{std::move(*content), std::move(tag)};
  }

  Status WriteRecord(Context& ctx, const std::string& path, std::string_view content,
                     const Expectation& expected) override {
    if (expected.kind != Expectation::Kind::kAnything) {
      ARROW_RETURN_NOT_OK(CheckExpected(ctx, path, expected));
    }
    ARROW_RETURN_NOT_OK(disk_.CreateDirectories(os::ParentPath(Full(path))));
    ARROW_RETURN_NOT_OK(os::WriteFileDurably(disk_, Full(path), content));
    std::set<std::string> above = DirectoriesOf({&path, 1});
    above.erase(os::ParentPath(Full(path)));  // just synced
    return SyncAll(above);
  }

  Result<std::unique_ptr<PlaceLock>> TryLock(Context&, const std::string& path) override {
    const std::string full = Full(path);
    ARROW_RETURN_NOT_OK(disk_.CreateDirectories(os::ParentPath(full)));
    ARROW_ASSIGN_OR_RAISE(auto lock, disk_.TryLock(full));
    if (lock == nullptr) return nullptr;
    return std::make_unique<LocalLock>(disk_, full, std::move(lock));
  }

 private:
  std::string Full(const std::string& path) const {
    return path.empty() ? root_ : os::JoinPath(root_, path);
  }

  // Those above `paths` up to the root. All of them, because one that was there already may have
  // been made by a process that died before it synced it, or has not come to it yet.
  std::set<std::string> DirectoriesOf(std::span<const std::string> paths) const {
    std::set<std::string> directories;
    for (const std::string& path : paths) {
      std::string at = os::ParentPath(Full(path));
      while (directories.insert(at).second && at.size() > root_.size()) at = os::ParentPath(at);
    }
    return directories;
  }

  Status SyncAll(const std::set<std::string>& directories) {
    for (const std::string& directory : directories) {
      const Status synced = disk_.SyncDirectory(directory);
      // Pruned since: then nothing in it needs to last.
      if (!synced.ok() && CodeOf(synced) != FaultCode::kTargetFileMissing) return synced;
    }
    return Status::OK();
  }

  Result<std::unique_ptr<os::WritableFile>> Create(const std::string& full_path) {
    for (int tries = 1;; ++tries) {
      ARROW_RETURN_NOT_OK(disk_.CreateDirectories(os::ParentPath(full_path)));
      auto created = disk_.Create(full_path);
      const bool vanished =
          !created.ok() && CodeOf(created.status()) == FaultCode::kTargetFileMissing;
      if (!vanished || tries == kStageTries) return created;
    }
  }

  Status CheckExpected(Context& ctx, const std::string& path, const Expectation& expected) {
    ARROW_ASSIGN_OR_RAISE(const auto found, ReadRecord(ctx, path, kComparedBytesMax));
    const bool as_expected =
        expected.kind == Expectation::Kind::kAbsent ? !found : found && found->tag == expected.tag;
    if (as_expected) return Status::OK();
    return Fault(FaultCode::kFenced,
                 fmt::format("\"{}\" was written by somebody else meanwhile", Full(path)))
        .With("path", Full(path));
  }

  static constexpr int64_t kComparedBytesMax = int64_t{1} << 30;
  os::Disk& disk_;
  const std::string root_;
};

}  // namespace

std::string StagedName(std::string_view tag, std::string_view name) {
  return fmt::format("{}{}-{}{}", kStagedPrefix, tag, name, kStagedSuffix);
}

std::unique_ptr<Place> MakeLocalPlace(os::Disk& disk, std::string root) {
  return std::make_unique<LocalPlace>(disk, std::move(root));
}

Result<std::string> LocalPathOf(const std::string& location) {
  if (location.empty()) {
    return Fault(FaultCode::kBadValue, "location is empty").Help("name a directory");
  }
  // A shell would have replaced it; here it would become a directory of that name.
  if (location == "~" || location.starts_with("~/")) {
    return Fault(FaultCode::kBadValue,
                 fmt::format("location \"{}\": \"~\" stands for no directory here", location))
        .Help(
            "write the directory in full, in a pipeline file ${env:HOME}/... in quotes; ./~ is "
            "one of that name");
  }
  const size_t colon = location.find("://");
  if (colon == std::string::npos) return location;
  const std::string scheme = location.substr(0, colon);
  if (scheme != "file") {
    return Fault(FaultCode::kBadValue,
                 fmt::format("location \"{}\": expected a local directory, got scheme \"{}\"",
                             location, scheme))
        .Help("write a path, a URL that starts with file:///, or one of a bucket, s3://...");
  }
  const std::string_view rest = std::string_view(location).substr(colon + 3);
  if (!rest.starts_with('/')) {
    return Fault(FaultCode::kBadValue,
                 fmt::format("location \"{}\": a file:// URL names no host", location))
        .Help("write three slashes: file:///directory");
  }
  std::optional<std::string> path = PercentDecoded(rest);
  if (path && path->find('\0') == std::string::npos) return *std::move(path);
  return Fault(FaultCode::kBadValue,
               fmt::format("location \"{}\": \"%\" must be followed by two hex digits", location))
      .Help("write a literal percent sign in a file:// URL as %25");
}

}  // namespace levada::places
