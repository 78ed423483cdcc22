#include "services/queues/queue_check.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/binary_text.h"
#include "db/rocksdb/store.h"
#include "services/queues/queue_families.h"
#include "services/queues/queue_survey.h"
#include "services/queues/store_records.h"

namespace levada::services::queues {
namespace {

using db::rocks::Store;

std::string NameOfQueue(const KnownResources& queues, uint64_t queue) {
  const bool is_known = queues && queues->contains(queue);
  return "queue " + (is_known ? queues->at(queue) : std::to_string(queue));
}

std::string WhereOfMessage(const KnownResources& queues, uint64_t queue, uint64_t seq) {
  return NameOfQueue(queues, queue) + ", message " + MessageId(queue, seq);
}

/// Adds what is wrong with one queue.
class Teller {
 public:
  Teller(const KnownResources& queues, uint64_t queue, Findings& findings)
      : queues_(queues), queue_(queue), findings_(findings) {}

  void Tell(const QueueSurvey& survey) {
    for (const auto& each : survey.damaged_entries) {
      findings_.AddDamage("record_damaged", WhereOf(queues_, each.family, each.key));
    }
    for (const uint64_t seq : survey.damaged_messages) AddOf(seq, "message_damaged", {});
    for (const auto& each : survey.without_message) AddOf(each.place.seq, "message_missing", {});
    for (const auto& each : survey.unplaced) {
      AddOf(each.seq, "message_unplaced", "it is stored, and nothing would deliver it");
    }
    for (const auto& each : survey.twice) AddOf(each.place.seq, "message_placed_twice", {});
    TellTotals(survey);
  }

 private:
  void AddOf(uint64_t seq, const char* what, std::string detail) {
    findings_.AddDamage(what, WhereOfMessage(queues_, queue_, seq), std::move(detail));
  }

  void TellTotals(const QueueSurvey& survey) {
    const std::string where = NameOfQueue(queues_, queue_);
    if (!survey.totals) return findings_.AddDamage("totals_missing", where);
    const Totals& totals = *survey.totals;
    if (totals.next_seq <= survey.last_seq) {
      findings_.AddDamage("totals_wrong", where, "a number would be given to a second message");
    }
    if (survey.first_ready && *survey.first_ready < totals.head) {
      findings_.AddDamage("totals_wrong", where, "messages wait where nobody looks");
    }
    // What is missing was counted when it was there.
    const uint64_t count = survey.count + survey.unplaced.size() + survey.without_message.size();
    if (totals.count != count) {
      findings_.AddDamage(
          "totals_wrong", where,
          fmt::format("{} messages are there, {} are counted", survey.count, totals.count));
    } else if (totals.bytes != survey.bytes && count == survey.count) {
      findings_.AddDamage(
          "totals_wrong", where,
          fmt::format("{} bytes are there, {} are counted", survey.bytes, totals.bytes));
    }
  }

  const KnownResources& queues_;
  const uint64_t queue_;
  Findings& findings_;
};

}  // namespace

std::string WhereOf(const KnownResources& queues, Family family, std::string_view key) {
  if (family == kQueues && key == kLeaseKeyKey) return "the key of leases";
  if (family == kQueues) {
    if (const auto queue = DecodeQueueKey(key)) return NameOfQueue(queues, *queue);
  } else if (family == kMessages) {
    if (const auto at = DecodeMessageKey(key)) return WhereOfMessage(queues, at->queue, at->seq);
  } else if (const auto at = DecodePlaceKey(key)) {
    return WhereOfMessage(queues, at->queue, at->place.seq);
  }
  return "key " + HexOf(key);
}

Result<QueuesChecked> CheckQueueRecords(const Context& ctx, const QueueRecords& records,
                                        const KnownResources& queues, Findings& findings) {
  QueuesChecked checked;
  const auto broken_off = [&](const std::string& where, const Status& status) {
    checked.is_readable = false;
    findings.AddDamage("store_damaged", where, FaultOf(status).message());
  };
  const auto numbers = FindQueues(records);
  if (!numbers.ok()) {
    broken_off("the list of queues", numbers.status());
    return checked;
  }
  for (const uint64_t queue : *numbers) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    const auto survey = SurveyQueue(records, queue);
    if (!survey.ok()) {
      broken_off(NameOfQueue(queues, queue), survey.status());
      continue;
    }
    ++checked.queues;
    checked.messages += survey->count;
    checked.body_bytes += survey->bytes;
    Teller(queues, queue, findings).Tell(*survey);
    if (queues && !queues->contains(queue)) {
      findings.AddLeftover("queue_gone", NameOfQueue(queues, queue),
                           fmt::format("{} messages of a queue that was removed", survey->count));
    }
  }
  return checked;
}

Result<QueuesChecked> CheckQueues(const Context& ctx, const std::string& path,
                                  const KnownResources& queues, Findings& findings) {
  findings.Begin("queues");
  db::rocks::StoreOptions options;
  options.path = path;
  options.families = QueueFamilies();
  options.is_read_only = true;
  const Result<std::unique_ptr<Store>> store = Store::Open(std::move(options));
  if (!store.ok()) {
    findings.AddDamage("store_damaged", path, FaultOf(store.status()).message());
    return QueuesChecked{.is_readable = false};
  }
  return CheckQueueRecords(ctx, StoreRecords(**store), queues, findings);
}

}  // namespace levada::services::queues
