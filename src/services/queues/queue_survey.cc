#include "services/queues/queue_survey.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "db/rocksdb/store.h"

namespace levada::services::queues {
namespace {

using db::rocks::PrefixEnd;

class Survey {
 public:
  Survey(const QueueRecords& records, uint64_t queue)
      : records_(records), begin_(QueueKey(queue)), end_(PrefixEnd(begin_)) {}

  Result<QueueSurvey> Run() {
    ARROW_ASSIGN_OR_RAISE(const auto totals, records_.Get(kQueues, begin_));
    if (totals) survey_.totals = DecodeTotals(*totals);
    for (const Family family : {kReady, kLeases}) ARROW_RETURN_NOT_OK(CollectEntries(family));
    SortEntries();
    ARROW_RETURN_NOT_OK(WalkMessages());
    for (; at_ < entries_.size(); ++at_) survey_.without_message.push_back(entries_[at_]);
    return std::move(survey_);
  }

 private:
  Status CollectEntries(Family family) {
    return records_.Scan(family, begin_, end_, [&](std::string_view key, std::string_view value) {
      const auto at = DecodePlaceKey(key);
      const auto entry = DecodeEntry(value);
      if (!at || !entry) {
        survey_.damaged_entries.push_back({family, std::string(key)});
        return true;
      }
      entries_.push_back({family, at->place, *entry});
      survey_.last_seq = std::max(survey_.last_seq, at->place.seq);
      if (family == kReady && !survey_.first_ready) survey_.first_ready = at->place;
      return true;
    });
  }

  /// By message; of one message the entry that counts is first: the one that knows most attempts.
  void SortEntries() {
    const auto order = [](const SurveyedEntry& each) {
      return std::make_tuple(each.place.seq, -static_cast<int>(each.entry.attempts),
                             -static_cast<int>(each.family), each.place.ms);
    };
    std::sort(entries_.begin(), entries_.end(),
              [&](const auto& a, const auto& b) { return order(a) < order(b); });
  }

  Status WalkMessages() {
    return records_.Scan(
        kMessages, begin_, end_, [&](std::string_view key, std::string_view value) {
          const auto at = DecodeMessageKey(key);
          if (!at) {
            survey_.damaged_entries.push_back({kMessages, std::string(key)});
            return true;
          }
          const std::optional<Message> message = DecodeMessage(value);
          if (!message) survey_.damaged_messages.push_back(at->seq);
          survey_.last_seq = std::max(survey_.last_seq, at->seq);
          Match(at->seq, message ? static_cast<uint32_t>(message->body.size()) : 0);
          return true;
        });
  }

  void Match(uint64_t seq, uint32_t bytes) {
    for (; at_ < entries_.size() && entries_[at_].place.seq < seq; ++at_) {
      survey_.without_message.push_back(entries_[at_]);
    }
    if (at_ == entries_.size() || entries_[at_].place.seq != seq) {
      survey_.unplaced.push_back({seq, bytes});
      return;
    }
    ++survey_.count;
    survey_.bytes += entries_[at_++].entry.bytes;
    for (; at_ < entries_.size() && entries_[at_].place.seq == seq; ++at_) {
      survey_.twice.push_back(entries_[at_]);
    }
  }

  const QueueRecords& records_;
  const std::string begin_;
  const std::string end_;
  QueueSurvey survey_;
  std::vector<SurveyedEntry> entries_;
  size_t at_ = 0;
};

}  // namespace

Result<std::set<uint64_t>> FindQueues(const QueueRecords& records) {
  std::set<uint64_t> queues;
  for (const Family family : {kQueues, kMessages, kReady, kLeases}) {
    std::string begin;
    while (true) {
      std::optional<std::string> prefix;
      ARROW_RETURN_NOT_OK(
          records.Scan(family, begin, "", [&](std::string_view key, std::string_view) {
            if (key == kLeaseKeyKey) return true;
            prefix = std::string(key.substr(0, 8));
            return false;
          }));
      if (!prefix) break;
      // What is too short for a queue's number is nobody's, and no reader meets it.
      if (const auto queue = DecodeQueueKey(*prefix)) queues.insert(*queue);
      begin = PrefixEnd(*prefix);
      if (begin.empty()) break;
    }
  }
  return queues;
}

Result<QueueSurvey> SurveyQueue(const QueueRecords& records, uint64_t queue) {
  return Survey(records, queue).Run();
}

}  // namespace levada::services::queues
