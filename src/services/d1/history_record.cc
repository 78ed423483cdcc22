#include "services/d1/history_record.h"

#include <string_view>

#include "base/byte_order.h"
#include "formats/checksums/crc.h"

namespace levada::services::d1 {
namespace {

constexpr uint8_t kPage = 1;
constexpr uint8_t kCommit = 2;
constexpr uint8_t kRestore = 3;
constexpr uint8_t kEnd = 4;
constexpr uint8_t kGroupCommit = 5;
constexpr std::string_view kMagic("LVD1LOG\x01", 8);
constexpr size_t kCheckBytes = 8;

std::string_view TextOf(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Of bytes whose size was looked at before.
class Fields {
 public:
  explicit Fields(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  uint64_t Take(size_t size) {
    const uint64_t value = ReadBigEndian(TextOf(bytes_.first(size)));
    bytes_ = bytes_.subspan(size);
    return value;
  }
  Point TakePoint() {
    Point point;
    point.epoch = static_cast<uint32_t>(Take(4));
    point.seq = Take(8);
    point.ms = static_cast<int64_t>(Take(8));
    point.page_count = static_cast<uint32_t>(Take(4));
    return point;
  }
  std::span<const uint8_t> rest() const { return bytes_; }

 private:
  std::span<const uint8_t> bytes_;
};

void PutPoint(std::string& out, const Point& point) {
  AppendBigEndian(out, point.epoch, 4);
  AppendBigEndian(out, point.seq, 8);
  AppendBigEndian(out, static_cast<uint64_t>(point.ms), 8);
  AppendBigEndian(out, point.page_count, 4);
}

uint64_t CheckOf(const RecordPlace& place, std::string_view bytes) {
  std::string bound;
  AppendBigEndian(bound, place.database, 8);
  AppendBigEndian(bound, place.segment, 8);
  AppendBigEndian(bound, static_cast<uint64_t>(place.offset), 8);
  const uint64_t crc = checksums::ExtendCrc(checksums::CrcKind::kCrc64Nvme, 0, bound);
  return checksums::ExtendCrc(checksums::CrcKind::kCrc64Nvme, crc, bytes);
}

void PutCheck(const RecordPlace& place, size_t begin, std::string& out) {
  AppendBigEndian(out, CheckOf(place, std::string_view(out).substr(begin)), kCheckBytes);
}

size_t SizeOfType(uint8_t type) {
  switch (type) {
    case kPage:
      return kPageRecordBytes;
    case kCommit:
    case kRestore:
      return kCommitRecordBytes;
    case kGroupCommit:
      return kGroupCommitRecordBytes;
    case kEnd:
      return kEndRecordBytes;
    default:
      return 0;
  }
}

}  // namespace

void EncodePage(const RecordPlace& place, uint32_t number,
                std::span<const uint8_t, db::sqlite::kPageBytes> content, std::string& out) {
  const size_t begin = out.size();
  AppendBigEndian(out, kPage, 1);
  AppendBigEndian(out, number, 4);
  out.append(TextOf(content));
  PutCheck(place, begin, out);
}

void EncodeCommit(const RecordPlace& place, const CommitRecord& commit, std::string& out) {
  const size_t begin = out.size();
  const bool is_in_group = commit.unsynced > 0;
  AppendBigEndian(out, commit.is_restore ? kRestore : is_in_group ? kGroupCommit : kCommit, 1);
  PutPoint(out, commit.point);
  AppendBigEndian(out, commit.pages, 4);
  if (is_in_group) AppendBigEndian(out, commit.unsynced, 4);
  PutCheck(place, begin, out);
}

void EncodeEnd(const RecordPlace& place, std::string& out) {
  const size_t begin = out.size();
  AppendBigEndian(out, kEnd, 1);
  PutCheck(place, begin, out);
}

std::optional<Record> DecodeRecord(const RecordPlace& place, std::span<const uint8_t> bytes) {
  if (bytes.empty()) return std::nullopt;
  const uint8_t type = bytes[0];
  const size_t size = SizeOfType(type);
  if (size == 0 || bytes.size() < size) return std::nullopt;
  const auto content = bytes.first(size - kCheckBytes);
  if (Fields(bytes.subspan(content.size())).Take(kCheckBytes) != CheckOf(place, TextOf(content))) {
    return std::nullopt;
  }
  Fields fields(content.subspan(1));
  switch (type) {
    case kPage: {
      const auto number = static_cast<uint32_t>(fields.Take(4));
      if (number == 0) return std::nullopt;
      return PageRecord{number, fields.rest().first<db::sqlite::kPageBytes>()};
    }
    case kCommit:
    case kGroupCommit:
    case kRestore: {
      CommitRecord commit;
      commit.is_restore = type == kRestore;
      commit.point = fields.TakePoint();
      commit.pages = static_cast<uint32_t>(fields.Take(4));
      if (commit.point.page_count == 0 || commit.point.ms < 0) return std::nullopt;
      if (type == kGroupCommit) {
        commit.unsynced = static_cast<uint32_t>(fields.Take(4));
        if (commit.unsynced == 0 || commit.unsynced >= commit.point.seq) return std::nullopt;
      }
      return commit;
    }
    default:
      return EndRecord{};
  }
}

size_t SizeOf(const Record& record) {
  if (std::holds_alternative<PageRecord>(record)) return kPageRecordBytes;
  const auto* commit = std::get_if<CommitRecord>(&record);
  if (commit == nullptr) return kEndRecordBytes;
  return commit->unsynced > 0 ? kGroupCommitRecordBytes : kCommitRecordBytes;
}

std::string EncodeHeader(uint64_t database, const Point& point) {
  std::string out(kMagic);
  AppendBigEndian(out, database, 8);
  PutPoint(out, point);
  PutCheck({}, 0, out);
  return out;
}

std::optional<Point> DecodeHeader(uint64_t database, std::span<const uint8_t> bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const auto content = bytes.first(kHeaderBytes - kCheckBytes);
  if (!TextOf(content).starts_with(kMagic)) return std::nullopt;
  if (Fields(bytes.subspan(content.size())).Take(kCheckBytes) != CheckOf({}, TextOf(content))) {
    return std::nullopt;
  }
  Fields fields(content.subspan(kMagic.size()));
  if (fields.Take(8) != database) return std::nullopt;
  const Point point = fields.TakePoint();
  if (point.page_count == 0 || point.ms < 0) return std::nullopt;
  return point;
}

}  // namespace levada::services::d1
