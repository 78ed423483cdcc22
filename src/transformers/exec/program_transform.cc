#include "transformers/exec/program_transform.h"

#include <optional>
#include <string>
#include <utility>

#include "base/counters.h"
#include "programs/input_feeder.h"
#include "programs/output_rows.h"

namespace levada::exec_transformer {
namespace {

using programs::InputFeeder;
using programs::OutputRows;
using programs::RunningProgram;

class ProgramTransform final : public elt::BatchStream {
 public:
  ProgramTransform(const Context& ctx, const BoundProgram& bound,
                   std::unique_ptr<elt::BatchStream> upstream)
      : ctx_(ctx), bound_(bound), upstream_(std::move(upstream)) {}
  ~ProgramTransform() override { (void)Close(); }

  std::shared_ptr<arrow::Schema> schema() const override { return bound_.output; }

  Status ReadNext(elt::BatchPtr* out) override {
    *out = nullptr;
    if (state_ == State::kEnded) return Status::OK();
    if (state_ != State::kReading) {
      return Fault(FaultCode::kInternal, "exec: read after an error or Close");
    }
    state_ = State::kClosed;  // until this batch is whole
    if (rows_ == nullptr) ARROW_RETURN_NOT_OK(Start());
    Result<elt::BatchPtr> batch = rows_->Next();
    if (!batch.ok()) return Cause(batch.status());
    if (*batch == nullptr) {
      ARROW_RETURN_NOT_OK(Account());
      state_ = State::kEnded;
      return Status::OK();
    }
    rows_out_ += (*batch)->num_rows();
    if (const int64_t given = feeder_->rows_given(); rows_out_ > given) return TooMany(given);
    *out = *std::move(batch);
    state_ = State::kReading;
    return Status::OK();
  }

  Result<elt::StreamEnd> Finish() override {
    if (state_ != State::kEnded) {
      return Fault(FaultCode::kInternal, "exec: finished before its end, or twice");
    }
    ARROW_ASSIGN_OR_RAISE(elt::StreamEnd end, upstream_->Finish());
    end.rows_filtered += rows_left_out_;
    end.rows_out = rows_out_;
    ARROW_RETURN_NOT_OK(Close());
    return end;
  }

  Status Close() override {
    state_ = State::kClosed;
    if (program_ != nullptr) program_->Stop();
    feeder_.reset();  // it pulls the upstream until it is gone
    rows_.reset();
    program_.reset();
    return upstream_->Close();
  }

 private:
  enum class State : uint8_t {
    kReading,
    kEnded,   ///< ReadNext gave null
    kClosed,  ///< also after an error
  };

  Status Start() {
    programs::Call call;
    call.ask = "rows";
    call.run = &bound_.run;
    call.has_input = true;
    ARROW_ASSIGN_OR_RAISE(program_, RunningProgram::Start(ctx_, bound_.options, call));
    feeder_.emplace(ctx_, *program_, bound_.input, [this]() -> Result<elt::BatchPtr> {
      elt::BatchPtr batch;
      ARROW_RETURN_NOT_OK(upstream_->ReadNext(&batch));
      return batch;
    });
    auto opened = OutputRows::Open(ctx_, *program_, bound_.options, bound_.output, {});
    if (!opened.ok()) return Cause(opened.status());
    rows_ = *std::move(opened);
    return Status::OK();
  }

  /// A program whose input broke off fails too, but not by itself.
  Status Cause(const Status& seen) const {
    const Status upstream = feeder_->failure();
    return upstream.ok() ? seen : upstream;
  }

  /// The program has ended well: are its rows all there?
  Status Account() {
    ARROW_RETURN_NOT_OK(feeder_->Finish());
    const int64_t given = feeder_->rows_given();
    if (rows_out_ > given) return TooMany(given);
    rows_left_out_ = given - rows_out_;
    if (rows_left_out_ > 0 && !bound_.drops_rows) {
      return Fault(FaultCode::kCountMismatch,
                   "program \"" + bound_.options.Name() + "\": expected as many rows as it got, " +
                       std::to_string(given) + ", got " + std::to_string(rows_out_))
          .Help("a program that leaves rows out on purpose says so with drops_rows: true");
    }
    ctx_.counters->rows_filtered.fetch_add(rows_left_out_, std::memory_order_relaxed);
    return Status::OK();
  }

  Status TooMany(int64_t given) const {
    return Fault(FaultCode::kCountMismatch,
                 "program \"" + bound_.options.Name() + "\": it wrote more rows than it got, " +
                     std::to_string(rows_out_) + " of " + std::to_string(given))
        .Help("a transformer makes at most one row of each; more of them are a consumer's work");
  }

  const Context ctx_;
  const BoundProgram& bound_;
  const std::unique_ptr<elt::BatchStream> upstream_;
  std::unique_ptr<RunningProgram> program_;
  std::unique_ptr<OutputRows> rows_;
  std::optional<InputFeeder> feeder_;
  int64_t rows_out_ = 0;
  int64_t rows_left_out_ = 0;
  State state_ = State::kReading;
};

}  // namespace

std::unique_ptr<elt::BatchStream> TransformByProgram(const Context& ctx, const BoundProgram& bound,
                                                     std::unique_ptr<elt::BatchStream> upstream) {
  return std::make_unique<ProgramTransform>(ctx, bound, std::move(upstream));
}

}  // namespace levada::exec_transformer
