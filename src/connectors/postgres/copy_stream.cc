#include "connectors/postgres/copy_stream.h"

#include <atomic>
#include <utility>

#include "base/counters.h"
#include "base/fault.h"

namespace levada::postgres {
namespace {

/// In double quotes, as YAML reads it whatever is in it.
std::string InYaml(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

/// The decoder knows policies, a user options.
std::string OptionFor(const pgcopy::Column& column, std::string_view policies) {
  if (policies.starts_with("choose text")) {
    return "read the column as text, which holds every array, under consumer: postgres:  as_text: "
           "[" +
           InYaml(column.name) + "]; in a query cast it, or use to_json()";
  }
  constexpr std::string_view kSay = "say under consumer: postgres: what becomes of such values:  ";
  switch (column.type.kind) {
    case pgcopy::ValueKind::kNumeric:
      if (policies.starts_with("choose a policy")) {
        return std::string(kSay) +
               "non_finite: null  (or string, or double); in a URL &non_finite=null";
      }
      return "choose a wider decimal or text under consumer: postgres:  numeric: string; in a URL "
             "&numeric=string";
    case pgcopy::ValueKind::kTime:
      return "read the column as text, which holds it, under consumer: postgres:  time: text; or "
             "say  infinity: null";
    case pgcopy::ValueKind::kDate:
    case pgcopy::ValueKind::kTimestamp:
    case pgcopy::ValueKind::kTimestamptz:
    case pgcopy::ValueKind::kInterval:
      return std::string(kSay) + "infinity: null  (or string); in a URL &infinity=null";
    default:
      return std::string(policies);
  }
}

Status WithOption(const Status& status, const std::vector<pgcopy::Column>& columns) {
  if (CodeOf(status) != FaultCode::kValueRefused) return status;
  Fault fault = FaultOf(status);
  // The others say what to do in words of SQL.
  if (!fault.help().starts_with("choose ")) return status;
  for (const pgcopy::Column& column : columns) {
    if (column.name == fault.Detail("column")) return fault.Help(OptionFor(column, fault.help()));
  }
  return status;
}

class CopyStream final : public elt::BatchStream {
 public:
  CopyStream(const Context& ctx, std::unique_ptr<CopyOut> copy,
             std::unique_ptr<pgcopy::Decoder> decoder, std::vector<pgcopy::Column> columns,
             std::string position)
      : ctx_(ctx),
        schema_(decoder->schema()),
        copy_(std::move(copy)),
        decoder_(std::move(decoder)),
        columns_(std::move(columns)),
        position_(std::move(position)) {}

  ~CopyStream() override { (void)CopyStream::Close(); }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    if (closed_) return Fault(FaultCode::kInternal, "a closed stream is read");
    ARROW_RETURN_NOT_OK(failure_);
    const int64_t waited_before = copy_ == nullptr ? 0 : copy_->wait_ns();
    const int64_t spent_before = spent_ns_;
    // A server that sends faster than we read would keep us from ever looking at the stop.
    failure_ = ctx_.Check();
    if (failure_.ok()) failure_ = WithOption(TimedNext(*batch), columns_);
    const int64_t waited = copy_ == nullptr ? 0 : copy_->wait_ns() - waited_before;
    ctx_.counters->decode_ns.fetch_add(spent_ns_ - spent_before - waited,
                                       std::memory_order_relaxed);
    if (*batch != nullptr) {
      ctx_.counters->rows_read.fetch_add((*batch)->num_rows(), std::memory_order_relaxed);
    }
    return failure_;
  }

  Result<elt::StreamEnd> Finish() override {
    ARROW_RETURN_NOT_OK(failure_);
    if (!ended_ || closed_ || decoder_->BatchReady()) {
      return Fault(FaultCode::kSourceProtocol, "the stream was left before its end");
    }
    const int64_t sent = copy_->rows_sent();
    const int64_t decoded = decoder_->rows_decoded();
    if (sent != decoded) {
      return Fault(FaultCode::kCountMismatch, "rows decoded: expected " + std::to_string(sent) +
                                                  " as the server says it sent, got " +
                                                  std::to_string(decoded));
    }
    elt::StreamEnd end;
    end.rows_sent = sent;
    end.rows_read = decoded;
    end.rows_out = decoded;
    end.position = position_;
    return end;
  }

  Status Close() override {
    if (closed_) return Status::OK();
    closed_ = true;
    // A server that is not told would go on until it writes to a socket that is gone.
    if (!ended_) copy_->Cancel();
    copy_.reset();
    return Status::OK();
  }

 private:
  Status TimedNext(std::shared_ptr<arrow::RecordBatch>& batch) {
    const Timed timed(spent_ns_);
    return Next(batch);
  }

  Status Next(std::shared_ptr<arrow::RecordBatch>& batch) {
    while (!ended_ && !decoder_->BatchReady()) {
      // All that the buffer holds: it is small against a batch.
      for (auto row = copy_->NextBuffered(); row.data() != nullptr; row = copy_->NextBuffered()) {
        ARROW_RETURN_NOT_OK(decoder_->Decode(row));
      }
      if (decoder_->BatchReady()) break;
      ARROW_ASSIGN_OR_RAISE(const bool more, copy_->Fill());
      if (more) continue;
      ARROW_RETURN_NOT_OK(decoder_->Finish());
      ended_ = true;
    }
    if (!decoder_->BatchReady()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(batch, decoder_->TakeBatch());
    return Status::OK();
  }

  const Context ctx_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<CopyOut> copy_;
  const std::unique_ptr<pgcopy::Decoder> decoder_;
  const std::vector<pgcopy::Column> columns_;
  const std::string position_;
  std::atomic<int64_t> spent_ns_{0};
  bool ended_ = false;
  bool closed_ = false;
  Status failure_;
};

}  // namespace

std::unique_ptr<elt::BatchStream> MakeCopyStream(const Context& ctx, std::unique_ptr<CopyOut> copy,
                                                 std::unique_ptr<pgcopy::Decoder> decoder,
                                                 std::vector<pgcopy::Column> columns,
                                                 std::string position) {
  return std::make_unique<CopyStream>(ctx, std::move(copy), std::move(decoder), std::move(columns),
                                      std::move(position));
}

}  // namespace levada::postgres
