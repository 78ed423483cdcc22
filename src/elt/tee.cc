#include "elt/tee.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <variant>

#include "elt/bounded_queue.h"
#include "elt/stages.h"
#include "elt/stop_scope.h"

namespace levada::elt {
namespace {

using Item = std::variant<BatchPtr, StreamEnd, Status>;

// The pump and the queues, shared by the branches; the last branch to go joins the thread.
class Pump {
 public:
  Pump(const Context& ctx, std::unique_ptr<BatchStream> upstream, size_t count,
       size_t batches_ahead)
      : schema(upstream->schema()),
        scope_(ctx.stop),
        ctx_(scope_.Enter(ctx)),
        upstream_(std::move(upstream)) {
    for (size_t i = 0; i < count; ++i) {
      queues.push_back(std::make_unique<BoundedQueue<Item>>(batches_ahead));
    }
    thread_ = std::jthread([this] { Run(); });
  }
  ~Pump() {
    scope_.Request();
    for (auto& queue : queues) queue->Close();
  }

  const std::stop_token stop() const { return scope_.token(); }

  const SchemaPtr schema;
  std::vector<std::unique_ptr<BoundedQueue<Item>>> queues;

 private:
  // False when nobody listens any more.
  bool Send(const Item& item) {
    bool heard = false;
    for (auto& queue : queues) heard |= queue->Push(item, ctx_.stop);
    return heard;
  }

  void Run() {
    while (true) {
      BatchPtr batch;
      Status read = ctx_.Check();
      if (read.ok()) read = upstream_->ReadNext(&batch);
      if (!read.ok()) {
        Send(read);
        break;
      }
      if (batch != nullptr) {
        if (!Send(batch)) break;
        continue;
      }
      Result<StreamEnd> end = upstream_->Finish();
      if (end.ok()) {
        Send(*end);
      } else {
        Send(end.status());
      }
      break;
    }
    (void)upstream_->Close();
  }

  StopScope scope_;
  Context ctx_;
  std::unique_ptr<BatchStream> upstream_;
  std::jthread thread_;  // last: it uses all of the above
};

class Branch final : public BatchStream {
 public:
  Branch(std::shared_ptr<Pump> pump, size_t index)
      : schema_(pump->schema), pump_(std::move(pump)), index_(index) {}
  ~Branch() override { (void)Close(); }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(BatchPtr* out) override {
    *out = nullptr;
    ARROW_RETURN_NOT_OK(failure_);
    if (end_) return Status::OK();
    std::optional<Item> item;
    if (pump_ != nullptr) item = pump_->queues[index_]->Pop(pump_->stop());
    if (!item) {
      failure_ = Fault(FaultCode::kStopped, "the stream was stopped");
    } else if (auto* batch = std::get_if<BatchPtr>(&*item)) {
      *out = std::move(*batch);
    } else if (auto* end = std::get_if<StreamEnd>(&*item)) {
      end_ = std::move(*end);
    } else {
      failure_ = std::get<Status>(*item);
    }
    return failure_;
  }

  Result<StreamEnd> Finish() override {
    ARROW_RETURN_NOT_OK(failure_);
    if (!end_) return Fault(FaultCode::kInternal, "Finish was called before the end of the stream");
    return *end_;
  }

  Status Close() override {
    if (pump_ != nullptr) pump_->queues[index_]->Close();
    pump_.reset();
    return Status::OK();
  }

 private:
  const SchemaPtr schema_;
  std::shared_ptr<Pump> pump_;
  const size_t index_;
  std::optional<StreamEnd> end_;
  Status failure_;
};

}  // namespace

std::vector<std::unique_ptr<BatchStream>> Tee(const Context& ctx,
                                              std::unique_ptr<BatchStream> upstream, size_t count,
                                              size_t batches_ahead) {
  auto pump = std::make_shared<Pump>(ctx, std::move(upstream), count, batches_ahead);
  std::vector<std::unique_ptr<BatchStream>> branches;
  for (size_t i = 0; i < count; ++i) branches.push_back(std::make_unique<Branch>(pump, i));
  return branches;
}

}  // namespace levada::elt
