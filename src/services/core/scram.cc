#include "services/core/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>

#include "base/binary_text.h"

namespace levada::services {
namespace {

constexpr int kIterations = 4096;  // what the RFC asks for and PostgreSQL uses
using Digest = std::array<uint8_t, 32>;

Digest Hmac(const Digest& key, std::string_view text) {
  Digest digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest.data(), &size);
  return digest;
}

std::string Base64Of(const Digest& digest) {
  return levada::Base64Of({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

std::string ScramVerifier(const Secret& password, std::string_view salt) {
  const auto* salt_bytes = reinterpret_cast<const uint8_t*>(salt.data());
  Digest salted{};
  PKCS5_PBKDF2_HMAC(password.Reveal().data(), static_cast<int>(password.Reveal().size()),
                    salt_bytes, static_cast<int>(salt.size()), kIterations, EVP_sha256(),
                    static_cast<int>(salted.size()), salted.data());
  const Digest client = Hmac(salted, "Client Key");
  const Digest server = Hmac(salted, "Server Key");
  Digest stored{};
  unsigned size = 0;
  EVP_Digest(client.data(), client.size(), stored.data(), &size, EVP_sha256(), nullptr);
  return "SCRAM-SHA-256$" + std::to_string(kIterations) + ":" + levada::Base64Of(salt) + "$" +
         Base64Of(stored) + ":" + Base64Of(server);
}

}  // namespace levada::services
