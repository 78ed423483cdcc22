#include "elt/prefetch.h"

#include <thread>
#include <utility>
#include <variant>

#include "base/memory.h"
#include "elt/bounded_queue.h"
#include "elt/stages.h"
#include "elt/stop_scope.h"

namespace levada::elt {
namespace {

// What the thread sends: batches, then exactly one end or error.
using Item = std::variant<BatchPtr, StreamEnd, Status>;

class PrefetchStream final : public BatchStream {
 public:
  PrefetchStream(const Context& ctx, std::unique_ptr<BatchStream> upstream, size_t batches_ahead)
      : schema_(upstream->schema()),
        scope_(ctx.stop),
        ctx_(scope_.Enter(ctx)),
        queue_(batches_ahead),
        upstream_(std::move(upstream)),
        thread_([this] { Pull(); }) {}

  ~PrefetchStream() override { (void)Close(); }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(BatchPtr* out) override {
    *out = nullptr;
    ARROW_RETURN_NOT_OK(failure_);
    if (end_) return Status::OK();
    std::optional<Item> item;
    if (!closed_) item = queue_.Pop(ctx_.stop);  // a batch may have been left behind
    if (!item) {
      failure_ = ctx_.Check();
      if (failure_.ok()) failure_ = Fault(FaultCode::kStopped, "the stream was closed");
      return failure_;
    }
    if (auto* batch = std::get_if<BatchPtr>(&*item)) {
      *out = std::move(*batch);
      return Status::OK();
    }
    if (auto* end = std::get_if<StreamEnd>(&*item)) {
      end_ = std::move(*end);
      return Status::OK();
    }
    failure_ = std::get<Status>(*item);
    return failure_;
  }

  Result<StreamEnd> Finish() override {
    ARROW_RETURN_NOT_OK(failure_);
    if (!end_) return Fault(FaultCode::kInternal, "Finish was called before the end of the stream");
    return *end_;
  }

  Status Close() override {
    closed_ = true;
    scope_.Request();
    queue_.Close();
    if (thread_.joinable()) thread_.join();
    return Status::OK();
  }

 private:
  void Pull() {
    Item last = PullAll();
    // Release the source before its end is announced: whoever sees the end may rely on it.
    (void)upstream_->Close();
    upstream_.reset();
    queue_.Push(std::move(last), ctx_.stop);
  }

  Item PullAll() {
    auto* budget = dynamic_cast<BudgetPool*>(ctx_.pool);
    while (true) {
      if (Status stopped = ctx_.Check(); !stopped.ok()) return stopped;
      if (budget != nullptr) {
        if (Status room = budget->AwaitRoom(ctx_); !room.ok()) return room;
      }
      BatchPtr batch;
      if (Status read = upstream_->ReadNext(&batch); !read.ok()) return read;
      if (batch == nullptr) break;
      if (!queue_.Push(std::move(batch), ctx_.stop)) {
        return Fault(FaultCode::kStopped, "the reader of the stream went away").ToStatus();
      }
    }
    Result<StreamEnd> end = upstream_->Finish();
    if (!end.ok()) return end.status();
    return std::move(end).ValueUnsafe();
  }

  const SchemaPtr schema_;
  StopScope scope_;
  Context ctx_;
  BoundedQueue<Item> queue_;
  std::unique_ptr<BatchStream> upstream_;
  std::optional<StreamEnd> end_;
  Status failure_;
  bool closed_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace

std::unique_ptr<BatchStream> Prefetch(const Context& ctx, std::unique_ptr<BatchStream> upstream,
                                      size_t batches_ahead) {
  return std::make_unique<PrefetchStream>(ctx, std::move(upstream), batches_ahead);
}

}  // namespace levada::elt
