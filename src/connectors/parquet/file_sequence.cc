#include "connectors/parquet/file_sequence.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "base/counters.h"
#include "base/failpoint.h"

namespace levada::parquet {
namespace {

// A staged file that is created with its first byte: most files of a layout by directories wait
// long for theirs, and some wait side by side in thousands.
class LateFile final : public arrow::io::OutputStream {
 public:
  using Create = std::function<Result<std::unique_ptr<places::StagingFile>>()>;
  explicit LateFile(Create create) : create_(std::move(create)) {}

  arrow::Status Write(const void* data, int64_t nbytes) override {
    if (file_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(file_, create_());
    }
    return file_->Write(data, nbytes);
  }
  using arrow::io::OutputStream::Write;
  arrow::Status Flush() override { return file_ == nullptr ? Status::OK() : file_->Flush(); }
  arrow::Status Close() override { return file_ == nullptr ? Status::OK() : file_->Close(); }
  bool closed() const override { return file_ != nullptr && file_->closed(); }
  arrow::Result<int64_t> Tell() const override {
    return file_ == nullptr ? arrow::Result<int64_t>(0) : file_->Tell();
  }

  /// Null before the first byte.
  places::StagingFile* file() const { return file_.get(); }

 private:
  const Create create_;
  std::unique_ptr<places::StagingFile> file_;
};

}  // namespace

struct FileSequence::Open {
  std::string path;
  std::shared_ptr<LateFile> file;
  std::unique_ptr<parquet_format::FileEncoder> encoder;
};

FileSequence::FileSequence(const SliceTarget& target, parquet_format::FilePlanPtr plan,
                           std::string directory)
    : target_(&target), plan_(std::move(plan)), directory_(std::move(directory)) {}
FileSequence::FileSequence(FileSequence&&) noexcept = default;
FileSequence::~FileSequence() = default;

Status FileSequence::OpenFile(Context& ctx) {
  const elt::Attempt& attempt = *target_->attempt;
  auto open = std::make_unique<Open>();
  const std::string name = target_->names->DataFile(attempt.partition->id, attempt.slice,
                                                    next_number_, target_->revision);
  open->path = directory_.empty() ? name : fmt::format("{}/{}", directory_, name);
  auto create = [ctx, target = target_,
                 path = open->path]() mutable -> Result<std::unique_ptr<places::StagingFile>> {
    ARROW_ASSIGN_OR_RAISE(
        auto file,
        target->place->Stage(ctx, path, target->names->StageTag(target->attempt->attempt_id)));
    target->on_staged(file->staged());
    LEVADA_FAILPOINT(ctx, "load.file_created");
    return file;
  };
  open->file = std::make_shared<LateFile>(std::move(create));
  parquet_format::EncodeEnvironment environment;
  environment.pool = ctx.pool;
  environment.executor = target_->executor;
  environment.threads = target_->threads;
  environment.on_row_group = [ctx]() -> Status {
    LEVADA_FAILPOINT(ctx, "load.row_group_written");
    return Status::OK();
  };
  ARROW_ASSIGN_OR_RAISE(open->encoder,
                        parquet_format::FileEncoder::Make(plan_, open->file, environment));
  ++next_number_;
  open_ = std::move(open);
  return Status::OK();
}

Status FileSequence::Write(Context& ctx, const arrow::RecordBatch& batch) {
  for (int64_t offset = 0; offset < batch.num_rows();) {
    if (open_ == nullptr) ARROW_RETURN_NOT_OK(OpenFile(ctx));
    {
      const Timed timed(ctx.counters->encode_ns);
      ARROW_ASSIGN_OR_RAISE(const int64_t taken, open_->encoder->Write(batch, offset));
      offset += taken;
    }
    ARROW_RETURN_NOT_OK(CloseFullFile(ctx));
  }
  return Status::OK();
}

Status FileSequence::EndChunk(Context& ctx) {
  if (open_ == nullptr) return Status::OK();
  {
    const Timed timed(ctx.counters->encode_ns);
    ARROW_RETURN_NOT_OK(open_->encoder->EndChunk());
  }
  return CloseFullFile(ctx);
}

Status FileSequence::EndRowGroup(Context& ctx) {
  if (open_ == nullptr) return Status::OK();
  {
    const Timed timed(ctx.counters->encode_ns);
    ARROW_RETURN_NOT_OK(open_->encoder->EndRowGroup());
    ARROW_RETURN_NOT_OK(open_->file->Flush());  // it may wait for long: without its buffer
  }
  return CloseFullFile(ctx);
}

Status FileSequence::CloseFullFile(Context& ctx) {
  return open_->encoder->ShouldRoll() ? CloseFile(ctx) : Status::OK();
}

Status FileSequence::CloseFile(Context& ctx) {
  if (open_ == nullptr) return Status::OK();
  parquet_format::FileSummary summary;
  {
    const Timed timed(ctx.counters->encode_ns);
    ARROW_ASSIGN_OR_RAISE(summary, open_->encoder->Close());
  }
  LEVADA_FAILPOINT(ctx, "load.before_sync");
  ARROW_ASSIGN_OR_RAISE(const places::StagedFile staged, open_->file->file()->Seal());
  files_.push_back({open_->path, staged.staged, summary.rows, staged.bytes, staged.sha256});
  open_.reset();
  LEVADA_FAILPOINT(ctx, "load.file_staged");
  return Status::OK();
}

Status FileSequence::EnsureOne(Context& ctx) {
  if (next_number_ > 0) return Status::OK();
  ARROW_RETURN_NOT_OK(OpenFile(ctx));
  return CloseFile(ctx);
}

std::optional<FileSequence::Cost> FileSequence::cost() const {
  if (open_ == nullptr) return std::nullopt;
  return Cost{open_->encoder->held_bytes(), open_->encoder->summary().column_chunks,
              open_->file->file() != nullptr};
}

}  // namespace levada::parquet
