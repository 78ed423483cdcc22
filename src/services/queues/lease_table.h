#pragma once
// LeaseTable: the messages of one queue that somebody has, or had until their lease ran out and
// nobody took them again. A lease that runs out is not written down: the message is then simply the
// first to be given out again. Pure; one thread's.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

#include "services/queues/queue_record.h"

namespace levada::services::queues {

struct Lease {
  int64_t until_ms = 0;
  Entry entry;
  uint64_t write = 0;  ///< the number of the write that made it; until it is done nobody has it
};

class LeaseTable final {
 public:
  /// Precondition: none of this message.
  void Insert(uint64_t seq, const Lease& lease) {
    by_seq_.emplace(seq, lease);
    by_end_.emplace(Place{lease.until_ms, seq}, lease);
  }
  void Remove(uint64_t seq) {
    const auto at = by_seq_.find(seq);
    if (at == by_seq_.end()) return;
    by_end_.erase(Place{at->second.until_ms, seq});
    by_seq_.erase(at);
  }
  /// Null: nobody has it. Until the next change.
  const Lease* Find(uint64_t seq) const {
    const auto at = by_seq_.find(seq);
    return at == by_seq_.end() ? nullptr : &at->second;
  }
  /// The order in which they run out.
  const std::map<Place, Lease>& by_end() const { return by_end_; }
  size_t size() const { return by_seq_.size(); }
  void Clear() {
    by_seq_.clear();
    by_end_.clear();
  }

 private:
  std::unordered_map<uint64_t, Lease> by_seq_;
  std::map<Place, Lease> by_end_;
};

}  // namespace levada::services::queues
