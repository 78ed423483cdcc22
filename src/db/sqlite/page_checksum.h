#pragma once
// The checksum of a database page. SQLite does not notice a bit that flips on the disk: it gives
// back another value, and its integrity check is content. A database that we own keeps eight bytes
// free at the end of each page (the reserved region, sqlite.org/fileformat2.html#pages), and there
// stands the CRC-64/NVME of the page's number and its content, so that a page in the wrong place is
// found too.
//
// What puts it there and looks at it is page_files.h.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace levada::db::sqlite {

/// Of every database that we own. Never another.
constexpr size_t kPageBytes = 4096;
constexpr size_t kPageChecksumBytes = 8;

using PageBytes = std::array<uint8_t, kPageBytes>;

/// Writes the checksum of page `number` (from 1) into its last bytes.
void StampPage(uint32_t number, std::span<uint8_t, kPageBytes> page);
bool IsPageIntact(uint32_t number, std::span<const uint8_t, kPageBytes> page);

/// The only page of a database without tables, stamped: UTF-8, write-ahead log, with room for
/// checksums. Every database of ours begins as this one.
PageBytes EmptyDatabase();

}  // namespace levada::db::sqlite
