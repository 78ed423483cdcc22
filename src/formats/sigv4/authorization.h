#pragma once
// Authorization: who says to have signed a request, when, over what, and the signature; read from
// the Authorization header or from the query of a presigned URL. Parsing decides only whether a
// signature was presented in S3's form: whether it is right is verifier.h, whose key it is the
// door's to know.
//
// Refused here, in S3's words: both forms at once, version 2, other algorithms, pieces that are
// malformed or missing, a scope of another region or service, a date that is not the scope's, and
// headers that had to be signed and were not (Host and every x-amz-*). Content-Type and
// Content-MD5 need not be signed, as S3 has it in fact: aws-sdk-js 2 never signs Content-Type, a
// presigned URL of version 3 neither.
//
// Source: S3 API reference, "Authenticating Requests (AWS Signature Version 4)"; messages as S3
// sends them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/sigv4/canonical.h"
#include "formats/sigv4/payload.h"
#include "formats/sigv4/s3_error.h"

namespace levada::sigv4 {

/// What a verifier accepts.
struct Limits {
  /// Names of regions; the first is the one that a client of another is told to use.
  std::vector<std::string> regions = {"auto", "us-east-1"};
  /// Between the client's clock and ours. S3's.
  int64_t skew_seconds = 15 * 60;
  /// Of a presigned URL. S3's: a week.
  int64_t expires_seconds_max = 604'800;
  /// Each is looked for among all headers, before anybody is authenticated. SDKs sign up to 20.
  size_t signed_headers_max = 128;
};

struct Authorization {
  enum class Place : uint8_t { kHeader, kQuery };

  Place place = Place::kHeader;
  std::string access_key;
  std::string day;  ///< of the scope: "20130524"
  std::string region;
  std::string timestamp;                    ///< "20130524T000000Z", of that day
  int64_t signed_at = 0;                    ///< the timestamp, in seconds since 1970
  int64_t expires_seconds = 0;              ///< of a presigned URL
  std::vector<std::string> signed_headers;  ///< in the client's order
  std::string signature;                    ///< as given: of any length, any characters
  Payload payload;
  std::string session_token;  ///< x-amz-security-token; empty without one

  /// "20130524/us-east-1/s3/aws4_request"
  std::string Scope() const;
  /// "host;x-amz-date"
  std::string SignedHeaders() const;
};

/// nullopt when the request carries no authorization at all: it is anonymous. Every failure is an
/// S3Error, see above.
Result<std::optional<Authorization>> ParseAuthorization(const RequestView& request,
                                                        const Limits& limits);

}  // namespace levada::sigv4
