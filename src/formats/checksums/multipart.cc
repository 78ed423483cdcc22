#include "formats/checksums/multipart.h"

#include "formats/checksums/crc.h"
#include "formats/checksums/crc_digest.h"

namespace levada::checksums {
namespace {

Status Check(Algorithm algorithm, std::span<const Part> parts) {
  if (parts.empty() || parts.size() > kPartsMax) {
    return Fault(FaultCode::kBadValue, "multipart checksum: expected 1 to " +
                                           std::to_string(kPartsMax) + " parts, got " +
                                           std::to_string(parts.size()));
  }
  for (const Part& part : parts) {
    if (part.digest.bytes().size() == DigestBytes(algorithm)) continue;
    return Fault(FaultCode::kBadValue, "multipart checksum: expected parts with a digest of " +
                                           std::to_string(DigestBytes(algorithm)) +
                                           " bytes, got one of " +
                                           std::to_string(part.digest.bytes().size()));
  }
  return Status::OK();
}

Status CheckType(Algorithm algorithm, ChecksumType type, const char* name) {
  if (Allows(algorithm, type)) return Status::OK();
  return Fault(FaultCode::kBadValue,
               "multipart checksum: " + std::string(NameOf(algorithm)) + " has no type " + name);
}

Result<Digest> DigestOfDigests(Algorithm algorithm, std::span<const Part> parts) {
  ARROW_RETURN_NOT_OK(Check(algorithm, parts));
  ARROW_ASSIGN_OR_RAISE(Checksum checksum, Checksum::Make(algorithm));
  for (const Part& part : parts) ARROW_RETURN_NOT_OK(checksum.Update(part.digest.bytes()));
  return checksum.Finish();
}

}  // namespace

bool Allows(Algorithm algorithm, ChecksumType type) {
  switch (algorithm) {
    case Algorithm::kCrc32:
    case Algorithm::kCrc32c:
      return true;
    case Algorithm::kCrc64Nvme:
      return type == ChecksumType::kFullObject;
    case Algorithm::kSha1:
    case Algorithm::kSha256:
      return type == ChecksumType::kComposite;
    default:
      return false;
  }
}

Result<std::string> CompositeChecksum(Algorithm algorithm, std::span<const Part> parts) {
  ARROW_RETURN_NOT_OK(CheckType(algorithm, ChecksumType::kComposite, "COMPOSITE"));
  ARROW_ASSIGN_OR_RAISE(const Digest digest, DigestOfDigests(algorithm, parts));
  return digest.Base64() + "-" + std::to_string(parts.size());
}

Result<Digest> FullObjectChecksum(Algorithm algorithm, std::span<const Part> parts) {
  ARROW_RETURN_NOT_OK(CheckType(algorithm, ChecksumType::kFullObject, "FULL_OBJECT"));
  ARROW_RETURN_NOT_OK(Check(algorithm, parts));
  const CrcKind kind = *CrcOf(algorithm);
  CrcShift shift(kind, parts.front().size);
  uint64_t crc = CrcValue(parts.front().digest);
  for (const Part& part : parts.subspan(1)) {
    if (part.size != shift.bytes()) shift = CrcShift(kind, part.size);
    crc = shift.Combine(crc, CrcValue(part.digest));
  }
  return CrcDigest(kind, crc);
}

Result<std::string> MultipartETag(std::span<const Part> parts) {
  ARROW_ASSIGN_OR_RAISE(const Digest digest, DigestOfDigests(Algorithm::kMd5, parts));
  return digest.Hex() + "-" + std::to_string(parts.size());
}

}  // namespace levada::checksums
