#include "formats/sigv4/hashes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

#include "base/binary_text.h"

namespace levada::sigv4 {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();  // tidy: allow without a hash nothing can be decided, see hashes.h
}

/// Found once for the process: a lookup costs as much as hashing a KiB.
const EVP_MD* Method() {
  static const EVP_MD* const kMethod = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Require(kMethod != nullptr);
  return kMethod;
}

std::string_view View(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};

  void Begin() { Require(EVP_DigestInit_ex(context.get(), Method(), nullptr) == 1); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  Require(state_->context != nullptr);
  state_->Begin();
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::Update(std::string_view bytes) {
  Require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::Finish() {
  Sha256Digest digest{};
  Require(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) == 1);
  state_->Begin();
  return digest;
}

Sha256Digest Sha256Of(std::string_view text) {
  Sha256Digest digest{};
  Require(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, Method(), nullptr) == 1);
  return digest;
}

Sha256Digest HmacSha256(std::span<const uint8_t> key, std::string_view text) {
  // RFC 2104 over the SHA-256 above. OpenSSL's own HMAC looks its parts up at each call, which
  // makes it five times as slow for texts of this length.
  std::array<uint8_t, 64> block{};
  if (key.size() <= block.size()) {
    std::copy(key.begin(), key.end(), block.begin());
  } else {
    const Sha256Digest digest = Sha256Of(View(key));
    std::copy(digest.begin(), digest.end(), block.begin());
  }
  constexpr uint8_t kInner = 0x36;
  constexpr uint8_t kOuter = 0x5c;
  Sha256 hash;
  for (uint8_t& byte : block) byte ^= kInner;
  hash.Update(View(block));
  hash.Update(text);
  const Sha256Digest inner = hash.Finish();
  for (uint8_t& byte : block) byte ^= kInner ^ kOuter;
  hash.Update(View(block));
  hash.Update(View(inner));
  OPENSSL_cleanse(block.data(), block.size());
  return hash.Finish();
}

std::string Hex(std::span<const uint8_t> bytes) { return HexOf(View(bytes)); }

bool SameInConstantTime(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace levada::sigv4
