#include "services/queues/queue_messages_rest.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/json.h"
#include "services/queues/queue_error.h"
#include "services/queues/queue_json.h"
#include "services/queues/queue_rules.h"

namespace levada::services::queues {
namespace {

using net::Response;
using net::Task;

// A byte of a message may be six in JSON, and each message has some members beside it.
constexpr uint64_t kSendBodyMax = 2 * 1024 * 1024;
constexpr uint64_t kAnswersBodyMax = 256 * 1024;
constexpr int64_t kPeekDefault = 10;
constexpr int64_t kPeekMax = 100;
// Of one call: each step waits for the disk.
constexpr int64_t kRedriveMax = 10'000;

Response Refuse(const Status& status) {
  return Failure(ErrorOfQueue(status, QueueDoor::kMessages));
}

std::string MetricsOf(const Backlog& backlog) {
  return R"({"metrics":)" + ShowBacklog(backlog) + "}";
}

Task<Response> Send(const QueueServices& with, QueueRef queue, AskedMessages read) {
  if (read.error) co_return Failure(*read.error);
  if (auto refusal = CheckSend(with.access.store.limits(), read.messages)) {
    co_return Failure(ErrorOfMessages(*std::move(refusal)));
  }
  const Result<SendAnswer> sent =
      co_await SendMessages(with.access, queue->resource.number, std::move(read.messages));
  if (!sent.ok()) co_return Refuse(sent.status());
  if (sent->outcome == SendOutcome::kBacklogFull) co_return Failure(BacklogIsFull());
  co_return Success(R"({"metadata":)" + MetricsOf(sent->backlog) + "}");
}

std::string WarningOf(const std::string& lease, std::string_view why) {
  constexpr size_t kShownMax = 100;  // more than one of ours has
  return "lease \"" + lease.substr(0, kShownMax) + "\": " + std::string(why);
}

std::string_view WhyNot(Settled settled, bool is_ack) {
  if (settled == Settled::kGone) {
    return "the message is not there any more: acknowledged before, purged, expired or dead";
  }
  return is_ack ? "the message was not acknowledged: it was delivered again since, or given back"
                : "the message was not given back: it was delivered again since, or given back";
}

/// Leases of a call, as far as they are of this queue.
struct Answers {
  Settlement settlement;
  std::vector<std::string> acks;  ///< their texts, in the order of the settlement
  std::vector<std::string> retries;
  Json warnings = Json::array();
};

Answers AnswersOf(const QueueStore& store, uint64_t queue, AskedAnswers read) {
  Answers answers;
  const auto open = [&](const std::string& text) {
    std::optional<LeaseId> lease = store.OpenLease(text);
    if (lease && lease->queue == queue) return lease;
    answers.warnings.push_back(WarningOf(text, "not a lease of this queue"));
    return std::optional<LeaseId>();
  };
  for (std::string& text : read.acks) {
    const auto lease = open(text);
    if (!lease) continue;
    answers.settlement.acks.push_back(*lease);
    answers.acks.push_back(std::move(text));
  }
  for (size_t i = 0; i < read.retries.size(); ++i) {
    const auto lease = open(read.retries[i]);
    if (!lease) continue;
    answers.settlement.retries.push_back({*lease, read.delays_s[i]});
    answers.retries.push_back(std::move(read.retries[i]));
  }
  return answers;
}

/// How many were done; the others become warnings.
size_t CountDone(const std::vector<Settled>& settled, const std::vector<std::string>& leases,
                 bool is_ack, Json& warnings) {
  size_t done = 0;
  for (size_t i = 0; i < settled.size() && i < leases.size(); ++i) {
    if (settled[i] == Settled::kDone) {
      ++done;
    } else {
      warnings.push_back(WarningOf(leases[i], WhyNot(settled[i], is_ack)));
    }
  }
  return done;
}

ApiError NotPulled(const KnownQueue& queue) {
  const bool is_pushed = queue.config.consumer.has_value();
  return {400, kBadRequest,
          is_pushed ? "the consumer of this queue is a Worker: it is pushed to"
                    : "this queue has no http_pull consumer: add one first",
          std::nullopt};
}

/// A number that stands where a page ended; nullopt: it is none of ours.
std::optional<uint64_t> PeekFrom(const Call& call) {
  const std::optional<std::string> text = call.Query("cursor");
  if (!text || text->empty()) return 0;
  uint64_t from = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), from);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return from;
}

int64_t PeekCount(const Call& call) {
  const std::string text = call.Query("limit").value_or("");
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return kPeekDefault;
  return std::clamp<int64_t>(count, 1, kPeekMax);
}

/// Where a redrive goes: the number of a queue that is named, which the caller may write to.
struct Target {
  std::optional<ApiError> error;
  std::optional<uint64_t> number;
};

Target TargetOf(const QueueServices& with, const Call& call, uint64_t from,
                const std::string& name) {
  const Result<QueueRef> to = with.queues.FindByName(call.account.row, name);
  if (!to.ok()) return {ErrorOfQueue(to.status(), QueueDoor::kMessages), std::nullopt};
  // A name that nobody has and one that is not the caller's are not told apart.
  if (*to == nullptr || !call.principal.May(Service::kQueues, Action::kWrite, (*to)->resource.id)) {
    return {ApiError{403, kUnauthorized,
                     "no queue \"" + name.substr(0, 63) + "\" that this token may send to",
                     std::nullopt},
            std::nullopt};
  }
  if ((*to)->resource.number == from) {
    return {ApiError{400, kBadSchema, "\"queue_name\": expected another queue, got the same",
                     std::nullopt},
            std::nullopt};
  }
  return {std::nullopt, (*to)->resource.number};
}

}  // namespace

