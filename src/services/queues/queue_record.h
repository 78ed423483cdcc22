#pragma once
// The bytes of what the store of queues keeps (docs/wire/queues.md). Keys are big-endian, so that
// they sort as their numbers; values begin with a version and are little-endian.
//
//   queues    u64 queue                        Totals
//             "lease key"                      32 bytes: see lease_id.h
//   messages  u64 queue, u64 seq               Message
//   ready     u64 queue, i64 ms, u64 seq       Entry: it waits, and is visible from `ms` on
//   leases    u64 queue, i64 ms, u64 seq       Entry: somebody has it, until `ms`
//
// Each message has one Message and, in one of the two families below it, one Entry.

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace levada::services::queues {

/// How a Worker said what its body is; also the number that is stored.
enum class ContentType : uint8_t { kText = 0, kBytes = 1, kJson = 2, kV8 = 3 };

/// "text", "bytes", "json", "v8".
std::string_view NameOf(ContentType type);
std::optional<ContentType> ContentTypeOf(std::string_view name);

/// Where a message stands in the order of its queue. Times are of QueueClock and not negative.
struct Place {
  int64_t ms = 0;
  uint64_t seq = 0;
  auto operator<=>(const Place&) const = default;
};
/// Behind all others.
constexpr Place kNowhere = {std::numeric_limits<int64_t>::max(),
                            std::numeric_limits<uint64_t>::max()};

/// What a message is.
struct Message {
  ContentType type = ContentType::kBytes;
  int64_t timestamp_ms = 0;  ///< since the epoch, by the machine's clock: for its consumer
  uint64_t source = 0;       ///< the queue that it was dead in; 0: none
  std::string_view body;
  bool operator==(const Message&) const = default;
};

/// What the order of a queue knows of a message.
struct Entry {
  int64_t sent_ms = 0;  ///< of QueueClock: what its retention counts from
  uint64_t source = 0;
  uint32_t bytes = 0;     ///< of its body
  uint16_t attempts = 0;  ///< deliveries that were begun
  bool operator==(const Entry&) const = default;
};

/// What a queue amounts to, written with each change of it.
struct Totals {
  uint64_t next_seq = 1;
  uint64_t count = 0;
  uint64_t bytes = 0;
  uint32_t epoch = 0;      ///< how often it was purged
  Place head;              ///< nothing waits before it: deleted keys there need not be walked
  int64_t written_ms = 0;  ///< of QueueClock
  bool operator==(const Totals&) const = default;
};

std::string EncodeMessage(const Message& message);
/// A view into `bytes`. nullopt, as below: not such a record.
std::optional<Message> DecodeMessage(std::string_view bytes);
std::string EncodeEntry(const Entry& entry);
std::optional<Entry> DecodeEntry(std::string_view bytes);
std::string EncodeTotals(const Totals& totals);
std::optional<Totals> DecodeTotals(std::string_view bytes);

/// In family "queues" beside the queues: what leases are sealed with.
constexpr std::string_view kLeaseKeyKey = "lease key";
/// Also what all keys of the queue begin with.
std::string QueueKey(uint64_t queue);
std::string MessageKey(uint64_t queue, uint64_t seq);
std::string PlaceKey(uint64_t queue, Place place);

struct QueuePlace {
  uint64_t queue = 0;
  Place place;
};
std::optional<QueuePlace> DecodePlaceKey(std::string_view key);
struct QueueSeq {
  uint64_t queue = 0;
  uint64_t seq = 0;
};
std::optional<QueueSeq> DecodeMessageKey(std::string_view key);
std::optional<uint64_t> DecodeQueueKey(std::string_view key);

/// What its users know a message by, in its queue and all others: 32 hex digits.
std::string MessageId(uint64_t queue, uint64_t seq);

}  // namespace levada::services::queues
