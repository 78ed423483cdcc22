#include "services/queues/queue_records.h"

#include "db/rocksdb/store.h"

namespace levada::services::queues {
namespace {

std::string QueueEnd(uint64_t queue) { return db::rocks::PrefixEnd(QueueKey(queue)); }

}  // namespace

Status DamagedRecord(std::string_view what, uint64_t queue) {
  return Fault(FaultCode::kStoreDamaged, "queues: " + std::string(what) + " is damaged")
      .With("queue", std::to_string(queue));
}

Result<std::map<uint64_t, std::optional<Totals>>> ReadTotals(const QueueRecords& records) {
  std::map<uint64_t, std::optional<Totals>> all;
  ARROW_RETURN_NOT_OK(
      records.Scan(kQueues, "", "", [&all](std::string_view key, std::string_view value) {
        const std::optional<uint64_t> queue = DecodeQueueKey(key);
        if (queue) all[*queue] = DecodeTotals(value);
        return true;
      }));
  return all;
}

Result<std::vector<PlacedEntry>> ReadPlaces(const QueueRecords& records, Family family,
                                            uint64_t queue, Place from, size_t count) {
  std::vector<PlacedEntry> found;
  bool is_damaged = false;
  const auto visit = [&](std::string_view key, std::string_view value) {
    if (found.size() == count) return false;
    const std::optional<QueuePlace> at = DecodePlaceKey(key);
    const std::optional<Entry> entry = DecodeEntry(value);
    is_damaged = !at || !entry;
    if (is_damaged) return false;
    found.push_back({at->place, *entry});
    return true;
  };
  ARROW_RETURN_NOT_OK(records.Scan(family, PlaceKey(queue, from), QueueEnd(queue), visit));
  if (is_damaged) return DamagedRecord("the order of a queue", queue);
  return found;
}

Result<std::optional<std::string>> ReadMessage(const QueueRecords& records, uint64_t queue,
                                               uint64_t seq) {
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> bytes,
                        records.Get(kMessages, MessageKey(queue, seq)));
  if (bytes && !DecodeMessage(*bytes)) {
    return WithDetail(DamagedRecord("a message", queue), "message", MessageId(queue, seq));
  }
  return bytes;
}

Result<std::vector<StoredMessage>> ReadMessages(const QueueRecords& records, uint64_t queue,
                                                uint64_t from, size_t count, size_t bytes_max) {
  std::vector<StoredMessage> found;
  size_t bytes = 0;
  bool is_damaged = false;
  const auto visit = [&](std::string_view key, std::string_view value) {
    if (found.size() == count || bytes > bytes_max) return false;
    const std::optional<QueueSeq> at = DecodeMessageKey(key);
    is_damaged = !at || !DecodeMessage(value);
    if (is_damaged) return false;
    bytes += value.size();
    found.push_back({at->seq, std::string(value)});
    return true;
  };
  ARROW_RETURN_NOT_OK(records.Scan(kMessages, MessageKey(queue, from), QueueEnd(queue), visit));
  if (is_damaged) return DamagedRecord("a message", queue);
  return found;
}

}  // namespace levada::services::queues
