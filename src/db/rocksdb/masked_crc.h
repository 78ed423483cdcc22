#pragma once
// The checksum of RocksDB's logs and blob files: CRC32C, rotated and shifted so that the sum of
// bytes that have sums in them is none of these.

#include <cstdint>
#include <string_view>

#include "formats/checksums/crc.h"

namespace levada::db::rocks {

inline uint32_t MaskedCrc(std::string_view bytes) {
  const auto crc =
      static_cast<uint32_t>(checksums::ExtendCrc(checksums::CrcKind::kCrc32c, 0, bytes));
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

}  // namespace levada::db::rocks
