#pragma once
// What the v4 door does with the messages of a queue: the handlers that queue_rest.h has in its
// table.

#include <cstdint>
#include <optional>
#include <string>

#include "services/core/api.h"
#include "services/core/route.h"
#include "services/queues/queues.h"

namespace levada::services::queues {

using QueueHandler = net::Task<net::Response> (*)(const QueueServices&, Call&, QueueRef);

net::Task<net::Response> SendOne(const QueueServices& with, Call& call, QueueRef queue);
net::Task<net::Response> SendBatch(const QueueServices& with, Call& call, QueueRef queue);
/// Only of a queue whose consumer pulls.
net::Task<net::Response> Pull(const QueueServices& with, Call& call, QueueRef queue);
/// What came too late is told in words, and not counted.
net::Task<net::Response> Acknowledge(const QueueServices& with, Call& call, QueueRef queue);
net::Task<net::Response> Peek(const QueueServices& with, Call& call, QueueRef queue);
/// To another queue that is named, only with a scope of that one.
net::Task<net::Response> Redrive(const QueueServices& with, Call& call, QueueRef queue);

/// A body, or the refusal of one that did not come or is too long.
struct Asked {
  std::optional<ApiError> error;
  std::string text;
};
net::Task<Asked> ReadAsked(Call& call, uint64_t bytes_max);

}  // namespace levada::services::queues
