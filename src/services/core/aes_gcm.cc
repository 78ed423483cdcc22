#include "services/core/aes_gcm.h"

#include <openssl/evp.h>

#include <memory>

namespace levada::services {
namespace {

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

}  // namespace

std::optional<GcmTag> SealInPlace(const AesKey& key, const GcmNonce& nonce,
                                  std::string_view context, std::span<uint8_t> data) {
  const Cipher cipher(EVP_CIPHER_CTX_new());
  GcmTag tag{};
  int size = 0;
  const bool is_sealed =
      cipher != nullptr &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1 &&
      (context.empty() || EVP_EncryptUpdate(cipher.get(), nullptr, &size, Bytes(context),
                                            static_cast<int>(context.size())) == 1) &&
      EVP_EncryptUpdate(cipher.get(), data.data(), &size, data.data(),
                        static_cast<int>(data.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), data.data() + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag.size(), tag.data()) == 1;
  return is_sealed ? std::optional(tag) : std::nullopt;
}

bool OpenInPlace(const AesKey& key, const GcmNonce& nonce, std::string_view context,
                 std::span<uint8_t> data, const GcmTag& tag) {
  const Cipher cipher(EVP_CIPHER_CTX_new());
  GcmTag expected = tag;  // OpenSSL takes it as something to write to
  int size = 0;
  return cipher != nullptr &&
         EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) ==
             1 &&
         (context.empty() || EVP_DecryptUpdate(cipher.get(), nullptr, &size, Bytes(context),
                                               static_cast<int>(context.size())) == 1) &&
         EVP_DecryptUpdate(cipher.get(), data.data(), &size, data.data(),
                           static_cast<int>(data.size())) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, expected.size(),
                             expected.data()) == 1 &&
         EVP_DecryptFinal_ex(cipher.get(), data.data() + size, &size) == 1;
}

}  // namespace levada::services
