#include "net/client_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

namespace levada::net {
namespace {

Fault TlsFault(const std::string& message) {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return Fault(FaultCode::kTlsFailed,
               message + (reason != nullptr ? ": " : "") + (reason != nullptr ? reason : ""));
}

bool IsAddress(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

}  // namespace

void ClientTls::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

ClientTls::ClientTls() : context_(SSL_CTX_new(TLS_client_method())) {}

Result<std::shared_ptr<const ClientTls>> ClientTls::Load(const std::string& authorities_path) {
  ERR_clear_error();
  const std::shared_ptr<ClientTls> made(new ClientTls());
  SSL_CTX* context = made->context_.get();
  if (context == nullptr) return TlsFault("OpenSSL cannot start");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (authorities_path.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) {
      return TlsFault("the system's certificate authorities cannot be read");
    }
  } else if (SSL_CTX_load_verify_file(context, authorities_path.c_str()) != 1) {
    return TlsFault("certificate authorities \"" + authorities_path + "\": cannot be read")
        .With("path", authorities_path);
  }
  return made;
}

Result<ssl_st*> ClientTls::NewSession(const std::string& host) const {
  ERR_clear_error();
  std::unique_ptr<SSL, decltype(&SSL_free)> session(SSL_new(context_.get()), SSL_free);
  if (session == nullptr) return TlsFault("OpenSSL makes no session");
  const bool is_set =
      IsAddress(host)
          ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str()) == 1
          : SSL_set1_host(session.get(), host.c_str()) == 1 &&
                SSL_set_tlsext_host_name(session.get(), host.c_str()) == 1;
  if (!is_set) return TlsFault("no certificate can be of host \"" + host + "\"");
  return session.release();
}

std::string ClientTls::Refusal(ssl_st* session) {
  const long result = SSL_get_verify_result(session);
  return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

}  // namespace levada::net
