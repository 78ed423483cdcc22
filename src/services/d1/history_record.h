#pragma once
// The records of a history segment, as bytes (docs/wire/d1.md). Pure functions: what stands between
// a damaged disk and history_segment.h. Everything is big-endian and of a size that its type fixes,
// and each record carries the CRC-64/NVME of itself and of where it stands: a record of another
// place or file is none.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "db/sqlite/page_checksum.h"
#include "services/d1/point.h"

namespace levada::services::d1 {

/// What the CRC of a record is bound to.
struct RecordPlace {
  uint64_t database = 0;
  uint64_t segment = 0;  ///< the number of the point before the segment
  int64_t offset = 0;
};

struct PageRecord {
  uint32_t number = 0;
  std::span<const uint8_t, db::sqlite::kPageBytes> content;
};
/// The end of a transaction: the pages before it, back to the previous one, are of it.
struct CommitRecord {
  Point point;
  uint32_t pages = 0;
  /// Transactions before it of the same segment that were not known to be durable when it was
  /// written: with it they are one group, synced together. 0 for a restore.
  uint32_t unsynced = 0;
  bool is_restore = false;  ///< the state is that of the base image of this point; no pages
};
/// Nothing was lost behind it: the segment was ended in order.
struct EndRecord {};
using Record = std::variant<PageRecord, CommitRecord, EndRecord>;

constexpr size_t kPageRecordBytes = 1 + 4 + db::sqlite::kPageBytes + 8;
constexpr size_t kCommitRecordBytes = 1 + 4 + 8 + 8 + 4 + 4 + 8;
constexpr size_t kGroupCommitRecordBytes = kCommitRecordBytes + 4;
constexpr size_t kEndRecordBytes = 1 + 8;
constexpr size_t kRecordBytesMax = kPageRecordBytes;
constexpr size_t kHeaderBytes = 8 + 8 + 4 + 8 + 8 + 4 + 8;

/// Appends a record that will stand at `place`.
void EncodePage(const RecordPlace& place, uint32_t number,
                std::span<const uint8_t, db::sqlite::kPageBytes> content, std::string& out);
void EncodeCommit(const RecordPlace& place, const CommitRecord& commit, std::string& out);
void EncodeEnd(const RecordPlace& place, std::string& out);
/// The record that `bytes` begin with; its page's content points into them. nullopt where that is
/// none, too short, or not what was written.
std::optional<Record> DecodeRecord(const RecordPlace& place, std::span<const uint8_t> bytes);
size_t SizeOf(const Record& record);

/// What a segment, and the file that says how far the database has been written, begin with: the
/// point before the first record, or the point that was reached.
std::string EncodeHeader(uint64_t database, const Point& point);
std::optional<Point> DecodeHeader(uint64_t database, std::span<const uint8_t> bytes);

}  // namespace levada::services::d1
