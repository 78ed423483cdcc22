#include "app/event_sender.h"

#include <utility>

#include "services/core/on_thread.h"

namespace levada::app {
namespace {

using services::queues::QueueAccess;
using services::r2::EventSent;

net::Task<Result<EventSent>> Send(const QueueAccess& queues, uint64_t queue,
                                  std::vector<std::string> texts) {
  std::vector<services::queues::NewMessage> messages;
  for (std::string& text : texts) {
    messages.push_back(
        {.type = services::queues::ContentType::kJson, .body = std::move(text), .delay_s = {}});
  }
  const Result<services::queues::SendAnswer> sent =
      co_await services::queues::SendMessages(queues, queue, std::move(messages));
  if (!sent.ok() && services::queues::IsNoSuchQueue(sent.status())) co_return EventSent::kNoQueue;
  if (!sent.ok() && services::IsBusy(sent.status())) co_return EventSent::kNotNow;
  if (!sent.ok()) co_return sent.status();
  if (sent->outcome == services::queues::SendOutcome::kBacklogFull) co_return EventSent::kNotNow;
  co_return EventSent::kStored;
}

}  // namespace

services::r2::EventCourier::Send SenderOfEvents(const QueueAccess& queues) {
  return [&queues](uint64_t queue, std::vector<std::string> messages) {
    return Send(queues, queue, std::move(messages));
  };
}

}  // namespace levada::app
