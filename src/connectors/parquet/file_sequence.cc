#include "connectors/parquet/file_sequence.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "base/counters.h"
#include "base/failpoint.h"
#include "formats/parquet/file_encoder.h"

namespace levada::parquet {

struct FileSequence::Open {
  std::string path;
  std::shared_ptr<places::StagingFile> file;
  std::unique_ptr<parquet_format::FileEncoder> encoder;
};

FileSequence::FileSequence(const SliceTarget& target, std::shared_ptr<arrow::Schema> schema,
                           std::string directory)
    : target_(&target), schema_(std::move(schema)), directory_(std::move(directory)) {}
FileSequence::FileSequence(FileSequence&&) noexcept = default;
FileSequence::~FileSequence() = default;

Status FileSequence::OpenFile(Context& ctx) {
  const elt::Attempt& attempt = *target_->attempt;
  auto open = std::make_unique<Open>();
  const std::string name = target_->names->DataFile(attempt.partition->id, attempt.slice,
                                                    next_number_, target_->revision);
  open->path = directory_.empty() ? name : fmt::format("{}/{}", directory_, name);
  ARROW_ASSIGN_OR_RAISE(
      open->file,
      target_->place->Stage(ctx, open->path, target_->names->StageTag(attempt.attempt_id)));
  target_->on_staged(open->file->staged());
  LEVADA_FAILPOINT(ctx, "load.file_created");
  parquet_format::EncodeEnvironment environment;
  environment.pool = ctx.pool;
  environment.executor = target_->executor;
  environment.threads = target_->threads;
  environment.on_row_group = [ctx]() -> Status {
    LEVADA_FAILPOINT(ctx, "load.row_group_written");
    return Status::OK();
  };
  ARROW_ASSIGN_OR_RAISE(open->encoder, parquet_format::FileEncoder::Make(
                                           *schema_, target_->layout->encode,
                                           target_->layout->created_by, open->file, environment));
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
    if (open_->encoder->ShouldRoll()) ARROW_RETURN_NOT_OK(CloseFile(ctx));
  }
  return Status::OK();
}

Status FileSequence::CloseFile(Context& ctx) {
  if (open_ == nullptr) return Status::OK();
  parquet_format::FileSummary summary;
  {
    const Timed timed(ctx.counters->encode_ns);
    ARROW_ASSIGN_OR_RAISE(summary, open_->encoder->Close());
  }
  LEVADA_FAILPOINT(ctx, "load.before_sync");
  ARROW_ASSIGN_OR_RAISE(const places::StagedFile staged, open_->file->Seal());
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

}  // namespace levada::parquet
