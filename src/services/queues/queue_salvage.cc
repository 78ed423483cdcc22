#include "services/queues/queue_salvage.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "services/core/salvage_store.h"
#include "services/queues/queue_check.h"
#include "services/queues/queue_families.h"
#include "services/queues/queue_survey.h"
#include "services/queues/store_records.h"

namespace levada::services::queues {
namespace {

using db::rocks::Batch;
using db::rocks::Store;

void Mend(uint64_t queue, const QueueSurvey& survey, int64_t now_ms, Batch& batch) {
  for (const auto& each : survey.damaged_entries) batch.Delete(each.family, each.key);
  for (const auto* entries : {&survey.without_message, &survey.twice}) {
    for (const SurveyedEntry& each : *entries) {
      batch.Delete(each.family, PlaceKey(queue, each.place));
    }
  }
  Totals totals = survey.totals.value_or(Totals{});
  totals.next_seq = std::max(totals.next_seq, survey.last_seq + 1);
  totals.count = survey.count + survey.unplaced.size();
  totals.bytes = survey.bytes;
  totals.written_ms = now_ms;
  totals.head = {};
  ++totals.epoch;
  for (const SurveyedMessage& each : survey.unplaced) {
    totals.bytes += each.bytes;
    batch.Put(kReady, PlaceKey(queue, {now_ms, each.seq}),
              EncodeEntry({.sent_ms = now_ms, .bytes = each.bytes}));
  }
  batch.Put(kQueues, QueueKey(queue), EncodeTotals(totals));
}

}  // namespace

Status MendQueues(Store& store, int64_t now_ms) {
  const StoreRecords records(store);
  ARROW_ASSIGN_OR_RAISE(const auto queues, FindQueues(records));
  for (const uint64_t queue : queues) {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, records.Get(kQueues, QueueKey(queue)));
    const auto totals = bytes ? DecodeTotals(*bytes) : std::nullopt;
    if (totals) now_ms = std::max(now_ms, totals->written_ms);
  }
  for (const uint64_t queue : queues) {
    ARROW_ASSIGN_OR_RAISE(const QueueSurvey survey, SurveyQueue(records, queue));
    Batch batch;
    Mend(queue, survey, now_ms, batch);
    ARROW_RETURN_NOT_OK(store.Write({&batch}));
  }
  return Status::OK();
}

Result<std::string> SalvageQueues(const Context& ctx, os::Disk& disk, const std::string& path,
                                  const KnownResources& queues, Findings& findings) {
  findings.Begin("queues");
  const auto where = [&queues](db::rocks::FamilyIndex family, std::string_view key) {
    return WhereOf(queues, static_cast<Family>(family), key);
  };
  const auto mend = [&ctx](Store& fresh) { return MendQueues(fresh, ctx.clock->Now() / 1000); };
  return SalvageStore(ctx, disk, {path, QueueFamilies(), where, mend}, findings);
}

}  // namespace levada::services::queues
