#pragma once
// TestIdentity: certificates and keys for tests of TLS. For *_test.cc only.

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <string>

#include "net/server.h"

namespace levada::net {

struct FreeOpenSsl {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeOpenSsl>;

inline std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

inline void WriteFile(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream(path) << text;
  ASSERT_EQ(chmod(path.c_str(), mode), 0);
}

/// A certificate for `name` and the address 127.0.0.1, signed by its own key.
class TestIdentity {
 public:
  explicit TestIdentity(const std::string& name) : key_(EVP_EC_gen("P-256")) {
    const Owned<X509> certificate(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key_.get());
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_EXTENSION* addresses =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate.get(), addresses, -1);
    X509_EXTENSION_free(addresses);
    X509_sign(certificate.get(), key_.get(), EVP_sha256());
    const Owned<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate.get());
    certificate_pem_ = TextOf(bio.get());
  }

  const std::string& certificate_pem() const { return certificate_pem_; }
  std::string KeyPem(const char* password = nullptr) const {
    const Owned<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(
        bio.get(), key_.get(), password != nullptr ? EVP_aes_256_cbc() : nullptr, password,
        password != nullptr ? int(std::strlen(password)) : 0, nullptr, nullptr);
    return TextOf(bio.get());
  }
  void Write(const TlsFiles& files) const {
    WriteFile(files.certificate_chain, certificate_pem_, 0644);
    WriteFile(files.private_key, KeyPem(), 0600);
  }

 private:
  Owned<EVP_PKEY> key_;
  std::string certificate_pem_;
};

}  // namespace levada::net
