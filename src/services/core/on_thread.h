#pragma once
// What blocks, as an await with one kind of error: work on the threads of a daemon, and writes that
// end when they are durable.

#include <optional>
#include <type_traits>
#include <utility>

#include "base/fault.h"
#include "net/loop.h"

namespace levada::services {

/// More is waiting than can be taken now: a Status that every door tells as such, and that wrote
/// nothing.
inline Status Busy() { return Status::CapacityError("too many requests are waiting"); }
inline bool IsBusy(const Status& status) { return status.IsCapacityError(); }

/// Runs `work`, which gives a Result or a Status, on a thread of `workers`; Busy when they have too
/// much to do. What it refers to lives until this is awaited.
template <typename Work, typename T = std::invoke_result_t<Work>>
net::Task<T> OnThread(net::Loop& loop, net::Workers& workers, Work work) {
  std::optional<T> done = co_await net::Blocking(loop, workers, std::move(work));
  if (!done) co_return Busy();
  co_return *std::move(done);
}

/// Hands `submit` what is to be called with the outcome of a write, and awaits that; Busy when
/// `submit` says that too much waits.
template <typename Submit>
net::Task<Status> Durably(net::Loop& loop, Submit submit) {
  const net::Arrival<Status> durable(loop);
  const bool taken = submit([durable](const Status& status) { durable.Set(status); });
  if (!taken) co_return Busy();
  co_return co_await durable;
}

}  // namespace levada::services