Task<Asked> ReadAsked(Call& call, uint64_t bytes_max) {
  Result<std::string> text = co_await net::ReadAll(*call.request.body, bytes_max);
  if (text.ok()) co_return Asked{std::nullopt, *std::move(text)};
  const bool is_too_long = text.status().IsInvalid();
  co_return Asked{ApiError{is_too_long ? 413 : 400, is_too_long ? kBatchTooLarge : kMalformedJson,
                           text.status().message(), std::nullopt},
                  {}};
}

Task<Response> SendOne(const QueueServices& with, Call& call, QueueRef queue) {
  const Asked asked = co_await ReadAsked(call, kSendBodyMax);
  if (asked.error) co_return Failure(*asked.error);
  co_return co_await Send(with, queue, ReadOne(asked.text));
}

Task<Response> SendBatch(const QueueServices& with, Call& call, QueueRef queue) {
  const Asked asked = co_await ReadAsked(call, kSendBodyMax);
  if (asked.error) co_return Failure(*asked.error);
  co_return co_await Send(with, queue, ReadBatch(asked.text));
}

Task<Response> Pull(const QueueServices& with, Call& call, QueueRef queue) {
  const Asked asked = co_await ReadAsked(call, kAnswersBodyMax);
  if (asked.error) co_return Failure(*asked.error);
  const std::optional<QueueConsumer>& consumer = queue->config.consumer;
  if (!consumer || consumer->kind != ConsumerKind::kHttpPull) {
    co_return Failure(NotPulled(*queue));
  }
  const AskedPull read = ReadPull(asked.text, *consumer);
  if (read.error) co_return Failure(*read.error);
  if (auto refusal = CheckReceive(with.access.store.limits(), read.count, read.visibility_ms)) {
    co_return Failure(ErrorOfMessages(*std::move(refusal)));
  }
  const uint64_t number = queue->resource.number;
  const auto received = co_await ReceiveMessages(
      with.access, number, static_cast<size_t>(read.count), read.visibility_ms);
  if (!received.ok()) co_return Refuse(received.status());
  // They are the caller's, whatever can be said of the queue.
  const Result<Backlog> known = co_await ReadBacklog(with.access, number);
  const Backlog backlog = known.ValueOr(Backlog{});
  std::vector<std::string> shown;
  for (const Delivered& message : *received) {
    shown.push_back(ShowMessage(message, with.access.store.Seal(message.lease)));
  }
  co_return Success(R"({"message_backlog_count":)" + std::to_string(backlog.count) +
                    R"(,"metadata":)" + MetricsOf(backlog) + R"(,"messages":)" + ListOf(shown) +
                    "}");
}

Task<Response> Acknowledge(const QueueServices& with, Call& call, QueueRef queue) {
  const Asked asked = co_await ReadAsked(call, kAnswersBodyMax);
  if (asked.error) co_return Failure(*asked.error);
  AskedAnswers read = ReadAnswers(asked.text);
  if (read.error) co_return Failure(*read.error);
  if (auto refusal = CheckSettle(with.access.store.limits(), read.acks.size(), read.delays_s)) {
    co_return Failure(ErrorOfMessages(*std::move(refusal)));
  }
  const uint64_t number = queue->resource.number;
  Answers answers = AnswersOf(with.access.store, number, std::move(read));
  const Result<SettledAll> settled =
      co_await SettleMessages(with.access, number, std::move(answers.settlement));
  if (!settled.ok()) co_return Refuse(settled.status());
  const size_t acks = CountDone(settled->acks, answers.acks, true, answers.warnings);
  const size_t retries = CountDone(settled->retries, answers.retries, false, answers.warnings);
  co_return Success(Dump(Json{
      {"ackCount", acks}, {"retryCount", retries}, {"warnings", std::move(answers.warnings)}}));
}

Task<Response> Peek(const QueueServices& with, Call& call, QueueRef queue) {
  const std::optional<uint64_t> from = PeekFrom(call);
  if (!from) co_return Failure({400, kBadSchema, "invalid cursor", std::nullopt});
  const auto page = co_await PeekMessages(with.access, queue->resource.number, *from,
                                          static_cast<size_t>(PeekCount(call)));
  if (!page.ok()) co_return Refuse(page.status());
  std::vector<std::string> shown;
  for (const Peeked& message : page->messages) shown.push_back(ShowMessage(message));
  const Json info = {{"count", shown.size()},
                     {"cursor", page->next ? std::to_string(*page->next) : std::string()}};
  co_return Success(R"({"messages":)" + ListOf(shown) + "}", Dump(info));
}

Task<Response> Redrive(const QueueServices& with, Call& call, QueueRef queue) {
  const Asked asked = co_await ReadAsked(call, kAnswersBodyMax);
  if (asked.error) co_return Failure(*asked.error);
  const AskedRedrive read = ReadRedrive(asked.text);
  if (read.error) co_return Failure(*read.error);
  Target target;
  if (read.to) target = TargetOf(with, call, queue->resource.number, *read.to);
  if (target.error) co_return Failure(*target.error);
  const int64_t wanted = std::clamp<int64_t>(read.count.value_or(kRedriveMax), 0, kRedriveMax);
  const auto moved = co_await RedriveQueue(with.access, queue->resource.number, target.number,
                                           static_cast<uint64_t>(wanted));
  if (!moved.ok()) co_return Refuse(moved.status());
  co_return Success(Dump(Json{{"moved", *moved}}));
}

}  // namespace levada::services::queues
