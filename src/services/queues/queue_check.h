#pragma once
// CheckQueues: whether the store of queues is whole while nobody has it open: reads every record,
// each of which RocksDB has a checksum of, and holds them against each other.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/fault.h"
#include "services/core/findings.h"
#include "services/queues/queue_records.h"

namespace levada::services::queues {

struct QueuesChecked {
  uint64_t queues = 0;
  uint64_t messages = 0;
  uint64_t body_bytes = 0;
  bool is_readable = true;  ///< false: the store cannot be opened, or not be walked to its end
};

/// Changes nothing. Errors: kStopped; what is wrong with the store is a finding.
Result<QueuesChecked> CheckQueues(const Context& ctx, const std::string& path,
                                  const KnownResources& queues, Findings& findings);
/// The same of records that are open already.
Result<QueuesChecked> CheckQueueRecords(const Context& ctx, const QueueRecords& records,
                                        const KnownResources& queues, Findings& findings);

/// Of a store's key, for people.
std::string WhereOf(const KnownResources& queues, Family family, std::string_view key);

}  // namespace levada::services::queues
