#include "elt/transform_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/counters.h"
#include "elt/row_hash.h"

namespace levada::elt {
namespace {

using Transformers = std::span<const std::unique_ptr<BoundTransformer>>;

void CountLeftOut(Context& ctx, const Mapped& mapped) {
  ctx.counters->rows_filtered.fetch_add(mapped.filtered, std::memory_order_relaxed);
  ctx.counters->rows_rejected.fetch_add(mapped.rejected, std::memory_order_relaxed);
}

// One batch through all transformers; filtered and rejected rows add up over them.
Result<Mapped> MapThrough(Context& ctx, Transformers transformers, BatchPtr batch,
                          RejectBuffer& rejects) {
  Timed timed(ctx.counters->transform_ns);
  Mapped total{std::move(batch), 0, 0};
  for (const auto& transformer : transformers) {
    ARROW_ASSIGN_OR_RAISE(Mapped step, transformer->Map(ctx, total.batch, rejects));
    if (step.batch->num_rows() + step.filtered + step.rejected != total.batch->num_rows()) {
      return Fault(FaultCode::kInternal,
                   fmt::format("a transformer accounts for {} rows of {}",
                               step.batch->num_rows() + step.filtered + step.rejected,
                               total.batch->num_rows()));
    }
    total.batch = std::move(step.batch);
    total.filtered += step.filtered;
    total.rejected += step.rejected;
    total.values_discarded += step.values_discarded;
  }
  CountLeftOut(ctx, total);
  return total;
}

// What the streams below share: the upstream, and the account of rows.
class TransformBase : public BatchStream {
 public:
  TransformBase(const Context& ctx, std::unique_ptr<BatchStream> upstream, SchemaPtr schema,
                std::shared_ptr<RejectBuffer> rejects)
      : ctx_(ctx),
        upstream_(std::move(upstream)),
        rejects_(std::move(rejects)),
        schema_(std::move(schema)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Result<StreamEnd> Finish() override {
    ARROW_ASSIGN_OR_RAISE(StreamEnd end, upstream_->Finish());
    end.rows_filtered += filtered_;
    end.rows_rejected += rejected_;
    end.values_discarded += values_discarded_;
    end.rows_out = rows_out_;
    return end;
  }

 protected:
  void Account(const Mapped& mapped) {
    filtered_ += mapped.filtered;
    rejected_ += mapped.rejected;
    values_discarded_ += mapped.values_discarded;
    rows_out_ += mapped.batch->num_rows();
  }

  Status CheckAccount(int64_t rows_in) const {
    if (rows_in == rows_out_ + filtered_ + rejected_) return Status::OK();
    return Fault(FaultCode::kInternal, fmt::format("a transformer accounts for {} rows of {}",
                                                   rows_out_ + filtered_ + rejected_, rows_in));
  }

  Context ctx_;
  std::unique_ptr<BatchStream> upstream_;
  std::shared_ptr<RejectBuffer> rejects_;
  SchemaPtr schema_;

 private:
  int64_t filtered_ = 0;
  int64_t rejected_ = 0;
  int64_t values_discarded_ = 0;
  int64_t rows_out_ = 0;
};

class SerialTransform final : public TransformBase {
 public:
  SerialTransform(const Context& ctx, std::unique_ptr<BatchStream> upstream,
                  Transformers transformers, std::shared_ptr<RejectBuffer> rejects)
      : TransformBase(ctx, std::move(upstream), transformers.back()->schema(), std::move(rejects)),
        transformers_(transformers) {}
  ~SerialTransform() override { (void)Close(); }

  Status ReadNext(BatchPtr* out) override {
    *out = nullptr;
    BatchPtr batch;
    ARROW_RETURN_NOT_OK(upstream_->ReadNext(&batch));
    if (batch == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(Mapped mapped,
                          MapThrough(ctx_, transformers_, std::move(batch), *rejects_));
    Account(mapped);
    *out = std::move(mapped.batch);
    return Status::OK();
  }

  Status Close() override { return upstream_->Close(); }

 private:
  const Transformers transformers_;
};

// The caller's thread pulls the upstream and hands batches out; workers map them; results are taken
// in input order.
class ParallelTransform final : public TransformBase {
 public:
  ParallelTransform(const Context& ctx, std::unique_ptr<BatchStream> upstream,
                    Transformers transformers, std::shared_ptr<RejectBuffer> rejects, int workers)
      : TransformBase(ctx, std::move(upstream), transformers.back()->schema(), std::move(rejects)),
        transformers_(transformers),
        in_flight_max_(static_cast<size_t>(workers) + 1) {
    for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { Work(); });
  }
  ~ParallelTransform() override { (void)Close(); }

