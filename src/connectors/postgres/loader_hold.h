#pragma once
// RunHold: the connection that a process holds a run by, and its transactions.
//
// A lock of the session keeps other processes out while it lives; the generation in the run's row
// is the fence for those that come back when it is gone. Every transaction begins by locking that
// row. A connection that broke is made anew, with the same generation or not at all.

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/context.h"
#include "connectors/postgres/loader_records.h"
#include "connectors/postgres/loader_stage.h"
#include "db/postgres/connection.h"

namespace levada::postgres {

/// Thread-safe after Take.
class RunHold final {
 public:
  /// Connects and takes the lock; kLeaseHeld, naming the holder, when somebody else has it.
  static Result<std::unique_ptr<RunHold>> Take(const Context& ctx, const LoaderOptions& options,
                                               RunKey key);

  /// Writes the next generation, in the caller's transaction.
  Status Raise(const Context& ctx, Random& random);

  /// `body` in a transaction under the fence.
  Status Transact(const Context& ctx,
                  const std::function<Status(pq::Connection& connection)>& body);

  const RunKey& key() const { return key_; }
  const StageNames& stages() const { return stages_; }
  int64_t generation() const { return holder_.generation; }
  /// Of Begin, before there are other threads.
  pq::Connection& connection() { return *connection_; }

 private:
  RunHold(const LoaderOptions& options, RunKey key) : options_(options), key_(std::move(key)) {}
  Status Connect(const Context& ctx);
  Result<bool> TryLock(const Context& ctx);
  Status Held(const Context& ctx);

  const LoaderOptions options_;
  const RunKey key_;
  StageNames stages_;
  Holder holder_;
  std::mutex mutex_;
  std::unique_ptr<pq::Connection> connection_;
};

}  // namespace levada::postgres
