#include "services/analytics/segment_record.h"

#include "base/byte_order.h"
#include "formats/checksums/crc.h"

namespace levada::services::analytics {
namespace {

constexpr std::string_view kSegmentMagic("LVAESEG\x01", 8);
constexpr std::string_view kBatchMagic("AEB\x01", 4);
constexpr std::string_view kEndMagic("AEE\x01", 4);

/// Of bytes whose size was looked at before.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}
  uint64_t Take(size_t size) { return ReadBigEndian(TakeBytes(size)); }
  std::string_view TakeBytes(size_t size) {
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

uint64_t CheckOf(const BatchPlace& place, std::string_view bytes) {
  std::string bound;
  AppendBigEndian(bound, place.segment.number, 8);
  AppendBigEndian(bound, place.segment.salt, 8);
  AppendBigEndian(bound, static_cast<uint64_t>(place.offset), 8);
  const uint64_t crc = checksums::ExtendCrc(checksums::CrcKind::kCrc64Nvme, 0, bound);
  return checksums::ExtendCrc(checksums::CrcKind::kCrc64Nvme, crc, bytes);
}

std::string EncodeHead(const BatchPlace& place, std::string_view magic, size_t body_bytes,
                       uint64_t sequence) {
  std::string out(magic);
  AppendBigEndian(out, body_bytes, 4);
  AppendBigEndian(out, sequence, 8);
  AppendBigEndian(out, CheckOf(place, out), kCheckBytes);
  return out;
}

/// A body is checked where it stands: behind its head.
BatchPlace BodyOf(const BatchPlace& place) {
  BatchPlace body = place;
  body.offset += static_cast<int64_t>(kBatchHeadBytes);
  return body;
}

}  // namespace

std::string EncodeSegmentHead(const SegmentIdentity& segment) {
  std::string out(kSegmentMagic);
  AppendBigEndian(out, segment.number, 8);
  AppendBigEndian(out, segment.salt, 8);
  AppendBigEndian(out, CheckOf({segment, 0}, out), kCheckBytes);
  return out;
}

std::optional<SegmentIdentity> DecodeSegmentHead(std::string_view bytes) {
  if (bytes.size() < kSegmentHeadBytes || !bytes.starts_with(kSegmentMagic)) return std::nullopt;
  Fields fields(bytes.substr(kSegmentMagic.size()));
  SegmentIdentity segment;
  segment.number = fields.Take(8);
  segment.salt = fields.Take(8);
  const std::string_view content = bytes.substr(0, kSegmentHeadBytes - kCheckBytes);
  if (fields.Take(kCheckBytes) != CheckOf({segment, 0}, content)) return std::nullopt;
  return segment;
}

size_t BodyBytesOf(std::span<const Rows> rows) {
  size_t bytes = 0;
  for (const Rows& each : rows) bytes += kRowsHeadBytes + each.bytes.size();
  return bytes;
}

std::string EncodeBatch(const BatchPlace& place, uint64_t sequence, std::span<const Rows> rows) {
  const size_t body_bytes = BodyBytesOf(rows);
  std::string out = EncodeHead(place, kBatchMagic, body_bytes, sequence);
  out.reserve(out.size() + body_bytes + kCheckBytes);
  for (const Rows& each : rows) {
    AppendBigEndian(out, each.dataset, 8);
    AppendBigEndian(out, each.week, 4);
    AppendBigEndian(out, each.count, 4);
    AppendBigEndian(out, each.bytes.size(), 4);
    out += each.bytes;
  }
  const uint64_t check = CheckOf(BodyOf(place), std::string_view(out).substr(kBatchHeadBytes));
  AppendBigEndian(out, check, kCheckBytes);
  return out;
}

std::string EncodeEnd(const BatchPlace& place, uint64_t sequence) {
  return EncodeHead(place, kEndMagic, 0, sequence);
}

std::optional<BatchHead> DecodeBatchHead(const BatchPlace& place, std::string_view bytes) {
  if (bytes.size() < kBatchHeadBytes) return std::nullopt;
  BatchHead head;
  head.is_end = bytes.starts_with(kEndMagic);
  if (!head.is_end && !bytes.starts_with(kBatchMagic)) return std::nullopt;
  Fields fields(bytes.substr(kBatchMagic.size()));
  head.body_bytes = static_cast<uint32_t>(fields.Take(4));
  head.sequence = fields.Take(8);
  const std::string_view content = bytes.substr(0, kBatchHeadBytes - kCheckBytes);
  if (fields.Take(kCheckBytes) != CheckOf(place, content)) return std::nullopt;
  if (head.body_bytes > kBodyBytesMax || head.is_end != (head.body_bytes == 0)) {
    return std::nullopt;
  }
  return head;
}

std::optional<std::vector<Rows>> DecodeBatchBody(const BatchPlace& place, const BatchHead& head,
                                                 std::string_view bytes) {
  std::vector<Rows> all;
  if (head.is_end) return all;
  if (bytes.size() < head.body_bytes + kCheckBytes) return std::nullopt;
  const std::string_view body = bytes.substr(0, head.body_bytes);
  const uint64_t check = Fields(bytes.substr(head.body_bytes)).Take(kCheckBytes);
  if (check != CheckOf(BodyOf(place), body)) return std::nullopt;
  Fields fields(body);
  while (fields.left() > 0) {
    if (fields.left() < kRowsHeadBytes) return std::nullopt;
    Rows rows;
    rows.dataset = fields.Take(8);
    rows.week = static_cast<uint32_t>(fields.Take(4));
    rows.count = static_cast<uint32_t>(fields.Take(4));
    const auto size = static_cast<size_t>(fields.Take(4));
    if (rows.count == 0 || size == 0 || fields.left() < size) return std::nullopt;
    rows.bytes = fields.TakeBytes(size);
    all.push_back(std::move(rows));
  }
  return all;
}

size_t SizeOf(const BatchHead& head) {
  return kBatchHeadBytes + (head.is_end ? 0 : head.body_bytes + kCheckBytes);
}

}  // namespace levada::services::analytics
