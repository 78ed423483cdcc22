#pragma once
// Digest: the value of a checksum as its bytes, and the two texts of it that S3 and R2 exchange:
// base64 in x-amz-checksum-*, Content-MD5 and Digest fields, hex in ETags and in R2's own API.

#include <array>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace levada::checksums {

/// Of SHA-512.
constexpr size_t kDigestBytesMax = 64;

class Digest final {
 public:
  /// Precondition: at most kDigestBytesMax.
  explicit Digest(std::string_view bytes);
  /// Of exactly `size` bytes, with its padding and nothing else; nullopt for any other text, for
  /// one whose unused bits are not zero too, so that a digest has one base64 text.
  static std::optional<Digest> FromBase64(std::string_view text, size_t size);
  /// Of exactly `size` bytes, in digits of either case.
  static std::optional<Digest> FromHex(std::string_view text, size_t size);

  std::string_view bytes() const { return {bytes_.data(), size_}; }
  std::string Base64() const;
  /// In lower case.
  std::string Hex() const;

  friend bool operator==(const Digest& left, const Digest& right) {
    return left.bytes() == right.bytes();
  }
  friend std::ostream& operator<<(std::ostream& out, const Digest& digest) {
    return out << digest.Hex();
  }

 private:
  std::array<char, kDigestBytesMax> bytes_{};
  size_t size_ = 0;
};

}  // namespace levada::checksums
