#pragma once
// What the checksums of the parts of a multipart upload make together: S3's two types of checksum
// of a whole object, and its ETag. Nothing here reads the object.
//
// Source: S3 user guide, "Checking object integrity" (the table of algorithms and checksum types)
// and "Checksums of multipart uploads".

#include <cstdint>
#include <span>
#include <string>

#include "base/fault.h"
#include "formats/checksums/checksum.h"

namespace levada::checksums {

/// S3 and R2 take at most so many.
constexpr size_t kPartsMax = 10'000;

enum class ChecksumType : uint8_t {
  kComposite,   ///< COMPOSITE: the checksum of the parts' checksums
  kFullObject,  ///< FULL_OBJECT: that of the object's bytes
};

/// Whether a multipart upload may ask for it: CRC32 and CRC32C in both types, CRC64NVME as
/// FULL_OBJECT, SHA1 and SHA256 as COMPOSITE, the others not at all.
bool Allows(Algorithm algorithm, ChecksumType type);

/// In the order of the parts' numbers.
struct Part {
  Digest digest;
  uint64_t size = 0;
};

// kBadValue from all three: no parts or more than kPartsMax, a digest of another length than the
// algorithm's, and an algorithm that is not allowed.

/// "<base64>-<count of parts>".
Result<std::string> CompositeChecksum(Algorithm algorithm, std::span<const Part> parts);
/// Combined from the CRCs and sizes of the parts, equal to the CRC of the object's bytes.
Result<Digest> FullObjectChecksum(Algorithm algorithm, std::span<const Part> parts);
/// "<hex>-<count of parts>" of the parts' MD5s, without the quotes.
Result<std::string> MultipartETag(std::span<const Part> parts);

}  // namespace levada::checksums
