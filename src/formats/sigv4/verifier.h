#pragma once
// Whether a presented signature is right: the key, the time, the comparison. What was presented is
// authorization.h.
//
//     auto authorization = ParseAuthorization(request, limits);       // nullopt: anonymous
//     const SigningKey key = DeriveSigningKey(secret of its access key, its day, its region);
//     Verify(request, *authorization, key, clock.Now(), limits);
//
// A verified request whose payload is kHash still owes that hash: whoever reads the body compares.
// A replay within the window succeeds, as in S3.

#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "formats/sigv4/authorization.h"
#include "formats/sigv4/hashes.h"

namespace levada::sigv4 {

/// A secret for a day, a region and the service s3. It may be kept for as long as the secret is
/// valid; deriving one takes four HMACs.
struct SigningKey {
  Sha256Digest bytes{};
};

SigningKey DeriveSigningKey(const Secret& secret, std::string_view day, std::string_view region);

/// The hex signature of a StringToSign.
std::string Signature(const SigningKey& key, std::string_view string_to_sign);

/// OK, or an S3Error:
/// - RequestTimeTooSkewed: a header signed more than limits.skew_seconds before or after `now`;
/// - AccessDenied: a presigned URL that has expired, or is not valid yet by more than the skew;
/// - InvalidURI: a '%' without two hex digits;
/// - SignatureDoesNotMatch, with what we signed, but without the canonical request where it would
///   repeat a session token or a customer's key.
Status Verify(const RequestView& request, const Authorization& authorization, const SigningKey& key,
              WallMicros now, const Limits& limits);

/// SignatureDoesNotMatch with the fields that S3 gives. `given` is the client's.
S3Error SignatureMismatch(std::string_view access_key, std::string_view given,
                          std::string_view string_to_sign);

}  // namespace levada::sigv4
