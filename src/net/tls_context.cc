#include "net/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "os/disk.h"

namespace levada::net {
namespace {

constexpr int64_t kPemBytesMax = 1024 * 1024;  // a chain has a few certificates of some KiB
constexpr unsigned char kProtocols[] = "\x08http/1.1";

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

/// OpenSSL's words for what failed last, and none left for somebody else to find.
std::string OpenSslWords() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

Fault TlsFault(std::string message, const std::string& path) {
  return Fault(FaultCode::kTlsFailed, std::move(message)).With("path", path);
}

Result<std::string> ReadPem(const std::string& what, const std::string& path) {
  const auto disk = os::MakeSystemDisk();
  Result<std::optional<std::string>> content = os::ReadFile(*disk, path, kPemBytesMax);
  const std::string subject = what + " \"" + path + "\"";
  if (!content.ok()) {
    return TlsFault(subject + ": cannot be read", path)
        .Because(content.status())
        .Help("let the user that runs levada read it");
  }
  if (!content->has_value()) {
    return TlsFault(subject + ": there is no such file", path)
        .Help(
            "name the PEM files with --tls-certificate and --tls-key; a path starts where levada "
            "does");
  }
  return std::move(**content);
}

/// As PostgreSQL does: nobody but its owner, or root and a group.
Status CheckKeyIsPrivate(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) {
    return ErrnoFault(FaultCode::kTlsFailed, errno, "private key \"" + path + "\"")
        .With("path", path);
  }
  const mode_t forbidden = info.st_uid == 0 ? S_IRWXO | S_IWGRP | S_IXGRP : S_IRWXO | S_IRWXG;
  if ((info.st_mode & forbidden) == 0) return Status::OK();
  return TlsFault("private key \"" + path + "\": others may read it", path)
      .Help("chmod 600 \"" + path + "\"");
}

Bio Memory(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Without one OpenSSL asks the terminal.
int RefusePassword(char*, int, int, void*) { return -1; }

Status UseCertificates(SSL_CTX* context, const TlsFiles& files) {
  const std::string& path = files.certificate_chain;
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadPem("certificate", path));
  const Bio bio = Memory(text);
  const Certificate first(PEM_read_bio_X509_AUX(bio.get(), nullptr, RefusePassword, nullptr));
  if (first == nullptr) {
    return TlsFault("certificate \"" + path + "\": no PEM certificate: " + OpenSslWords(), path)
        .Help(
            "the file begins with -----BEGIN CERTIFICATE-----, the server's own before the others");
  }
  if (SSL_CTX_use_certificate(context, first.get()) != 1) {
    return TlsFault("certificate \"" + path + "\": not usable: " + OpenSslWords(), path);
  }
  SSL_CTX_clear_chain_certs(context);
  for (;;) {
    const Certificate next(PEM_read_bio_X509(bio.get(), nullptr, RefusePassword, nullptr));
    if (next == nullptr) break;
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1) {
      return TlsFault("certificate \"" + path + "\": bad chain: " + OpenSslWords(), path);
    }
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string words = OpenSslWords();
  if (at_end) return Status::OK();
  return TlsFault("certificate \"" + path + "\": bad chain: " + words, path);
}

Status UseKey(SSL_CTX* context, const TlsFiles& files) {
  const std::string& path = files.private_key;
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadPem("private key", path));
  ARROW_RETURN_NOT_OK(CheckKeyIsPrivate(path));
  const Bio bio = Memory(text);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassword, nullptr));
  OPENSSL_cleanse(text.data(), text.size());
  if (key == nullptr) {
    return TlsFault(
               "private key \"" + path + "\": no PEM key without a password: " + OpenSslWords(),
               path)
        .Help(
            "the file begins with -----BEGIN PRIVATE KEY-----; `openssl pkey` takes a password "
            "off");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return TlsFault("private key \"" + path + "\": not the key of certificate \"" +
                        files.certificate_chain + "\": " + OpenSslWords(),
                    path)
        .Help("name the key that this certificate was asked for with");
  }
  return Status::OK();
}

int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* in, unsigned in_size, void*) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, kProtocols, sizeof kProtocols - 1, in, in_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

TlsContext::TlsContext() : context_(SSL_CTX_new(TLS_server_method())) {}

Result<std::shared_ptr<const TlsContext>> TlsContext::Load(const TlsFiles& files) {
  ERR_clear_error();
  const std::shared_ptr<TlsContext> made(new TlsContext());
  SSL_CTX* context = made->native();
  if (context == nullptr) {
    return Fault(FaultCode::kTlsFailed, "OpenSSL cannot start: " + OpenSslWords());
  }
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Of TLS 1.2 only what TLS 1.3 still has: forward secrecy and authenticated encryption.
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
  ARROW_RETURN_NOT_OK(UseCertificates(context, files));
  ARROW_RETURN_NOT_OK(UseKey(context, files));
  return made;
}

}  // namespace levada::net
