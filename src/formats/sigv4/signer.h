#pragma once
// Signing: the other side of verifier.h, for tests, for a client of S3's and for presigned URLs.
// Nothing is sent here, and the time is an argument.

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "formats/sigv4/authorization.h"
#include "formats/sigv4/verifier.h"

namespace levada::sigv4 {

struct Credentials {
  std::string access_key;
  Secret secret;
  std::string session_token;  ///< empty without one
};

/// One field to be sent.
struct SignedHeader {
  std::string name;
  std::string value;
};

/// A request that was signed by its headers.
struct SignedRequest {
  /// To be added to those given: x-amz-date, x-amz-content-sha256, x-amz-security-token where there
  /// is one, Authorization.
  std::vector<SignedHeader> headers;
  /// What was put into Authorization; its signature is the seed of an aws-chunked body.
  Authorization authorization;
};

/// Signs every header given, of which Host has to be one and of which none may be among those that
/// are added. `request.path` and `request.query` are as they will be sent: UriEncode makes them.
/// InvalidURI, an S3Error, when they do not decode.
Result<SignedRequest> Sign(const RequestView& request, const Payload& payload,
                           const Credentials& credentials, std::string_view region, WallMicros now);

/// The query of a presigned URL: that of the request, S3's parameters, the signature. The headers
/// given, Host among them, have to be sent with it as they are; its payload is unsigned.
Result<std::string> Presign(const RequestView& request, int64_t expires_seconds,
                            const Credentials& credentials, std::string_view region,
                            WallMicros now);

/// Payload of a body that is known: its hash.
Payload PayloadOf(std::string_view body);

}  // namespace levada::sigv4
