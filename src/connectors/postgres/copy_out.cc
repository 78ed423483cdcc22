#include "connectors/postgres/copy_out.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/counters.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "db/postgres/server_error.h"

namespace levada::postgres {
namespace {

// How often a row that is most of its batch lies in memory: here, in the batch being filled, which
// grows by doubling, and in the loader's page.
constexpr int64_t kCopiesOfARow = 4;

std::span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

int64_t BudgetOf(const arrow::MemoryPool* pool) {
  const auto* budget = dynamic_cast<const BudgetPool*>(pool);
  return budget == nullptr ? 0 : budget->budget_bytes();
}

}  // namespace

CopyOut::CopyOut(const Context& ctx, std::unique_ptr<pq::RawSession> session, std::string doing,
                 std::shared_ptr<arrow::ResizableBuffer> buffer)
    : ctx_(ctx),
      session_(std::move(session)),
      doing_(std::move(doing)),
      budget_bytes_(BudgetOf(ctx_.pool)),
      buffer_(std::move(buffer)),
      received_(buffer_->data(), size_t{0}) {}

Result<std::unique_ptr<CopyOut>> CopyOut::Start(const Context& ctx,
                                                std::unique_ptr<pq::Connection> connection,
                                                const std::string& copy_sql, std::string doing) {
  ARROW_ASSIGN_OR_RAISE(const std::string query, pgwire::EncodeQuery(copy_sql));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::ResizableBuffer> buffer,
                        arrow::AllocateResizableBuffer(kBufferBytes, ctx.pool));
  ARROW_ASSIGN_OR_RAISE(auto session, pq::RawSession::Take(ctx, std::move(connection)));
  ARROW_RETURN_NOT_OK(session->Write(BytesOf(query)));
  return std::unique_ptr<CopyOut>(
      new CopyOut(ctx, std::move(session), std::move(doing), std::move(buffer)));
}

Status CopyOut::Failure() const {
  const pgwire::ErrorFields& error = reader_.error();
  return pq::FaultOf(pq::ServerError{error.severity, error.sqlstate, error.message, error.detail,
                                     error.hint, error.where},
                     doing_);
}

Result<size_t> CopyOut::TimedRead(std::span<uint8_t> room) {
  const Timed timed(wait_ns_);
  return session_->Read(room);
}

/// Said of a row before it is received: an allocation is never refused for the budget, so who runs
/// into such a row would have the process killed by the system instead.
Status CopyOut::CheckBudget(size_t message_bytes) const {
  const auto row_bytes = static_cast<int64_t>(message_bytes);
  if (budget_bytes_ == 0 || row_bytes <= std::max(kBufferBytes, budget_bytes_ / kCopiesOfARow)) {
    return Status::OK();
  }
  return Fault(FaultCode::kBudgetTooSmall,
               doing_ + ": a row of " + FormatBytes(row_bytes) +
                   " needs four times that of memory, expected at most " +
                   FormatBytes(budget_bytes_ / kCopiesOfARow))
      .Help("raise --memory by " + FormatBytes(row_bytes * kCopiesOfARow - budget_bytes_) +
            " or more, or leave the large column out with columns:");
}

// Brings what is left of the last message to the front, where there is room for all of it.
Status CopyOut::Receive(size_t message_bytes) {
  ARROW_RETURN_NOT_OK(CheckBudget(message_bytes));
  if (received_.data() != buffer_->data()) {
    std::memmove(buffer_->mutable_data(), received_.data(), received_.size());
  }
  // Grown by what has come, not by what the header promises: a gigabyte is easily written there.
  if (received_.size() == static_cast<size_t>(buffer_->size())) {
    const int64_t doubled = 2 * buffer_->size();
    ARROW_RETURN_NOT_OK(buffer_->Resize(std::min(doubled, static_cast<int64_t>(message_bytes))));
  } else if (buffer_->size() > kKeptBytes && message_bytes <= size_t{kBufferBytes} &&
             received_.size() <= size_t{kBufferBytes} / 2) {
    ARROW_RETURN_NOT_OK(buffer_->Resize(kBufferBytes, /*shrink_to_fit=*/true));
  }
  const std::span<uint8_t> room(buffer_->mutable_data() + received_.size(),
                                static_cast<size_t>(buffer_->size()) - received_.size());
  const int64_t waited_before = wait_ns_;
  const Result<size_t> got = TimedRead(room);
  ctx_.counters->source_wait_ns.fetch_add(wait_ns_ - waited_before, std::memory_order_relaxed);
  ARROW_RETURN_NOT_OK(got);
  if (*got == 0) {
    return Fault(FaultCode::kSourceConnectionLost,
                 doing_ + ": the server closed the connection before the end")
        .With("host", session_->endpoint().host)
        .With("port", session_->endpoint().port);
  }
  ctx_.counters->bytes_read.fetch_add(static_cast<int64_t>(*got), std::memory_order_relaxed);
  received_ = {buffer_->data(), received_.size() + *got};
  return Status::OK();
}

Result<bool> CopyOut::Fill() {
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const pgwire::BackendMessage message, reader_.Next(received_));
    switch (message.event) {
      case pgwire::BackendEvent::kCopyData:
        return true;
      case pgwire::BackendEvent::kNeedBytes:
        ARROW_RETURN_NOT_OK(Receive(message.size));
        break;
      case pgwire::BackendEvent::kError:
        // Nothing worth waiting for follows: the connection is not used again.
        return Failure();
      case pgwire::BackendEvent::kReady:
        return false;
      default:
        received_ = received_.subspan(message.size);
        break;
    }
  }
}

}  // namespace levada::postgres
