#pragma once
// QueueRecords: what the machine of queues reads of its store, and in which terms. The store itself
// is behind two calls, so that a simulation can be one.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "services/queues/queue_families.h"
#include "services/queues/queue_record.h"

namespace levada::services::queues {

/// Sees what is written, which may be behind what was submitted. May block on the disk.
class QueueRecords {
 public:
  /// Of one record; views are of this call. False ends the scan.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;

  virtual ~QueueRecords() = default;
  virtual Result<std::optional<std::string>> Get(Family family, std::string_view key) const = 0;
  /// In byte order, of keys in [begin, end).
  virtual Status Scan(Family family, std::string_view begin, std::string end,
                      const Visit& visit) const = 0;
};

struct PlacedEntry {
  Place place;
  Entry entry;
};

/// Of all queues that have any; nullopt: damaged.
Result<std::map<uint64_t, std::optional<Totals>>> ReadTotals(const QueueRecords& records);
// The others fail with kStoreDamaged for a record that is none.

/// What they fail with: `what` "a message".
Status DamagedRecord(std::string_view what, uint64_t queue);
/// Of family `family` (ready or leases), from `from` on, at most `count`.
Result<std::vector<PlacedEntry>> ReadPlaces(const QueueRecords& records, Family family,
                                            uint64_t queue, Place from, size_t count);
/// The bytes of a Message that can be decoded; nullopt: there is none.
Result<std::optional<std::string>> ReadMessage(const QueueRecords& records, uint64_t queue,
                                               uint64_t seq);

struct StoredMessage {
  uint64_t seq = 0;
  std::string bytes;  ///< of a Message
};
/// From `from` on, at most `count`, and no further one behind `bytes_max`.
Result<std::vector<StoredMessage>> ReadMessages(const QueueRecords& records, uint64_t queue,
                                                uint64_t from, size_t count, size_t bytes_max);

}  // namespace levada::services::queues
