#include "services/queues/queue_machine.h"

#include <algorithm>
#include <utility>

namespace levada::services::queues {

using db::rocks::PrefixEnd;

// ---- state

bool QueueMachine::Knows(uint64_t queue) const {
  const auto at = queues_.find(queue);
  return at != queues_.end() && at->second.is_known;
}

Result<QueueMachine::Queue*> QueueMachine::Find(uint64_t number) {
  const auto at = queues_.find(number);
  if (at == queues_.end() || !at->second.is_known) {
    return Status::KeyError("there is no queue ", number);
  }
  ARROW_RETURN_NOT_OK(at->second.damage);
  return &at->second;
}

QueueMachine::Queue& QueueMachine::Make(uint64_t number) {
  return queues_.try_emplace(number, number, limits_.window_max).first->second;
}

Status QueueMachine::Load() {
  ARROW_ASSIGN_OR_RAISE(const auto all, ReadTotals(records_));
  std::erase_if(queues_, [](const auto& each) { return !each.second.is_known; });
  for (auto& [number, queue] : queues_) queue.totals = Totals{};
  for (const auto& [number, totals] : all) {
    Make(number).totals = totals.value_or(Totals{});
    if (totals) seen_ms_ = std::max(seen_ms_, totals->written_ms);
  }
  for (auto& [number, queue] : queues_) {
    const auto at = all.find(number);
    const bool is_damaged = at != all.end() && !at->second;
    queue.damage = is_damaged ? DamagedRecord("what a queue amounts to", number) : LoadQueue(queue);
    const bool is_other = !queue.damage.ok() && CodeOf(queue.damage) != FaultCode::kStoreDamaged;
    if (is_other) return queue.damage;
  }
  done_write_ = last_write_;
  return Status::OK();
}

Status QueueMachine::LoadQueue(Queue& queue) {
  queue.leaving.clear();
  queue.oldest_seq = 0;
  queue.oldest_ms.reset();
  queue.purged_before = 0;
  queue.ready.Reset(queue.totals.head);
  queue.leases.Clear();
  Place from;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto leases,
                          ReadPlaces(records_, kLeases, queue.number, from, limits_.window_max));
    for (const PlacedEntry& each : leases) {
      queue.leases.Insert(each.place.seq, {each.place.ms, each.entry, 0});
    }
    if (leases.size() < limits_.window_max) return Status::OK();
    from = {leases.back().place.ms, leases.back().place.seq + 1};
  }
}

void QueueMachine::Configure(uint64_t queue, const QueueSettings& settings) {
  Queue& configured = Make(queue);
  configured.is_known = true;
  configured.settings = settings;
}

Counted QueueMachine::Drop(uint64_t queue) {
  Counted dropped{0, {{}, ++last_write_}};
  const auto at = queues_.find(queue);
  if (at != queues_.end()) dropped.count = at->second.totals.count;
  db::rocks::Batch& batch = dropped.write.batch;
  const std::string begin = QueueKey(queue);
  for (const Family family : {kMessages, kReady, kLeases}) {
    batch.DeleteRange(family, begin, PrefixEnd(begin));
  }
  batch.Delete(kQueues, begin);
  queues_.erase(queue);
  return dropped;
}

Status QueueMachine::FillWindow(Queue& queue, size_t count) {
  queue.ready.Wrote(done_write_);
  while (const std::optional<Place> from = queue.ready.NeedsMore(count)) {
    ARROW_ASSIGN_OR_RAISE(const auto read, ReadPlaces(records_, kReady, queue.number, *from,
                                                      queue.ready.read_count()));
    queue.ready.Extend(read);
  }
  return Status::OK();
}

// ---- what a call writes

Write QueueMachine::End(Work work) {
  for (Queue* queue : work.changed) {
    queue->totals.head = queue->ready.head();
    queue->totals.written_ms = work.moment.now_ms;
    work.write.batch.Put(kQueues, QueueKey(queue->number), EncodeTotals(queue->totals));
  }
  if (work.write.batch.empty()) return {};
  last_write_ = work.write.number;
  return std::move(work.write);
}

void QueueMachine::PutReady(Queue& queue, Place place, const Entry& entry, Work& work) {
  work.write.batch.Put(kReady, PlaceKey(queue.number, place), EncodeEntry(entry));
  queue.ready.Wrote(done_write_);
  queue.ready.Insert(place, {entry, work.write.number});
  work.changed.insert(&queue);
}

void QueueMachine::PutMessage(Queue& queue, const Message& message, Place place, Entry entry,
                              Work& work) {
  entry.bytes = static_cast<uint32_t>(message.body.size());
  work.write.batch.Put(kMessages, MessageKey(queue.number, place.seq), EncodeMessage(message));
  PutReady(queue, place, entry, work);
  if (queue.totals.count == 0) {
    queue.oldest_seq = place.seq;
    queue.oldest_ms = message.timestamp_ms;
  }
  ++queue.totals.count;
  queue.totals.bytes += entry.bytes;
}

