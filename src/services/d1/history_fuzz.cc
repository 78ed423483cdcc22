// What of D1 reads bytes of the disk and of clients: bookmarks, headers, records, and whole
// segments. The first byte chooses. In a segment the checks are made right first, so that what
// stands behind them is reached.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "os/memory_disk.h"
#include "services/d1/history_segment.h"

namespace levada::services::d1 {
namespace {

constexpr uint64_t kDatabase = 7;

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void ReadBookmark(std::string_view text) {
  const auto bookmark = ParseBookmark(kDatabase, text);
  if (!bookmark) return;
  Check(FormatBookmark(kDatabase,
                       {.epoch = bookmark->epoch, .seq = bookmark->seq, .ms = bookmark->ms}) ==
        text);
}

void ReadFileOf(const std::string& content) {
  os::MemoryDisk disk;
  auto file = disk.Create("segment").ValueOrDie();
  Check(file->Append({reinterpret_cast<const uint8_t*>(content.data()), content.size()}).ok());
  auto opened = SegmentReader::Open(disk, "segment", kDatabase);
  if (!opened.ok() || *opened == nullptr) return;
  SegmentReader& reader = **opened;
  uint64_t seq = reader.before().seq;
  while (true) {
    const auto commit = reader.Next();
    if (!commit.ok() || !*commit) return;
    Check((*commit)->point.seq > seq);
    seq = (*commit)->point.seq;
    db::sqlite::PageBytes page;
    for (const auto& at : (*commit)->pages) Check(reader.ReadPage(at, page).ok());
  }
}

/// Each byte is a record, its next one what is in it.
void ReadRecords(std::string_view choices) {
  const Point before{.seq = 3, .ms = 5};
  std::string content = EncodeHeader(kDatabase, before);
  const db::sqlite::PageBytes page{};
  for (size_t i = 0; i + 1 < std::min<size_t>(choices.size(), 64); i += 2) {
    const auto value = static_cast<uint8_t>(choices[i + 1]);
    const RecordPlace place{kDatabase, 3, static_cast<int64_t>(content.size())};
    switch (static_cast<uint8_t>(choices[i]) % 5) {
      case 0:
        EncodePage(place, value + 1u, page, content);
        break;
      case 1:
      case 2:
        EncodeCommit(place,
                     {.point = {.epoch = value % 4u, .seq = value, .ms = value},
                      .pages = value / 16u,
                      .unsynced = value % 3u,
                      .is_restore = value % 2 == 0},
                     content);
        break;
      case 3:
        EncodeEnd(place, content);
        break;
      default:
        content.push_back(static_cast<char>(value));
    }
  }
  ReadFileOf(content);
}

}  // namespace

void ReadAny(uint8_t choice, std::string_view text) {
  switch (choice % 4) {
    case 0:
      ReadBookmark(text);
      break;
    case 1:
      ReadFileOf(EncodeHeader(kDatabase, {.seq = 3, .ms = 5}) + std::string(text));
      break;
    case 2:
      ReadFileOf(std::string(text));
      break;
    default:
      ReadRecords(text);
  }
}

}  // namespace levada::services::d1

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  levada::services::d1::ReadAny(
      data[0], std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  return 0;
}
