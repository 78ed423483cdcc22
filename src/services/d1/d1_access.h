#pragma once
// What the doors of D1 share: databases as tasks of the loop, and their errors in D1's numbers.
// Answers become JSON on the thread that ran the request.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/loop.h"
#include "services/core/api.h"
#include "services/core/control.h"
#include "services/d1/d1_json.h"
#include "services/d1/databases.h"

namespace levada::services::d1 {

class Transfers;

/// All outlive the doors.
struct D1Access {
  Databases& databases;
  Control& control;
  Transfers& transfers;
  const Clock& clock;
  net::Loop& loop;
  net::Workers& workers;
};

// Numbers of Cloudflare's D1 API.
inline constexpr int64_t kD1BadRequest = 7400;
inline constexpr int64_t kD1NotFound = 7404;
inline constexpr int64_t kD1QueryFailed = 7500;
inline constexpr int64_t kD1NameTaken = 7502;

/// As core's ErrorOf, and what only D1 has: requests that a restore ended, bookmarks of no point.
ApiError D1ErrorOf(const Status& status);

/// Awaits what `call` hands its Done.
template <typename T, typename Call>
net::Task<Result<T>> Await(net::Loop& loop, Call call) {
  const net::Arrival<Result<T>> arrival(loop);
  call(Done<T>([arrival](Result<T> result) { arrival.Set(std::move(result)); }));
  co_return co_await arrival;
}

struct RequestOptions {
  bool may_write = false;
  RowShape shape = RowShape::kObjects;
  AnswerItems items = AnswerItems::kStatements;
};

struct Answered {
  std::string json;  ///< the list of results
  std::string bookmark;
  std::optional<db::sqlite::SqlError> error;
  int64_t size_bytes = 0;
};

net::Task<Result<Answered>> RunRequest(const D1Access& access, Resource database,
                                       std::vector<db::sqlite::SqlText> texts,
                                       RequestOptions options);

}  // namespace levada::services::d1
