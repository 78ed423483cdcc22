#include "formats/sigv4/verifier.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "formats/sigv4/timestamp.h"

namespace levada::sigv4 {
namespace {

using Place = Authorization::Place;

std::string HexBytes(std::string_view text) {
  std::string hex;
  hex.reserve(3 * text.size());
  for (const char c : text) {
    if (!hex.empty()) hex += ' ';
    const auto byte = static_cast<uint8_t>(c);
    hex += Hex({&byte, 1});
  }
  return hex;
}

/// Names of which a canonical request, in a header or in the query, is not to be shown.
bool HoldsSecrets(std::string_view canonical_request) {
  const std::string lower = LowerAscii(canonical_request);
  constexpr std::array<std::string_view, 2> kNames = {"x-amz-security-token", "-customer-key"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view name) { return lower.find(name) != std::string::npos; });
}

Status CheckHeaderTime(const Authorization& authorization, int64_t now, const Limits& limits) {
  const int64_t late = now - authorization.signed_at;
  if (late <= limits.skew_seconds && late >= -limits.skew_seconds) return Status::OK();
  return S3Error{403,
                 "RequestTimeTooSkewed",
                 "The difference between the request time and the current time is too large.",
                 {{"RequestTime", authorization.timestamp},
                  {"ServerTime", FormatErrorTime(now)},
                  {"MaxAllowedSkewMilliseconds", std::to_string(limits.skew_seconds * 1000)}}};
}

Status CheckPresignedTime(const Authorization& authorization, int64_t now, const Limits& limits) {
  const int64_t expires = authorization.signed_at + authorization.expires_seconds;
  if (now > expires) {
    S3Error error = AccessDenied("Request has expired");
    error.fields = {{"X-Amz-Expires", std::to_string(authorization.expires_seconds)},
                    {"Expires", FormatErrorTime(expires)},
                    {"ServerTime", FormatErrorTime(now)}};
    return error;
  }
  if (authorization.signed_at - now > limits.skew_seconds) {
    S3Error error = AccessDenied("Request is not yet valid");
    error.fields = {{"X-Amz-Date", std::to_string(authorization.signed_at * 1000)},
                    {"Expires", FormatErrorTime(expires)},
                    {"ServerTime", FormatErrorTime(now)}};
    return error;
  }
  return Status::OK();
}

bool IsVisible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != '\x7f'; });
}

}  // namespace

SigningKey DeriveSigningKey(const Secret& secret, std::string_view day, std::string_view region) {
  const std::string first = "AWS4" + secret.Reveal();
  SigningKey key;
  key.bytes = HmacSha256({reinterpret_cast<const uint8_t*>(first.data()), first.size()}, day);
  for (const std::string_view step :
       {region, std::string_view("s3"), std::string_view("aws4_request")}) {
    key.bytes = HmacSha256(key.bytes, step);
  }
  return key;
}

std::string Signature(const SigningKey& key, std::string_view string_to_sign) {
  return Hex(HmacSha256(key.bytes, string_to_sign));
}

S3Error SignatureMismatch(std::string_view access_key, std::string_view given,
                          std::string_view string_to_sign) {
  return {403,
          "SignatureDoesNotMatch",
          "The request signature we calculated does not match the signature you provided. Check "
          "your key and signing method.",
          {{"AWSAccessKeyId", std::string(access_key)},
           {"StringToSign", std::string(string_to_sign)},
           {"SignatureProvided", std::string(given)},
           {"StringToSignBytes", HexBytes(string_to_sign)}}};
}

Status Verify(const RequestView& request, const Authorization& authorization, const SigningKey& key,
              WallMicros now, const Limits& limits) {
  const int64_t now_seconds = now / 1'000'000;
  const bool presigned = authorization.place == Place::kQuery;
  ARROW_RETURN_NOT_OK(presigned ? CheckPresignedTime(authorization, now_seconds, limits)
                                : CheckHeaderTime(authorization, now_seconds, limits));

  ARROW_ASSIGN_OR_RAISE(const std::string path, CanonicalPath(request.path));
  ARROW_ASSIGN_OR_RAISE(const std::vector<QueryParameter> parameters, ParseQuery(request.query));
  const std::string query = CanonicalQuery(parameters, presigned ? "X-Amz-Signature" : "");
  const std::string headers = CanonicalHeaders(request.headers, authorization.signed_headers);
  const std::string scope = authorization.Scope();
  const std::string signed_headers = authorization.SignedHeaders();
  const auto canonical_request = [&](std::string_view of_path) {
    return CanonicalRequest(request.method, of_path, query, headers, signed_headers,
                            authorization.payload.text);
  };
  const auto matches = [&](std::string_view string_to_sign) {
    return SameInConstantTime(Signature(key, string_to_sign), authorization.signature);
  };

  const std::string canonical = canonical_request(path);
  const std::string string_to_sign = StringToSign(authorization.timestamp, scope, canonical);
  if (matches(string_to_sign)) return Status::OK();
  // A client that signs its path as it sends it, in another encoding than UriEncode's, meant the
  // same resource: both decode to it.
  if (request.path != path && request.path.starts_with('/') && IsVisible(request.path) &&
      matches(StringToSign(authorization.timestamp, scope, canonical_request(request.path)))) {
    return Status::OK();
  }
  S3Error error =
      SignatureMismatch(authorization.access_key, authorization.signature, string_to_sign);
  if (!HoldsSecrets(canonical)) {
    error.fields.emplace_back("CanonicalRequest", canonical);
    error.fields.emplace_back("CanonicalRequestBytes", HexBytes(canonical));
  }
  return error;
}

}  // namespace levada::sigv4
