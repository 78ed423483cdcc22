#include "services/r2/r2_source.h"

#include "services/r2/r2_error.h"

namespace levada::services::r2 {

using checksums::Algorithm;
using checksums::Digest;

net::Task<Result<std::string_view>> R2Source::Read() {
  if (!std::exchange(begun_given_, true) && !begun_.empty()) co_return std::string_view(begun_);
  co_return co_await body_.Read();
}

std::vector<Algorithm> R2Source::algorithms() const {
  std::vector<Algorithm> wanted;
  for (const ExpectedDigest& each : expected_) {
    if (each.algorithm != Algorithm::kMd5) wanted.push_back(each.algorithm);
  }
  return wanted;
}

Result<std::vector<StoredChecksum>> R2Source::Check(const Computed& computed) {
  std::vector<StoredChecksum> kept;
  for (const ExpectedDigest& each : expected_) {
    const Digest* digest = computed.Find(each.algorithm);
    if (digest == nullptr || *digest != each.digest) {
      return R2Error(R2ErrorCode::kBadDigest,
                     "The " + std::string(checksums::NameOf(each.algorithm)) +
                         " checksum you specified did not match what we received.");
    }
    if (each.algorithm == Algorithm::kMd5) continue;
    kept.push_back({each.algorithm, checksums::ChecksumType::kFullObject, digest->Base64()});
  }
  return kept;
}

}  // namespace levada::services::r2
