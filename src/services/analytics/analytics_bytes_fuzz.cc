// What of the Analytics Engine reads bytes of the disk and of its child: heads and batches of
// segments, whole segments, frames, the engine's errors, a server's address and version. The first
// byte chooses. In a segment the checks are made right first, so that what stands behind them is
// reached.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_order.h"
#include "db/chdb/library.h"
#include "formats/checksums/crc.h"
#include "os/memory_disk.h"
#include "services/analytics/clickhouse_server.h"
#include "services/analytics/engine_frame.h"
#include "services/analytics/segment.h"

namespace levada::services::analytics {
namespace {

constexpr SegmentIdentity kSegment{5, 6};
constexpr BatchPlace kPlace{kSegment, 32};

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void ReadFileOf(const std::string& content) {
  os::MemoryDisk disk;
  auto file = disk.Create("segment").ValueOrDie();
  Check(file->Append({reinterpret_cast<const uint8_t*>(content.data()), content.size()}).ok());
  const auto read = ReadSegment(disk, "segment", kSegment.number);
  const auto mended = MendSegment(disk, "segment", kSegment.number);
  Check(read.ok() == mended.ok());
  if (!read.ok() || read->valid_bytes == 0) return;
  const auto again = ReadSegment(disk, "segment", kSegment.number);
  Check(again.ok() && again->is_ended && again->rows == read->rows && mended->rows == read->rows);
}

uint64_t CheckOf(int64_t offset, std::string_view bytes) {
  std::string bound;
  AppendBigEndian(bound, kSegment.number, 8);
  AppendBigEndian(bound, kSegment.salt, 8);
  AppendBigEndian(bound, static_cast<uint64_t>(offset), 8);
  const uint64_t crc = checksums::ExtendCrc(checksums::CrcKind::kCrc64Nvme, 0, bound);
  return checksums::ExtendCrc(checksums::CrcKind::kCrc64Nvme, crc, bytes);
}

void ReadBody(std::string_view body) {
  std::string bytes(body);
  AppendBigEndian(bytes, CheckOf(kPlace.offset + static_cast<int64_t>(kBatchHeadBytes), body), 8);
  const BatchHead head{false, static_cast<uint32_t>(body.size()), 0};
  const auto rows = DecodeBatchBody(kPlace, head, bytes);
  if (!rows) return;
  Check(BodyBytesOf(*rows) == body.size());
  Check(std::string_view(EncodeBatch(kPlace, 0, *rows)).substr(kBatchHeadBytes) == bytes);
}

/// Each byte is a batch or an end, or a byte that is none of either.
void ReadBatches(std::string_view choices) {
  std::string content = EncodeSegmentHead(kSegment);
  uint64_t sequence = 0;
  for (const char c : choices.substr(0, 64)) {
    const auto choice = static_cast<uint8_t>(c);
    const BatchPlace place{kSegment, static_cast<int64_t>(content.size())};
    if (choice % 8 == 0) {
      content.push_back(c);
    } else if (choice % 8 == 1) {
      content += EncodeEnd(place, sequence);
    } else {
      const Rows rows{choice, 1, choice / 8u + 1, std::string(choice, c)};
      content += EncodeBatch(place, sequence++, {&rows, 1});
      if (choice % 8 == 2) content.resize(content.size() - choice % 16);
    }
  }
  ReadFileOf(content);
}

void ReadFrames(std::string_view text) {
  FrameCutter cutter(1000);
  cutter.Add(text);
  while (true) {
    const auto frame = cutter.Next();
    if (!frame.ok() || !*frame) break;
    Check((*frame)->size() <= 1000);
    if (const auto request = DecodeRequest(**frame)) {
      Check(std::string_view(Encode(*request)).substr(4) == **frame);
    }
    if (auto answer = DecodeAnswer(**frame)) {
      Check(std::string_view(Encode(*answer)).substr(4) == **frame);
      (void)ResultOf(*std::move(answer));
    }
  }
  Check(db::chdb::ParseError(text).message.size() <= text.size());
}

}  // namespace

void ReadAny(uint8_t choice, std::string_view text) {
  switch (choice % 5) {
    case 0:
      return ReadBody(text);
    case 1:
      return ReadFileOf(EncodeSegmentHead(kSegment) + std::string(text));
    case 2:
      return ReadFileOf(std::string(text));
    case 3:
      return ReadBatches(text);
    default:
      (void)ParseClickhouseAddress(text);
      (void)ParseClickhouseVersion(text);
      return ReadFrames(text);
  }
}

}  // namespace levada::services::analytics

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  levada::services::analytics::ReadAny(
      data[0], std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  return 0;
}
