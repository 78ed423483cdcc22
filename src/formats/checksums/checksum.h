#pragma once
// Checksum: one of the algorithms by which S3 and R2 check an object, over bytes that come in
// pieces. Pure: no I/O, no threads. What a digest looks like on the wire is digest.h, and what the
// checksums of a multipart upload's parts make is multipart.h.
//
// The CRCs are ours (crc.h): zlib's is an eighth as fast and OpenSSL has none. The hashes are
// OpenSSL's.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/fault.h"
#include "formats/checksums/digest.h"

namespace levada::checksums {

/// In the order of the table in checksum.cc. The SHA-2 of 384 and 512 bits are of R2's API alone.
enum class Algorithm : uint8_t {
  kCrc32,
  kCrc32c,
  kCrc64Nvme,
  kMd5,
  kSha1,
  kSha256,
  kSha384,
  kSha512
};

/// "CRC64NVME", as in x-amz-checksum-algorithm.
std::string_view NameOf(Algorithm algorithm);
/// "x-amz-checksum-crc64nvme".
std::string_view HeaderOf(Algorithm algorithm);
/// 4, 8, 16, 20, 32, 48 or 64.
size_t DigestBytes(Algorithm algorithm);
/// Without regard to case.
std::optional<Algorithm> AlgorithmOfName(std::string_view name);
/// Of a header's name, without regard to case.
std::optional<Algorithm> AlgorithmOfHeader(std::string_view header);

/// One thread at a time.
class Checksum final {
 public:
  /// kInternal when OpenSSL refuses the algorithm.
  static Result<Checksum> Make(Algorithm algorithm);
  Checksum(Checksum&&) noexcept;
  Checksum& operator=(Checksum&&) noexcept;
  ~Checksum();

  Algorithm algorithm() const { return algorithm_; }
  Status Update(std::string_view bytes);
  /// A CRC is rendered most significant byte first. Ends the object's use.
  Result<Digest> Finish();

 private:
  struct Hash;  // OpenSSL's context
  Checksum(Algorithm algorithm, std::unique_ptr<Hash> hash);

  Algorithm algorithm_;
  uint64_t crc_ = 0;
  std::unique_ptr<Hash> hash_;  // null for a CRC
};

/// Of a whole text.
Result<Digest> DigestOf(Algorithm algorithm, std::string_view bytes);

}  // namespace levada::checksums
