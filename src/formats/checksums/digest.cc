#include "formats/checksums/digest.h"

#include <algorithm>

#include "base/binary_text.h"

namespace levada::checksums {
Digest::Digest(std::string_view bytes) : size_(std::min(bytes.size(), kDigestBytesMax)) {
  std::copy_n(bytes.begin(), size_, bytes_.begin());
}

std::optional<Digest> Digest::FromBase64(std::string_view text, size_t size) {
  const std::optional<std::string> bytes = BytesOfBase64(text);
  if (size > kDigestBytesMax || !bytes || bytes->size() != size) return std::nullopt;
  return Digest(*bytes);
}

std::optional<Digest> Digest::FromHex(std::string_view text, size_t size) {
  const std::optional<std::string> bytes = BytesOfHex(text);
  if (size > kDigestBytesMax || !bytes || bytes->size() != size) return std::nullopt;
  return Digest(*bytes);
}

std::string Digest::Base64() const { return Base64Of(bytes()); }

std::string Digest::Hex() const { return HexOf(bytes()); }

}  // namespace levada::checksums
