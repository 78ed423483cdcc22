#pragma once
// SHA-256, HMAC-SHA-256 and hex digits: what signature version 4 is made of. OpenSSL does the
// arithmetic; a library that refuses SHA-256 or is out of memory ends the process, because a
// signature that could not be computed must not decide on anything.

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace levada::sigv4 {

using Sha256Digest = std::array<uint8_t, 32>;

/// Of bytes that come in pieces. One thread at a time.
class Sha256 final {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void Update(std::string_view bytes);
  /// Of everything since the last Finish; begins anew.
  Sha256Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Of a whole text.
Sha256Digest Sha256Of(std::string_view text);
Sha256Digest HmacSha256(std::span<const uint8_t> key, std::string_view text);
/// In lower case.
std::string Hex(std::span<const uint8_t> bytes);
/// Equality in a time that says nothing of where the texts differ; of unequal lengths at once.
bool SameInConstantTime(std::string_view left, std::string_view right);

/// Hex of the SHA-256 of no bytes.
constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

}  // namespace levada::sigv4