  Status ReadNext(BatchPtr* out) override {
    *out = nullptr;
    while (!upstream_ended_ && in_flight_.size() < in_flight_max_) {
      BatchPtr batch;
      ARROW_RETURN_NOT_OK(upstream_->ReadNext(&batch));
      if (batch == nullptr) {
        upstream_ended_ = true;
        break;
      }
      Submit(std::move(batch));
    }
    if (in_flight_.empty()) return Status::OK();
    std::future<Result<Done>> next = std::move(in_flight_.front());
    in_flight_.pop_front();
    ARROW_ASSIGN_OR_RAISE(Done done, next.get());
    // In the order of the input, like the rows: what is kept aside is published too.
    for (Reject& reject : done.rejects) ARROW_RETURN_NOT_OK(rejects_->Add(std::move(reject)));
    Account(done.mapped);
    *out = std::move(done.mapped.batch);
    return Status::OK();
  }

  Status Close() override {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
    workers_.clear();  // joins
    return upstream_->Close();
  }

 private:
  // One batch, mapped, with the rows that it rejected.
  struct Done {
    Mapped mapped;
    std::vector<Reject> rejects;
  };
  using Task = std::packaged_task<Result<Done>()>;

  Result<Done> MapOne(BatchPtr batch) {
    RejectBuffer rejects;
    ARROW_ASSIGN_OR_RAISE(Mapped mapped,
                          MapThrough(ctx_, transformers_, std::move(batch), rejects));
    return Done{std::move(mapped), rejects.Take()};
  }

  void Submit(BatchPtr batch) {
    Task task([this, batch = std::move(batch)]() mutable { return MapOne(std::move(batch)); });
    in_flight_.push_back(task.get_future());
    {
      std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }

  void Work() {
    while (true) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return closed_ || !tasks_.empty(); });
      if (closed_) return;
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  const Transformers transformers_;
  const size_t in_flight_max_;
  std::deque<std::future<Result<Done>>> in_flight_;
  bool upstream_ended_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool closed_ = false;
  std::vector<std::jthread> workers_;  // last: they use all of the above
};

std::unique_ptr<BatchStream> Map(const Context& ctx, std::unique_ptr<BatchStream> upstream,
                                 Transformers transformers, std::shared_ptr<RejectBuffer> rejects,
                                 int workers) {
  if (workers <= 1) {
    return std::make_unique<SerialTransform>(ctx, std::move(upstream), transformers,
                                             std::move(rejects));
  }
  return std::make_unique<ParallelTransform>(ctx, std::move(upstream), transformers,
                                             std::move(rejects), workers);
}

// All rows through one pass, on the thread that pulls.
class PassStream final : public TransformBase {
 public:
  PassStream(const Context& ctx, std::unique_ptr<BatchStream> upstream, SchemaPtr schema,
             std::unique_ptr<Pass> pass, std::shared_ptr<RejectBuffer> rejects)
      : TransformBase(ctx, std::move(upstream), std::move(schema), std::move(rejects)),
        pass_(std::move(pass)) {}
  ~PassStream() override { (void)Close(); }

  Status ReadNext(BatchPtr* out) override {
    *out = nullptr;
    while (true) {
      ARROW_RETURN_NOT_OK(ctx_.Check());
      BatchPtr batch;
      if (!is_draining_) ARROW_RETURN_NOT_OK(upstream_->ReadNext(&batch));
      is_draining_ = batch == nullptr;
      if (batch != nullptr) rows_in_ += batch->num_rows();
      ARROW_ASSIGN_OR_RAISE(Mapped mapped, Step(batch));
      if (mapped.batch == nullptr) return CheckAccount(rows_in_);
      Account(mapped);
      CountLeftOut(ctx_, mapped);
      // A batch of which every row is kept for later is no news to anyone.
      if (mapped.batch->num_rows() == 0) continue;
      *out = std::move(mapped.batch);
      return Status::OK();
    }
  }

