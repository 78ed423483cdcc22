// QueueMachine: what is given out, and what comes back.

#include <algorithm>
#include <limits>
#include <utility>

#include "services/queues/queue_machine.h"

namespace levada::services::queues {

std::optional<QueueMachine::Candidate> QueueMachine::Next(const Queue& queue,
                                                          int64_t now_ms) const {
  std::optional<Candidate> next;
  if (!queue.leases.by_end().empty()) {
    const auto& [place, lease] = *queue.leases.by_end().begin();
    // One that is not written yet may have run out before anybody had the message.
    const bool is_over = place.ms <= now_ms && lease.write <= done_write_;
    if (is_over) next = {place, lease.entry, /*is_leased=*/true};
  }
  if (queue.ready.entries().empty() || queue.leases.size() >= limits_.leased_max) return next;
  const auto& [place, waiting] = *queue.ready.entries().begin();
  if (place.ms <= now_ms && (!next || place < next->place)) {
    next = {place, waiting.entry, /*is_leased=*/false};
  }
  return next;
}

Result<Received> QueueMachine::Receive(uint64_t number, size_t count, int64_t visibility_ms,
                                       Moment moment) {
  ARROW_ASSIGN_OR_RAISE(Queue* const queue, Find(number));
  Received received;
  if (queue->settings.is_paused) return received;
  ARROW_RETURN_NOT_OK(FillWindow(*queue, count + limits_.tidied_max));
  Work work = Begin(moment);
  size_t tidied = 0;
  while (received.messages.size() < count && tidied < limits_.tidied_max) {
    const std::optional<Candidate> next = Next(*queue, moment.now_ms);
    if (!next) break;
    if (next->entry.sent_ms + queue->settings.retention_s * 1000 <= moment.now_ms) {
      Delete(*queue, *next, work);
      ++tidied;
    } else if (next->entry.attempts > queue->settings.retries) {
      if (!Bury(*queue, *next, work)) received.aside.push_back(next->place.seq);
      ++tidied;
    } else {
      received.messages.push_back(Take(*queue, *next, moment.now_ms + visibility_ms, work));
    }
  }
  received.write = End(std::move(work));
  return received;
}

Taken QueueMachine::Take(Queue& queue, const Candidate& candidate, int64_t until_ms, Work& work) {
  const uint64_t seq = candidate.place.seq;
  Lift(queue, candidate, work);
  Entry entry = candidate.entry;
  if (entry.attempts < std::numeric_limits<uint16_t>::max()) ++entry.attempts;
  work.write.batch.Put(kLeases, PlaceKey(queue.number, {until_ms, seq}), EncodeEntry(entry));
  queue.leases.Insert(seq, {until_ms, entry, work.write.number});
  return {{queue.number, queue.totals.epoch, seq, entry.attempts}, until_ms};
}

void QueueMachine::PutAside(Queue& queue, const Candidate& candidate, Work& work) {
  Lift(queue, candidate, work);
  PutReady(queue, {work.moment.now_ms + limits_.aside_ms, candidate.place.seq}, candidate.entry,
           work);
}

bool QueueMachine::Move(Queue& queue, const Candidate& candidate, uint64_t to, uint64_t source,
                        Work& work) {
  const auto target = queues_.find(to);
  if (to == queue.number || target == queues_.end()) return false;
  if (!target->second.is_known || !target->second.damage.ok()) return false;
  const auto bytes = ReadMessage(records_, queue.number, candidate.place.seq);
  if (!bytes.ok()) return false;
  if (*bytes) {
    Message message = DecodeMessage(**bytes).value_or(Message{});
    message.source = source;
    Totals& totals = target->second.totals;
    // Its time begins anew there: else it might be past its retention when it comes.
    PutMessage(target->second, message, {work.moment.now_ms, totals.next_seq++},
               {.sent_ms = work.moment.now_ms, .source = source}, work);
  }
  Delete(queue, candidate, work);
  return true;
}

bool QueueMachine::Bury(Queue& queue, const Candidate& candidate, Work& work) {
  const std::optional<uint64_t> to = queue.settings.dead_letter_queue;
  if (!to) {
    Delete(queue, candidate, work);
    return true;
  }
  if (Move(queue, candidate, *to, queue.number, work)) return true;
  PutAside(queue, candidate, work);
  return false;
}

// ---- what comes back

const Lease* QueueMachine::HeldBy(const Queue& queue, const LeaseId& id) const {
  if (id.queue != queue.number || id.epoch != queue.totals.epoch) return nullptr;
  const Lease* const lease = queue.leases.Find(id.seq);
  return lease != nullptr && lease->entry.attempts == id.attempt ? lease : nullptr;
}

bool QueueMachine::IsLeaving(const Queue& queue, uint64_t seq) {
  return std::any_of(queue.leaving.begin(), queue.leaving.end(),
                     [seq](const Leaving& each) { return each.seq == seq; });
}

Result<Settled> QueueMachine::WhyNot(const Queue& queue, const LeaseId& id) const {
  // What was purged may still be on the disk.
  const bool is_gone = id.queue != queue.number || id.seq < queue.purged_before;
  if (is_gone || IsLeaving(queue, id.seq)) return Settled::kGone;
  ARROW_ASSIGN_OR_RAISE(const auto message,
                        records_.Get(kMessages, MessageKey(queue.number, id.seq)));
  return message ? Settled::kSuperseded : Settled::kGone;
}

Result<Settled> QueueMachine::GiveBack(Queue& queue, const Retry& retry, Work& work) {
  const Lease* const lease = HeldBy(queue, retry.id);
  if (lease == nullptr) return WhyNot(queue, retry.id);
  const Candidate candidate{{lease->until_ms, retry.id.seq}, lease->entry, /*is_leased=*/true};
  if (candidate.entry.attempts > queue.settings.retries) {
    Bury(queue, candidate, work);
    return Settled::kDone;
  }
  const int64_t delay_s = retry.delay_s.value_or(queue.settings.retry_delay_s);
  Lift(queue, candidate, work);
  PutReady(queue, {work.moment.now_ms + delay_s * 1000, retry.id.seq}, candidate.entry, work);
  return Settled::kDone;
}

Result<SettledAll> QueueMachine::Settle(uint64_t number, const Settlement& settlement,
                                        Moment moment) {
  ARROW_ASSIGN_OR_RAISE(Queue* const queue, Find(number));
  Work work = Begin(moment);
  SettledAll all;
  // What cannot be looked up for the disk's sake is not there for all that we can say; a call that
  // failed half-way would have changed the half.
  for (const LeaseId& id : settlement.acks) {
    if (const Lease* const lease = HeldBy(*queue, id)) {
      Delete(*queue, {{lease->until_ms, id.seq}, lease->entry, /*is_leased=*/true}, work);
      all.acks.push_back(Settled::kDone);
    } else {
      all.acks.push_back(WhyNot(*queue, id).ValueOr(Settled::kGone));
    }
  }
  for (const Retry& retry : settlement.retries) {
    all.retries.push_back(GiveBack(*queue, retry, work).ValueOr(Settled::kGone));
  }
  all.write = End(std::move(work));
  return all;
}

Result<Counted> QueueMachine::Forget(const LeaseId& id, Moment moment) {
  ARROW_ASSIGN_OR_RAISE(Queue* const queue, Find(id.queue));
  Work work = Begin(moment);
  const Lease* const lease = HeldBy(*queue, id);
  if (lease == nullptr) return Counted{};
  Delete(*queue, {{lease->until_ms, id.seq}, lease->entry, /*is_leased=*/true}, work);
  return Counted{1, End(std::move(work))};
}

Result<Counted> QueueMachine::Redrive(uint64_t number, std::optional<uint64_t> to, size_t count,
                                      Moment moment) {
  ARROW_ASSIGN_OR_RAISE(Queue* const queue, Find(number));
  ARROW_RETURN_NOT_OK(FillWindow(*queue, count));
  std::vector<Candidate> chosen;
  for (const auto& [place, waiting] : queue->ready.entries()) {
    if (chosen.size() == count) break;
    const bool has_way = to || waiting.entry.source != 0;
    // A body that is not written yet cannot be read.
    if (has_way && waiting.write <= done_write_) chosen.push_back({place, waiting.entry, false});
  }
  Work work = Begin(moment);
  Counted redriven;
  for (const Candidate& each : chosen) {
    if (Move(*queue, each, to.value_or(each.entry.source), 0, work)) ++redriven.count;
  }
  redriven.write = End(std::move(work));
  return redriven;
}

}  // namespace levada::services::queues
