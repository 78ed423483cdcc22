#include "elt/trace.h"

#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace levada::elt {
namespace {

std::string NameOf(const Plan& plan, size_t index) {
  const std::string& kind = plan.transformers[index].kind;
  const auto before = std::ranges::count(plan.transformers.begin(),
                                         plan.transformers.begin() + static_cast<ptrdiff_t>(index),
                                         kind, &StagePlan::kind);
  return before == 0 ? kind : fmt::format("{}#{}", kind, before + 1);
}

// The rows of a trace as a stream, for a transformer that is one.
class GivenRows final : public BatchStream {
 public:
  explicit GivenRows(BatchPtr rows) : schema_(rows->schema()), rows_(std::move(rows)) {
    end_.rows_read = end_.rows_out = rows_->num_rows();
  }
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status ReadNext(BatchPtr* out) override {
    *out = std::exchange(rows_, nullptr);
    return Status::OK();
  }
  Result<StreamEnd> Finish() override { return end_; }
  Status Close() override { return Status::OK(); }

 private:
  const SchemaPtr schema_;
  BatchPtr rows_;
  StreamEnd end_;
};

Result<Mapped> ThroughStream(Context& ctx, const BoundTransformer& transformer,
                             const BatchPtr& rows) {
  const auto stream = transformer.Through(ctx, std::make_unique<GivenRows>(rows));
  arrow::RecordBatchVector out;
  while (true) {
    BatchPtr batch;
    ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
    if (batch == nullptr) break;
    out.push_back(std::move(batch));
  }
  ARROW_ASSIGN_OR_RAISE(const StreamEnd end, stream->Finish());
  Mapped total{nullptr, end.rows_filtered, end.rows_rejected, end.values_discarded};
  if (out.empty()) {
    ARROW_ASSIGN_OR_RAISE(total.batch,
                          arrow::RecordBatch::MakeEmpty(transformer.schema(), ctx.pool));
  } else {
    ARROW_ASSIGN_OR_RAISE(total.batch, arrow::ConcatenateRecordBatches(out, ctx.pool));
  }
  return total;
}

Result<Mapped> ThroughPass(Context& ctx, const BoundTransformer& transformer, const BatchPtr& rows,
                           RejectBuffer& rejects) {
  const auto pass = transformer.MakePass();
  if (pass == nullptr) return ThroughStream(ctx, transformer, rows);
  arrow::RecordBatchVector out;
  ARROW_ASSIGN_OR_RAISE(Mapped total, pass->Take(ctx, rows, rejects));
  out.push_back(total.batch);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(Mapped more, pass->Drain(ctx, rejects));
    if (more.batch == nullptr) break;
    out.push_back(std::move(more.batch));
    total.filtered += more.filtered;
    total.rejected += more.rejected;
    total.values_discarded += more.values_discarded;
  }
  ARROW_ASSIGN_OR_RAISE(total.batch, arrow::ConcatenateRecordBatches(out, ctx.pool));
  return total;
}

Status Through(Context& ctx, const Plan& plan, const Stages& stages, const RunInstance& run,
               Trace& trace) {
  RejectBuffer rejects;
  for (size_t i = 0; i < stages.transformers.size(); ++i) {
    const BatchPtr& rows = trace.stages.back().rows;
    ARROW_ASSIGN_OR_RAISE(const auto bound,
                          stages.transformers[i]->BindAsking(ctx, rows->schema(), run));
    auto mapped = bound->pass_bytes() > 0 ? ThroughPass(ctx, *bound, rows, rejects)
                                          : bound->Map(ctx, rows, rejects);
    for (Reject& reject : rejects.Take()) trace.rejects.push_back(std::move(reject));
    ARROW_RETURN_NOT_OK(mapped.status());
    trace.stages.push_back({NameOf(plan, i), std::move(mapped->batch), mapped->filtered,
                            mapped->rejected, mapped->values_discarded});
  }
  return Status::OK();
}

}  // namespace

std::vector<std::string> StageNames(const Plan& plan) {
  std::vector<std::string> names = {"read"};
  for (size_t i = 0; i < plan.transformers.size(); ++i) names.push_back(NameOf(plan, i));
  return names;
}

Trace TraceRows(Context& ctx, const Plan& plan, const Stages& stages, BatchPtr rows,
                const RunInstance& run) {
  Trace trace;
  trace.stages.push_back({"read", std::move(rows), 0, 0});
  trace.status = Through(ctx, plan, stages, run, trace);
  return trace;
}

}  // namespace levada::elt
