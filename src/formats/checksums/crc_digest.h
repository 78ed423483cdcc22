#pragma once
// Between a CRC as a number and as a digest. Internal to this folder; the source is checksum.cc.

#include <cstdint>
#include <optional>

#include "formats/checksums/checksum.h"
#include "formats/checksums/crc.h"

namespace levada::checksums {

/// nullopt for the hashes.
std::optional<CrcKind> CrcOf(Algorithm algorithm);
/// Most significant byte first.
Digest CrcDigest(CrcKind kind, uint64_t crc);
/// Precondition: the digest of a CRC.
uint64_t CrcValue(const Digest& digest);

}  // namespace levada::checksums
