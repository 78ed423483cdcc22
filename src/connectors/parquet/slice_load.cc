#include "connectors/parquet/slice_load.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/counters.h"
#include "base/failpoint.h"
#include "base/json.h"
#include "connectors/parquet/directory_router.h"
#include "connectors/parquet/lake_records.h"

namespace levada::parquet {
namespace {

// The two ways a slice is laid out, one of them present.
struct Sink {
  std::optional<FileSequence> files;
  std::optional<DirectoryRouter> router;

  static Result<Sink> Make(const SliceTarget& target,
                           const std::shared_ptr<arrow::Schema>& schema) {
    Sink sink;
    if (target.layout->partition_by.empty()) {
      ARROW_ASSIGN_OR_RAISE(auto plan, parquet_format::PlanFile(*schema, target.layout->encode,
                                                                target.layout->created_by));
      sink.files.emplace(target, std::move(plan), target.layout->directory);
    } else {
      ARROW_ASSIGN_OR_RAISE(
          auto router, DirectoryRouter::Make(
                           target, schema, RouterLimits::Of(target.layout->encode, *target.place)));
      sink.router.emplace(std::move(router));
    }
    return sink;
  }

  Status Write(Context& ctx, const std::shared_ptr<arrow::RecordBatch>& batch) {
    return files ? files->Write(ctx, *batch) : router->Write(ctx, batch);
  }

  Status EnsureOne(Context& ctx) { return files ? files->EnsureOne(ctx) : router->EnsureOne(ctx); }

  Result<std::vector<elt::WrittenFile>> Finish(Context& ctx) {
    if (router) return router->Finish(ctx);
    ARROW_RETURN_NOT_OK(files->CloseFile(ctx));
    return files->TakeFiles();
  }
};

std::string RejectLine(const elt::Reject& reject) {
  Json row = ParseJson(reject.row_json);
  if (row.is_discarded()) row = reject.row_json;
  const Json line{{"stage", reject.stage},
                  {"column", reject.column},
                  {"reason", reject.reason},
                  {"row", std::move(row)}};
  return Dump(line) + "\n";
}

// The file of rejected rows, begun with the first of them. They are written between batches, so
// that no more than a few batches' worth is held in memory.
class RejectsWriter {
 public:
  explicit RejectsWriter(const SliceTarget& target) : target_(target) {}

  Status Drain(Context& ctx) {
    const elt::Attempt& attempt = *target_.attempt;
    if (attempt.rejects == nullptr) return Status::OK();
    for (const elt::Reject& reject : attempt.rejects->Take()) {
      if (staging_ == nullptr) ARROW_RETURN_NOT_OK(Begin(ctx));
      const std::string line = RejectLine(reject);
      ARROW_RETURN_NOT_OK(staging_->Write(line.data(), static_cast<int64_t>(line.size())));
      ++file_.rows;
    }
    return Status::OK();
  }

  /// nullopt when no row was rejected.
  Result<std::optional<RejectsFile>> Finish(Context& ctx) {
    ARROW_RETURN_NOT_OK(Drain(ctx));
    if (staging_ == nullptr) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(const places::StagedFile staged, staging_->Seal());
    file_.staged = staged.staged;
    file_.bytes = staged.bytes;
    file_.sha256 = staged.sha256;
    return std::optional<RejectsFile>(std::move(file_));
  }

 private:
  Status Begin(Context& ctx) {
    const elt::Attempt& attempt = *target_.attempt;
    file_.path = target_.names->Rejects(attempt.partition->id, attempt.slice, target_.revision);
    ARROW_ASSIGN_OR_RAISE(
        staging_,
        target_.place->Stage(ctx, file_.path, target_.names->StageTag(attempt.attempt_id)));
    target_.on_staged(staging_->staged());
    return Status::OK();
  }

  const SliceTarget& target_;
  std::unique_ptr<places::StagingFile> staging_;
  RejectsFile file_;
};

}  // namespace

Result<elt::Receipt> LoadSlice(Context& ctx, const SliceTarget& target, elt::BatchStream& stream) {
  ARROW_ASSIGN_OR_RAISE(Sink sink, Sink::Make(target, stream.schema()));
  RejectsWriter rejects(target);
  elt::Receipt receipt;
  receipt.slice = target.attempt->slice;
  while (true) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(stream.ReadNext(&batch));
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(sink.Write(ctx, batch));
    ARROW_RETURN_NOT_OK(rejects.Drain(ctx));
    receipt.rows += batch->num_rows();
    ctx.counters->rows_written += batch->num_rows();
  }
  ARROW_ASSIGN_OR_RAISE(receipt.end, stream.Finish());
  if (target.attempt->partition->index == 0 && target.attempt->slice == 0) {
    ARROW_RETURN_NOT_OK(sink.EnsureOne(ctx));
  }
  ARROW_ASSIGN_OR_RAISE(receipt.files, sink.Finish(ctx));
  int64_t rows_in_files = 0;
  for (const elt::WrittenFile& file : receipt.files) rows_in_files += file.rows;
  if (rows_in_files != receipt.rows) {
    return Fault(FaultCode::kCountMismatch, fmt::format("rows in the footers: expected {}, got {}",
                                                        receipt.rows, rows_in_files));
  }
  ReceiptState state;
  ARROW_ASSIGN_OR_RAISE(state.rejects, rejects.Finish(ctx));
  receipt.state = state.ToJson();
  LEVADA_FAILPOINT(ctx, "load.done");
  return receipt;
}

}  // namespace levada::parquet