void QueueMachine::Lift(Queue& queue, const Candidate& candidate, Work& work) {
  const Family family = candidate.is_leased ? kLeases : kReady;
  work.write.batch.Delete(family, PlaceKey(queue.number, candidate.place));
  if (candidate.is_leased) {
    queue.leases.Remove(candidate.place.seq);
  } else {
    queue.ready.Wrote(done_write_);
    queue.ready.Remove(candidate.place, work.write.number);
  }
}

void QueueMachine::Delete(Queue& queue, const Candidate& candidate, Work& work) {
  Lift(queue, candidate, work);
  work.write.batch.Delete(kMessages, MessageKey(queue.number, candidate.place.seq));
  while (!queue.leaving.empty() && queue.leaving.front().write <= done_write_) {
    queue.leaving.pop_front();
  }
  queue.leaving.push_back({candidate.place.seq, work.write.number});
  if (candidate.place.seq == queue.oldest_seq) queue.oldest_ms.reset();
  --queue.totals.count;
  queue.totals.bytes -= candidate.entry.bytes;
  work.changed.insert(&queue);
}

// ---- calls

Result<Sent> QueueMachine::Send(uint64_t number, std::vector<NewMessage> messages, Moment moment) {
  ARROW_ASSIGN_OR_RAISE(Queue* const queue, Find(number));
  uint64_t bytes = queue->totals.bytes;
  for (const NewMessage& message : messages) bytes += message.body.size();
  const auto backlog = [queue]() -> std::optional<Backlog> {
    if (!queue->oldest_ms) return std::nullopt;
    return Backlog{queue->totals.count, queue->totals.bytes, *queue->oldest_ms};
  };
  if (bytes > limits_.backlog_bytes_max) return Sent{true, {}, backlog()};
  Work work = Begin(moment);
  for (const NewMessage& message : messages) {
    const int64_t delay_s = message.delay_s.value_or(queue->settings.delivery_delay_s);
    const Place place{moment.now_ms + delay_s * 1000, queue->totals.next_seq++};
    PutMessage(*queue, {message.type, moment.wall_ms, 0, message.body}, place,
               {.sent_ms = moment.now_ms}, work);
  }
  Write write = End(std::move(work));
  return Sent{false, std::move(write), backlog()};
}

Result<Counted> QueueMachine::Purge(uint64_t number, Moment moment) {
  ARROW_ASSIGN_OR_RAISE(Queue* const queue, Find(number));
  Work work = Begin(moment);
  const std::string begin = QueueKey(number);
  for (const Family family : {kMessages, kReady, kLeases}) {
    work.write.batch.DeleteRange(family, begin, PrefixEnd(begin));
  }
  const uint64_t count = queue->totals.count;
  ++queue->totals.epoch;
  queue->totals.count = 0;
  queue->totals.bytes = 0;
  queue->ready.Reset(kNowhere, queue->totals.next_seq);
  queue->leases.Clear();
  queue->oldest_seq = queue->totals.next_seq;
  queue->oldest_ms.reset();
  queue->purged_before = queue->totals.next_seq;
  work.changed.insert(queue);
  return Counted{count, End(std::move(work))};
}

Result<Backlog> QueueMachine::BacklogOf(uint64_t number) {
  ARROW_ASSIGN_OR_RAISE(Queue* const queue, Find(number));
  Backlog backlog{queue->totals.count, queue->totals.bytes, 0};
  if (backlog.count == 0) return backlog;
  if (queue->oldest_ms) {
    backlog.oldest_ms = *queue->oldest_ms;
    return backlog;
  }
  ARROW_ASSIGN_OR_RAISE(const auto oldest, ReadMessages(records_, number, queue->oldest_seq, 1, 0));
  if (oldest.empty()) return backlog;
  const uint64_t seq = oldest.front().seq;
  const std::optional<Message> message = DecodeMessage(oldest.front().bytes);
  if (message) backlog.oldest_ms = message->timestamp_ms;
  queue->oldest_seq = seq;
  // One that a write under way deletes: then the next one is found by the next call.
  if (message && !IsLeaving(*queue, seq)) queue->oldest_ms = message->timestamp_ms;
  return backlog;
}

Result<Glance> QueueMachine::GlanceAt(uint64_t number, size_t count, Moment moment) {
  ARROW_ASSIGN_OR_RAISE(Queue* const queue, Find(number));
  Glance glance;
  if (queue->settings.is_paused) return glance;
  ARROW_RETURN_NOT_OK(FillWindow(*queue, count));
  const bool takes_new = queue->leases.size() < limits_.leased_max;
  glance.oldest_ms = kNowhere.ms;
  const auto look = [&](Place place) {
    if (place.ms > moment.now_ms) {
      glance.next_ms = std::min(glance.next_ms.value_or(place.ms), place.ms);
      return false;
    }
    glance.oldest_ms = std::min(glance.oldest_ms, place.ms);
    return ++glance.visible_count < count;
  };
  for (const auto& [place, lease] : queue->leases.by_end()) {
    if (!look(place)) break;
  }
  if (takes_new && glance.visible_count < count) {
    for (const auto& [place, waiting] : queue->ready.entries()) {
      if (!look(place)) break;
    }
  }
  if (glance.visible_count == 0) glance.oldest_ms = 0;
  return glance;
}

}  // namespace levada::services::queues
