#pragma once
// What blocks, as an await with one kind of error. Internal to this folder.

#include <optional>
#include <type_traits>
#include <utility>

#include "net/loop.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {

/// Runs `work`, which gives a Result or a Status, on a thread of `at.workers`; kTooBusy when they
/// have too much to do. What it refers to lives until this is awaited.
template <typename At, typename Work, typename T = std::invoke_result_t<Work>>
net::Task<T> OnThread(const At& at, Work work) {
  std::optional<T> done = co_await net::Blocking(at.loop, at.workers, std::move(work));
  if (!done) co_return R2Error(R2ErrorCode::kTooBusy);
  co_return *std::move(done);
}

}  // namespace levada::services::r2
