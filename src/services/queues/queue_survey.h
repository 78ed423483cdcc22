#pragma once
// QueueSurvey: the records of one queue held against each other: each message has one entry, and
// the totals are what they amount to. What the check names and what a salvage mends.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/queues/queue_records.h"

namespace levada::services::queues {

struct SurveyedEntry {
  Family family = kReady;
  Place place;
  Entry entry;
};

struct SurveyedMessage {
  uint64_t seq = 0;
  uint32_t bytes = 0;  ///< of its body
};

struct QueueSurvey {
  std::optional<Totals> totals;  ///< nullopt: none that can be read
  uint64_t count = 0;            ///< of messages with an entry
  uint64_t bytes = 0;
  uint64_t last_seq = 0;  ///< of anything
  std::optional<Place> first_ready;
  std::vector<SurveyedEntry> without_message;
  std::vector<SurveyedEntry> twice;  ///< beside another one of the message, which counts
  std::vector<SurveyedMessage> unplaced;
  std::vector<uint64_t> damaged_messages;  ///< by seq
  struct DamagedRecord {
    Family family = kReady;
    std::string key;
  };
  std::vector<DamagedRecord> damaged_entries;
};

/// All that have a record.
Result<std::set<uint64_t>> FindQueues(const QueueRecords& records);
/// Takes memory for each entry of the queue. Errors: those of the records; nothing is known of what
/// is behind them.
Result<QueueSurvey> SurveyQueue(const QueueRecords& records, uint64_t queue);

}  // namespace levada::services::queues
