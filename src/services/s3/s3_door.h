#pragma once
// S3Door: R2 as clients of S3 speak to it, on a listener of its own: signatures of version 4 in
// headers or URLs, buckets in the path or in the host's name. What it answers to is a table
// (s3_call.h); what R2 has not is refused by name with NotImplemented.
//
// Source: Amazon S3 API reference; Cloudflare's documentation of R2's S3 API for what is left out.
// docs/guide/r2.md lists the differences.

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/http.h"
#include "services/s3/s3_call.h"
#include "services/s3/signing_keys.h"

namespace levada::services::s3 {

struct S3DoorOptions {
  /// Hosts "<bucket>.<domain>" name a bucket; "" for none.
  std::string domain;
  sigv4::Limits limits;
};

class S3Door final : public net::Handler {
 public:
  /// All outlive it.
  S3Door(S3Services services, S3DoorOptions options, Random& ids);

  net::Task<net::Response> Handle(net::Request& request) override;

 private:
  net::Task<Result<net::Response>> Serve(S3Call& call);
  Status Locate(S3Call& call) const;
  Status Authenticate(S3Call& call);
  /// Of whom signed it: verified.
  Result<sigv4::SigningKey> VerifiedKey(const sigv4::RequestView& view,
                                        const sigv4::Authorization& authorization);
  Result<const S3Operation*> Find(const S3Call& call) const;
  Status Admit(const S3Operation& operation, S3Call& call) const;
  Result<net::Response> Preflight(S3Call& call) const;

  const S3Services services_;
  const S3DoorOptions options_;
  Random& ids_;
  const std::vector<S3Operation> operations_;
  SigningKeys signing_keys_;
};

}  // namespace levada::services::s3
