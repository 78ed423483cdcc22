#pragma once
// HttpDeliver: brings batches to Workers by HTTP: to whatever calls a Worker's `queue()` and says
// what came of it.
//
//   POST <address>/queue/<script>
//   {"queue": name, "messages": [{"id", "ts", "attempts", ...}], "metadata": {"metrics": {...}}}
//
// `ts` is in milliseconds. The body of a message stands in "text" or "json", as it is, or in "b64",
// with "fmt": "bytes" or "v8" (workerd's serialization). The answer, 200:
//
//   {"outcome": "ok", "ackAll": false, "retryBatch": {"retry": false, "delaySeconds"?: 5},
//    "explicitAcks": ["id"], "retryMessages": [{"msgId": "id", "delaySeconds"?: 5}]}
//
// Another outcome than "ok": the handler threw, or was ended. Members are those of workerd's
// FetcherQueueResult (src/workerd/api/queue.h).

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "net/http_url.h"
#include "net/loop.h"
#include "services/queues/push_driver.h"

namespace levada::services::queues {

/// The body of a request.
std::string TextOf(const PushBatch& batch);
/// nullopt: it is no answer.
std::optional<BatchAnswer> ReadBatchAnswer(std::string_view text);

class HttpDeliver final : public Deliver {
 public:
  /// All outlive it. `address` is of http. `timeout`: of a batch; less than the leases last.
  HttpDeliver(net::Loop& loop, net::HttpUrl address, std::chrono::milliseconds timeout, Logger& log)
      : loop_(loop), address_(std::move(address)), timeout_(timeout), log_(log) {}

  net::Task<std::optional<BatchAnswer>> Run(PushBatch batch) override;

 private:
  net::Loop& loop_;
  const net::HttpUrl address_;
  const std::chrono::milliseconds timeout_;
  Logger& log_;
};

}  // namespace levada::services::queues
