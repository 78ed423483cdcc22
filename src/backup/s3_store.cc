#include "backup/s3_store.h"

#include <arrow/buffer.h>
#include <arrow/filesystem/filesystem.h>
#include <arrow/filesystem/s3fs.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace levada::backup {
namespace {

using arrow::fs::FileInfo;
using arrow::fs::FileType;

constexpr std::string_view kScheme = "s3://";
constexpr int64_t kCopyBytes = int64_t{8} << 20;

class S3Store final : public BackupStore {
 public:
  S3Store(os::Disk& disk, std::shared_ptr<arrow::fs::FileSystem> files, std::string root)
      : disk_(disk), files_(std::move(files)), root_(std::move(root)) {}
  ~S3Store() override {
    files_.reset();
    (void)arrow::fs::FinalizeS3();  // what it could not end is of nobody's concern any more
  }

  std::string Location(const std::string& path) const override { return "s3://" + At(path); }

  Result<bool> Has(const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(const FileInfo info,
                          Told("look for", path, files_->GetFileInfo(At(path))));
    return info.type() == FileType::File;
  }

  Status PutFile(const std::string& path, const std::string& local_path) override {
    ARROW_ASSIGN_OR_RAISE(const auto source, disk_.Open(local_path));
    ARROW_ASSIGN_OR_RAISE(const auto target,
                          Told("write", path, files_->OpenOutputStream(At(path))));
    std::vector<uint8_t> piece(kCopyBytes);
    for (int64_t offset = 0;;) {
      ARROW_ASSIGN_OR_RAISE(const int64_t got, source->ReadAt(offset, piece));
      if (got == 0) break;
      ARROW_RETURN_NOT_OK(Told("write", path, target->Write(piece.data(), got)));
      offset += got;
    }
    return Told("write", path, target->Close());
  }

  Status Put(const std::string& path, std::string_view content) override {
    ARROW_ASSIGN_OR_RAISE(const auto target,
                          Told("write", path, files_->OpenOutputStream(At(path))));
    ARROW_RETURN_NOT_OK(Told("write", path, target->Write(content)));
    return Told("write", path, target->Close());
  }

  Status Settle() override { return Status::OK(); }

  Result<std::shared_ptr<arrow::io::InputStream>> Open(const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(const FileInfo info,
                          Told("look for", path, files_->GetFileInfo(At(path))));
    if (info.type() != FileType::File) {
      return Fault(FaultCode::kTargetFileMissing, "\"" + Location(path) + "\" is not there")
          .With("path", Location(path));
    }
    return Told("read", path, files_->OpenInputStream(info));
  }

  Result<std::vector<std::string>> List(const std::string& directory) override {
    arrow::fs::FileSelector selector;
    selector.base_dir = At(directory);
    selector.allow_not_found = true;
    ARROW_ASSIGN_OR_RAISE(const auto found, Told("list", directory, files_->GetFileInfo(selector)));
    std::vector<std::string> names;
    for (const FileInfo& info : found) names.push_back(info.base_name());
    std::ranges::sort(names);
    return names;
  }

  Status Remove(const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(const bool there, Has(path));
    return there ? Told("remove", path, files_->DeleteFile(At(path))) : Status::OK();
  }

 private:
  std::string At(const std::string& path) const {
    return path.empty() ? root_ : root_ + "/" + path;
  }

  Status Told(const char* doing, const std::string& path, const Status& status) const {
    if (status.ok()) return status;
    return Fault(FaultCode::kTargetIo, std::string("cannot ") + doing + " \"" + Location(path) +
                                           "\": " + status.message())
        .With("path", Location(path));
  }
  template <typename T>
  Result<T> Told(const char* doing, const std::string& path, Result<T> result) const {
    if (result.ok()) return result;
    return Told(doing, path, result.status());
  }

  os::Disk& disk_;
  std::shared_ptr<arrow::fs::FileSystem> files_;
  const std::string root_;  // "bucket/prefix"
};

}  // namespace

Result<std::unique_ptr<BackupStore>> OpenS3Store(os::Disk& disk, const std::string& uri) {
  const std::string_view authority = std::string_view(uri).substr(0, uri.find('/', kScheme.size()));
  if (authority.find('@') != authority.npos) {
    return Fault(FaultCode::kBadValue, "the address of the bucket has credentials in it")
        .Help(
            "leave them out, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: who sees the "
            "list of processes sees the address");
  }
  // Its log would stand between our lines; what fails is told by us.
  ARROW_RETURN_NOT_OK(arrow::fs::InitializeS3({arrow::fs::S3LogLevel::Off}));
  std::string root;
  const auto files = arrow::fs::FileSystemFromUri(uri, &root);
  while (root.ends_with('/')) root.pop_back();
  if (!files.ok() || root.empty()) {
    (void)arrow::fs::FinalizeS3();
    return Fault(FaultCode::kBadValue, "\"" + uri + "\" names no place in S3" +
                                           (files.ok() ? "" : ": " + files.status().message()))
        .Help("write s3://BUCKET/PREFIX, with ?region=, endpoint_override= and scheme= as needed");
  }
  return std::make_unique<S3Store>(disk, *files, std::move(root));
}

}  // namespace levada::backup
