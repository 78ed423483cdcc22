#pragma once
// CopyOut: the receiving end of one COPY ... TO STDOUT (FORMAT binary).
//
// Where sockets (db/postgres), protocol (formats/pgwire) and the pull of a stream meet: bytes are
// received into one buffer that is used again and again, and the payload of each CopyData message
// is handed out where it lies. What the payload means is formats/pgcopy's.
//
//     while (true) {
//       for (auto row = copy->NextBuffered(); row.data(); row = copy->NextBuffered()) Decode(row);
//       ARROW_ASSIGN_OR_RAISE(const bool more, copy->Fill());
//       if (!more) break;
//     }

#include <arrow/buffer.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/context.h"
#include "db/postgres/raw_session.h"
#include "formats/pgwire/backend_reader.h"

namespace levada::postgres {

/// One thread at a time. After an error nothing but destruction is allowed.
class CopyOut final {
 public:
  /// What one receive call asks for. Larger than this, the buffer falls out of the second-level
  /// cache; a row that is larger makes it grow.
  static constexpr int64_t kBufferBytes = 256 << 10;
  /// Beyond this it is given back when the large rows are over.
  static constexpr int64_t kKeptBytes = 4 << 20;

  /// Sends `copy_sql` on an idle connection. `doing` begins the message of a failure: "cannot read
  /// public.orders". The buffer is of ctx.pool, ctx is copied.
  static Result<std::unique_ptr<CopyOut>> Start(const Context& ctx,
                                                std::unique_ptr<pq::Connection> connection,
                                                const std::string& copy_sql, std::string doing);

  /// The payload of the next message if all of it has been received; else data() is null. Valid
  /// until the next Fill.
  std::span<const uint8_t> NextBuffered() {
    const std::span<const uint8_t> payload = reader_.TakeCopyData(received_);
    if (payload.data() != nullptr) {
      received_ = received_.subspan(pgwire::kHeaderBytes + payload.size());
    }
    return payload;
  }

  /// Receives more; false at the end, when the server has reported success. Errors: what the server
  /// says (db/postgres/server_error.h), kSourceConnectionLost, kStopped, kSourceTimeout,
  /// kSourceProtocol; kBudgetTooSmall for a row that is too large for the pool's budget.
  Result<bool> Fill();

  /// Tells the server to stop; at most half a second.
  void Cancel() { session_->Cancel(); }

  /// What the command tag says; -1 before the end.
  int64_t rows_sent() const { return reader_.rows_sent(); }
  /// Time spent in Fill waiting and receiving.
  int64_t wait_ns() const { return wait_ns_; }

 private:
  CopyOut(const Context& ctx, std::unique_ptr<pq::RawSession> session, std::string doing,
          std::shared_ptr<arrow::ResizableBuffer> buffer);
  Status CheckBudget(size_t message_bytes) const;
  Status Receive(size_t message_bytes);
  Result<size_t> TimedRead(std::span<uint8_t> room);
  Status Failure() const;

  const Context ctx_;
  const std::unique_ptr<pq::RawSession> session_;
  const std::string doing_;
  const int64_t budget_bytes_;  // 0: none
  const std::shared_ptr<arrow::ResizableBuffer> buffer_;
  std::span<const uint8_t> received_;  // inside buffer_, not handed out yet
  pgwire::BackendReader reader_;
  std::atomic<int64_t> wait_ns_{0};
};

}  // namespace levada::postgres
