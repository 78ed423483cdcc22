#pragma once
// TlsContext: a certificate and its key, as OpenSSL wants them for each new connection. Immutable:
// a reload makes another, and connections of the old one go on with it.

#include <memory>

#include "base/fault.h"
#include "net/server.h"

struct ssl_ctx_st;  // SSL_CTX

namespace levada::net {

class TlsContext final {
 public:
  /// TLS 1.2 and above, "http/1.1" by ALPN. kTlsFailed with the path: a file that is missing, is no
  /// PEM, has a password, or that others may read; a key of another certificate.
  static Result<std::shared_ptr<const TlsContext>> Load(const TlsFiles& files);

  ssl_ctx_st* native() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  TlsContext();

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace levada::net
