#include "formats/checksums/checksum.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"
#include "formats/checksums/crc.h"
#include "formats/checksums/crc_digest.h"

namespace levada::checksums {
namespace {

struct Row {
  std::string_view name;
  std::string_view header;
  size_t bytes;
  const EVP_MD* (*hash)();  // null for a CRC
};

constexpr std::array<Row, 8> kRows = {{
    {"CRC32", "x-amz-checksum-crc32", 4, nullptr},
    {"CRC32C", "x-amz-checksum-crc32c", 4, nullptr},
    {"CRC64NVME", "x-amz-checksum-crc64nvme", 8, nullptr},
    {"MD5", "x-amz-checksum-md5", 16, EVP_md5},
    {"SHA1", "x-amz-checksum-sha1", 20, EVP_sha1},
    {"SHA256", "x-amz-checksum-sha256", 32, EVP_sha256},
    {"SHA384", "x-amz-checksum-sha384", 48, EVP_sha384},
    {"SHA512", "x-amz-checksum-sha512", 64, EVP_sha512},
}};

const Row& Of(Algorithm algorithm) { return kRows[static_cast<size_t>(algorithm)]; }

std::optional<Algorithm> Find(std::string_view Row::* column, std::string_view text) {
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (EqualsIgnoringCase(kRows[i].*column, text)) return static_cast<Algorithm>(i);
  }
  return std::nullopt;
}

}  // namespace

struct Checksum::Hash {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

std::string_view NameOf(Algorithm algorithm) { return Of(algorithm).name; }
std::string_view HeaderOf(Algorithm algorithm) { return Of(algorithm).header; }
size_t DigestBytes(Algorithm algorithm) { return Of(algorithm).bytes; }

std::optional<Algorithm> AlgorithmOfName(std::string_view name) { return Find(&Row::name, name); }
std::optional<Algorithm> AlgorithmOfHeader(std::string_view header) {
  return Find(&Row::header, header);
}

std::optional<CrcKind> CrcOf(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kCrc32:
      return CrcKind::kCrc32;
    case Algorithm::kCrc32c:
      return CrcKind::kCrc32c;
    case Algorithm::kCrc64Nvme:
      return CrcKind::kCrc64Nvme;
    default:
      return std::nullopt;
  }
}

Digest CrcDigest(CrcKind kind, uint64_t crc) {
  std::string bytes;
  for (int shift = 8 * CrcBytes(kind) - 8; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(crc >> shift & 0xff));
  }
  return Digest(bytes);
}

uint64_t CrcValue(const Digest& digest) {
  uint64_t crc = 0;
  for (const char byte : digest.bytes()) crc = crc << 8 | static_cast<uint8_t>(byte);
  return crc;
}

Checksum::Checksum(Algorithm algorithm, std::unique_ptr<Hash> hash)
    : algorithm_(algorithm), hash_(std::move(hash)) {}
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum& Checksum::operator=(Checksum&&) noexcept = default;
Checksum::~Checksum() = default;

Result<Checksum> Checksum::Make(Algorithm algorithm) {
  const Row& row = Of(algorithm);
  if (row.hash == nullptr) return Checksum(algorithm, nullptr);
  auto hash = std::make_unique<Hash>();
  if (hash->context == nullptr ||
      EVP_DigestInit_ex(hash->context.get(), row.hash(), nullptr) != 1) {
    return Fault(FaultCode::kInternal, "checksum: OpenSSL refuses " + std::string(row.name));
  }
  return Checksum(algorithm, std::move(hash));
}

Status Checksum::Update(std::string_view bytes) {
  if (const std::optional<CrcKind> kind = CrcOf(algorithm_)) {
    crc_ = ExtendCrc(*kind, crc_, bytes);
  } else if (EVP_DigestUpdate(hash_->context.get(), bytes.data(), bytes.size()) != 1) {
    return Fault(FaultCode::kInternal, "checksum: OpenSSL failed to go on");
  }
  return Status::OK();
}

Result<Digest> Checksum::Finish() {
  if (const std::optional<CrcKind> kind = CrcOf(algorithm_)) return CrcDigest(*kind, crc_);
  std::array<unsigned char, kDigestBytesMax> bytes{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(hash_->context.get(), bytes.data(), &size) != 1 ||
      size != DigestBytes(algorithm_)) {
    return Fault(FaultCode::kInternal, "checksum: OpenSSL failed to end");
  }
  return Digest({reinterpret_cast<const char*>(bytes.data()), size});
}

Result<Digest> DigestOf(Algorithm algorithm, std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(Checksum checksum, Checksum::Make(algorithm));
  ARROW_RETURN_NOT_OK(checksum.Update(bytes));
  return checksum.Finish();
}

}  // namespace levada::checksums
