#pragma once
// ClientTls: whose certificates a client of ours takes for true. Immutable.

#include <memory>
#include <string>

#include "base/fault.h"

struct ssl_ctx_st;  // SSL_CTX
struct ssl_st;      // SSL

namespace levada::net {

class ClientTls final {
 public:
  /// TLS 1.2 and above. `authorities_path`: a PEM file of authorities; empty for those of the
  /// system, where OpenSSL looks for them. Reads files. Errors: kTlsFailed with the path.
  static Result<std::shared_ptr<const ClientTls>> Load(const std::string& authorities_path);

  /// A session that accepts only a certificate of `host`, a name or an address, and tells the
  /// server the name. Whoever asks frees it. Errors: kTlsFailed.
  Result<ssl_st*> NewSession(const std::string& host) const;

  /// Why the session's certificate was refused, in OpenSSL's words; empty: it was not.
  static std::string Refusal(ssl_st* session);

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  ClientTls();

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace levada::net
