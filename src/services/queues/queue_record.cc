#include "services/queues/queue_record.h"

#include <array>

#include "base/binary_text.h"
#include "base/byte_order.h"

namespace levada::services::queues {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kMessageHeaderBytes = 1 + 1 + 8 + 8;
constexpr size_t kEntryBytes = 1 + 8 + 8 + 4 + 2;
constexpr size_t kTotalsBytes = 1 + 8 + 8 + 8 + 4 + 8 + 8 + 8;

constexpr std::array<std::string_view, 4> kTypeNames = {"text", "bytes", "json", "v8"};

/// Takes numbers off the front of bytes that are as many as it takes.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  uint64_t Next(size_t size) {
    const uint64_t value = ReadLittleEndian(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return value;
  }
  int64_t NextTime() { return static_cast<int64_t>(Next(8)); }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

std::string Begin(size_t size) {
  std::string bytes;
  bytes.reserve(size);
  bytes.push_back(static_cast<char>(kVersion));
  return bytes;
}

bool IsVersioned(std::string_view bytes) {
  return !bytes.empty() && static_cast<uint8_t>(bytes[0]) == kVersion;
}

void AppendTime(std::string& bytes, int64_t ms) {
  AppendLittleEndian(bytes, static_cast<uint64_t>(ms), 8);
}

}  // namespace

std::string_view NameOf(ContentType type) { return kTypeNames[static_cast<size_t>(type)]; }

std::optional<ContentType> ContentTypeOf(std::string_view name) {
  for (size_t i = 0; i < kTypeNames.size(); ++i) {
    if (kTypeNames[i] == name) return static_cast<ContentType>(i);
  }
  return std::nullopt;
}

std::string EncodeMessage(const Message& message) {
  std::string bytes = Begin(kMessageHeaderBytes + message.body.size());
  bytes.push_back(static_cast<char>(message.type));
  AppendTime(bytes, message.timestamp_ms);
  AppendLittleEndian(bytes, message.source, 8);
  bytes += message.body;
  return bytes;
}

std::optional<Message> DecodeMessage(std::string_view bytes) {
  if (bytes.size() < kMessageHeaderBytes || !IsVersioned(bytes)) return std::nullopt;
  Reader reader(bytes.substr(1));
  const uint64_t type = reader.Next(1);
  if (type >= kTypeNames.size()) return std::nullopt;
  Message message;
  message.type = static_cast<ContentType>(type);
  message.timestamp_ms = reader.NextTime();
  message.source = reader.Next(8);
  message.body = reader.rest();
  return message;
}

std::string EncodeEntry(const Entry& entry) {
  std::string bytes = Begin(kEntryBytes);
  AppendTime(bytes, entry.sent_ms);
  AppendLittleEndian(bytes, entry.source, 8);
  AppendLittleEndian(bytes, entry.bytes, 4);
  AppendLittleEndian(bytes, entry.attempts, 2);
  return bytes;
}

std::optional<Entry> DecodeEntry(std::string_view bytes) {
  if (bytes.size() != kEntryBytes || !IsVersioned(bytes)) return std::nullopt;
  Reader reader(bytes.substr(1));
  Entry entry;
  entry.sent_ms = reader.NextTime();
  entry.source = reader.Next(8);
  entry.bytes = static_cast<uint32_t>(reader.Next(4));
  entry.attempts = static_cast<uint16_t>(reader.Next(2));
  return entry;
}

std::string EncodeTotals(const Totals& totals) {
  std::string bytes = Begin(kTotalsBytes);
  AppendLittleEndian(bytes, totals.next_seq, 8);
  AppendLittleEndian(bytes, totals.count, 8);
  AppendLittleEndian(bytes, totals.bytes, 8);
  AppendLittleEndian(bytes, totals.epoch, 4);
  AppendTime(bytes, totals.head.ms);
  AppendLittleEndian(bytes, totals.head.seq, 8);
  AppendTime(bytes, totals.written_ms);
  return bytes;
}

std::optional<Totals> DecodeTotals(std::string_view bytes) {
  if (bytes.size() != kTotalsBytes || !IsVersioned(bytes)) return std::nullopt;
  Reader reader(bytes.substr(1));
  Totals totals;
  totals.next_seq = reader.Next(8);
  totals.count = reader.Next(8);
  totals.bytes = reader.Next(8);
  totals.epoch = static_cast<uint32_t>(reader.Next(4));
  totals.head.ms = reader.NextTime();
  totals.head.seq = reader.Next(8);
  totals.written_ms = reader.NextTime();
  if (totals.head.ms < 0 || totals.written_ms < 0) return std::nullopt;
  return totals;
}

std::string QueueKey(uint64_t queue) {
  std::string key;
  AppendBigEndian(key, queue, 8);
  return key;
}

std::string MessageKey(uint64_t queue, uint64_t seq) {
  std::string key;
  key.reserve(16);
  AppendBigEndian(key, queue, 8);
  AppendBigEndian(key, seq, 8);
  return key;
}

std::string PlaceKey(uint64_t queue, Place place) {
  std::string key;
  key.reserve(24);
  AppendBigEndian(key, queue, 8);
  AppendBigEndian(key, static_cast<uint64_t>(place.ms), 8);
  AppendBigEndian(key, place.seq, 8);
  return key;
}

std::optional<QueuePlace> DecodePlaceKey(std::string_view key) {
  if (key.size() != 24) return std::nullopt;
  const auto ms = static_cast<int64_t>(ReadBigEndian(key.substr(8, 8)));
  if (ms < 0) return std::nullopt;
  return QueuePlace{ReadBigEndian(key.substr(0, 8)), {ms, ReadBigEndian(key.substr(16))}};
}

std::optional<QueueSeq> DecodeMessageKey(std::string_view key) {
  if (key.size() != 16) return std::nullopt;
  return QueueSeq{ReadBigEndian(key.substr(0, 8)), ReadBigEndian(key.substr(8))};
}

std::optional<uint64_t> DecodeQueueKey(std::string_view key) {
  if (key.size() != 8) return std::nullopt;
  return ReadBigEndian(key);
}

std::string MessageId(uint64_t queue, uint64_t seq) { return HexOf(MessageKey(queue, seq)); }

}  // namespace levada::services::queues
