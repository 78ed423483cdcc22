#include "programs/output_rows.h"

#include <arrow/util/byte_size.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/counters.h"

namespace levada::programs {
namespace {

Status CheckSchema(const elt::SchemaPtr& expected, const arrow::Schema& live) {
  if (expected == nullptr) return Status::OK();
  const std::string difference =
      elt::SchemaDifference(elt::SchemaFingerprint(*expected), elt::SchemaFingerprint(live));
  if (difference.empty()) return Status::OK();
  return Fault(FaultCode::kSchemaDrift,
               "the program writes another schema than it said when it was asked: " + difference)
      .Help(
          "it is asked with LEVADA_ASK=schema and has to answer with the columns that its rows "
          "will have; if they changed since the run was begun, run it again with --replace");
}

}  // namespace

Result<std::unique_ptr<OutputRows>> OutputRows::Open(const Context& ctx, RunningProgram& program,
                                                     const ProgramOptions& options,
                                                     const elt::SchemaPtr& expected,
                                                     const elt::BatchLimits& limits) {
  std::unique_ptr<OutputRows> rows(new OutputRows(program, limits));
  arrow_ipc::ReadLimits read_limits;
  read_limits.batch_bytes = options.batch_bytes;
  Counters* counters = ctx.counters;
  const auto source = [&program, counters](std::span<uint8_t> out) -> Result<size_t> {
    Timed timed(counters->source_wait_ns);
    ARROW_ASSIGN_OR_RAISE(const size_t count, program.Read(out));
    counters->bytes_read.fetch_add(static_cast<int64_t>(count), std::memory_order_relaxed);
    return count;
  };
  auto opened = arrow_ipc::StreamReader::Open(source, read_limits, ctx.pool);
  if (!opened.ok()) return program.Explain(opened.status());
  rows->reader_ = *std::move(opened);
  if (Status same = CheckSchema(expected, *rows->schema()); !same.ok()) {
    program.Stop();
    return same;
  }
  return rows;
}

Result<elt::BatchPtr> OutputRows::Next() {
  while (whole_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(whole_, NextWhole());
    if (whole_ == nullptr) return nullptr;
    // A batch of no rows is no news.
    if (whole_->num_rows() == 0) whole_ = nullptr;
  }
  return Cut();
}

Result<elt::BatchPtr> OutputRows::NextWhole() {
  auto batch = reader_->Next();
  if (!batch.ok()) return program_.Explain(batch.status());
  if (*batch == nullptr) {
    ARROW_RETURN_NOT_OK(program_.End());
    return nullptr;
  }
  const int64_t rows = (*batch)->num_rows();
  const int64_t bytes = std::max<int64_t>(arrow::util::TotalBufferSize(**batch), 1);
  // By the mean of its rows: the whole of it is counted in the memory of the plan.
  const double of_bytes = static_cast<double>(limits_.bytes) / static_cast<double>(bytes);
  cut_rows_ = std::clamp<int64_t>(static_cast<int64_t>(of_bytes * static_cast<double>(rows)), 1,
                                  std::max<int64_t>(limits_.rows, 1));
  next_row_ = 0;
  return *std::move(batch);
}

elt::BatchPtr OutputRows::Cut() {
  const int64_t left = whole_->num_rows() - next_row_;
  if (next_row_ == 0 && left <= cut_rows_) return std::exchange(whole_, nullptr);
  const int64_t rows = std::min(left, cut_rows_);
  elt::BatchPtr piece = whole_->Slice(next_row_, rows);
  next_row_ += rows;
  if (rows == left) whole_ = nullptr;
  return piece;
}

}  // namespace levada::programs
