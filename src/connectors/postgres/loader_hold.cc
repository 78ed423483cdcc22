#include "connectors/postgres/loader_hold.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "connectors/postgres/loader_session.h"
#include "elt/retry.h"
#include "os/process.h"

namespace levada::postgres {
namespace {

// A server notices a moment later that a process is gone, and only then is its lock.
constexpr auto kLockPatience = std::chrono::milliseconds(1500);
constexpr auto kLockPause = std::chrono::milliseconds(30);
// So that nobody's locks of their own meet ours.
constexpr const char* kLockSeed = "7203911";

}  // namespace

Result<std::unique_ptr<RunHold>> RunHold::Take(const Context& ctx, const LoaderOptions& options,
                                               RunKey key) {
  std::unique_ptr<RunHold> hold(new RunHold(options, std::move(key)));
  ARROW_RETURN_NOT_OK(hold->Connect(ctx));
  return hold;
}

Result<bool> RunHold::TryLock(const Context& ctx) {
  ARROW_ASSIGN_OR_RAISE(
      const pq::Rows rows,
      Ask(ctx, *connection_, key_.table, "cannot lock a run of",
          "select pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, " +
              std::string(kLockSeed) + ")), pg_catalog.left(pg_catalog.md5($1), 16)",
          {key_.Identity()}));
  if (rows.empty()) return false;
  stages_ = {key_.table.schema, rows[0][1].value_or("")};
  return rows[0][0] == "t";
}

Status RunHold::Held(const Context& ctx) {
  Fault fault(FaultCode::kLeaseHeld, fmt::format("run \"{}\" of {} is held by another process",
                                                 key_.label, key_.table.Written()));
  const auto state = ReadRunState(ctx, *connection_, key_);
  if (state.ok() && !state->holder.process.empty()) {
    fault.With("process", state->holder.process).With("since", state->holder.since);
  }
  return std::move(fault).Help("wait until it ends, or stop it");
}

Status RunHold::Connect(const Context& ctx) {
  ARROW_ASSIGN_OR_RAISE(connection_, OpenTarget(ctx, options_));
  const auto patience = ctx.clock->Steady() + kLockPatience;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool locked, TryLock(ctx));
    if (locked) return Status::OK();
    if (ctx.clock->Steady() >= patience || !elt::WaitOut(ctx, kLockPause)) break;
  }
  ARROW_RETURN_NOT_OK(ctx.Check());
  // A server that has not noticed yet that our last session is gone: the generation decides.
  return holder_.generation > 0 ? Status::OK() : Held(ctx);
}

Status RunHold::Raise(const Context& ctx, Random& random) {
  holder_.id = NewId(random);
  holder_.process = fmt::format("{} {}", os::HostName(), os::ProcessId());
  holder_.since = FormatTimestamp(ctx.clock->Now());
  ARROW_ASSIGN_OR_RAISE(holder_.generation, RaiseGeneration(ctx, *connection_, key_, holder_));
  return Status::OK();
}

Status RunHold::Transact(const Context& ctx,
                         const std::function<Status(pq::Connection& connection)>& body) {
  const std::lock_guard lock(mutex_);
  ARROW_RETURN_NOT_OK(ctx.Check());
  if (connection_ == nullptr || connection_->broken()) ARROW_RETURN_NOT_OK(Connect(ctx));
  return InTransaction(ctx, *connection_, key_.table, [&]() -> Status {
    ARROW_RETURN_NOT_OK(CheckHolder(ctx, *connection_, key_, holder_));
    return body(*connection_);
  });
}

}  // namespace levada::postgres