  Status Close() override { return upstream_->Close(); }

 private:
  Result<Mapped> Step(const BatchPtr& batch) {
    Timed timed(ctx_.counters->transform_ns);
    return is_draining_ ? pass_->Drain(ctx_, *rejects_) : pass_->Take(ctx_, batch, *rejects_);
  }

  const std::unique_ptr<Pass> pass_;
  bool is_draining_ = false;
  int64_t rows_in_ = 0;
};

std::unique_ptr<BatchStream> Remembering(const Context& ctx, std::unique_ptr<BatchStream> upstream,
                                         const BoundTransformer& transformer,
                                         std::shared_ptr<RejectBuffer> rejects) {
  std::unique_ptr<Pass> pass = transformer.MakePass();
  if (pass == nullptr) return transformer.Through(ctx, std::move(upstream));
  return std::make_unique<PassStream>(ctx, std::move(upstream), transformer.schema(),
                                      std::move(pass), std::move(rejects));
}

}  // namespace

Result<Mapped> BoundTransformer::Map(Context&, const BatchPtr&, RejectBuffer&) const {
  return Fault(FaultCode::kInternal, "a transformer with neither Map nor passes");
}

std::unique_ptr<BatchStream> BoundTransformer::Through(
    const Context&, std::unique_ptr<BatchStream> upstream) const {
  return upstream;
}

std::unique_ptr<BatchStream> Transform(
    const Context& ctx, std::unique_ptr<BatchStream> upstream,
    std::span<const std::unique_ptr<BoundTransformer>> transformers,
    std::shared_ptr<RejectBuffer> rejects, int workers) {
  while (!transformers.empty()) {
    const auto has_pass = [](const auto& transformer) { return transformer->pass_bytes() > 0; };
    if (has_pass(transformers.front())) {
      upstream = Remembering(ctx, std::move(upstream), *transformers.front(), rejects);
      transformers = transformers.subspan(1);
      continue;
    }
    const auto mapping =
        static_cast<size_t>(std::ranges::find_if(transformers, has_pass) - transformers.begin());
    upstream = Map(ctx, std::move(upstream), transformers.first(mapping), rejects, workers);
    transformers = transformers.subspan(mapping);
  }
  return upstream;
}

LoaderInput::LoaderInput(std::unique_ptr<BatchStream> upstream, bool hash)
    : upstream_(std::move(upstream)), hasher_(hash ? std::make_unique<RowHasher>() : nullptr) {}

LoaderInput::~LoaderInput() { (void)Close(); }

std::shared_ptr<arrow::Schema> LoaderInput::schema() const { return upstream_->schema(); }

Status LoaderInput::ReadNext(BatchPtr* out) {
  ARROW_RETURN_NOT_OK(upstream_->ReadNext(out));
  if (*out == nullptr) return Status::OK();
  rows_ += (*out)->num_rows();
  if (hasher_ != nullptr) ARROW_RETURN_NOT_OK(hasher_->Update(**out));
  return Status::OK();
}

Result<StreamEnd> LoaderInput::Finish() {
  ARROW_ASSIGN_OR_RAISE(StreamEnd end, upstream_->Finish());
  end.rows_out = rows_;
  if (hasher_ != nullptr) rows_hash_ = hasher_->Hex();
  return end;
}

Status LoaderInput::Close() { return upstream_->Close(); }

Result<HashedRows> HashStream(BatchStream& stream) {
  RowHasher hasher;
  HashedRows hashed;
  while (true) {
    BatchPtr batch;
    ARROW_RETURN_NOT_OK(stream.ReadNext(&batch));
    if (batch == nullptr) break;
    hashed.rows += batch->num_rows();
    ARROW_RETURN_NOT_OK(hasher.Update(*batch));
  }
  ARROW_RETURN_NOT_OK(stream.Finish().status());
  hashed.hash = hasher.Hex();
  return hashed;
}

}  // namespace levada::elt
