#include "formats/sigv4/signer.h"

#include <algorithm>

#include "base/ascii.h"
#include "formats/sigv4/timestamp.h"

namespace levada::sigv4 {
namespace {

/// Without signature and payload.
Authorization Unsigned(Authorization::Place place, const Credentials& credentials,
                       std::string_view region, WallMicros now) {
  Authorization authorization;
  authorization.place = place;
  authorization.access_key = credentials.access_key;
  authorization.signed_at = now / 1'000'000;
  authorization.timestamp = FormatTimestamp(authorization.signed_at);
  authorization.day = authorization.timestamp.substr(0, 8);
  authorization.region = region;
  authorization.session_token = credentials.session_token;
  return authorization;
}

std::vector<std::string> SortedNames(std::span<const HeaderView> headers) {
  std::vector<std::string> names;
  for (const HeaderView& header : headers) names.push_back(LowerAscii(header.name));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<std::string> SignatureOf(const RequestView& request, const Authorization& authorization,
                                const Secret& secret) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, CanonicalPath(request.path));
  ARROW_ASSIGN_OR_RAISE(const std::vector<QueryParameter> parameters, ParseQuery(request.query));
  const std::string canonical =
      CanonicalRequest(request.method, path, CanonicalQuery(parameters, ""),
                       CanonicalHeaders(request.headers, authorization.signed_headers),
                       authorization.SignedHeaders(), authorization.payload.text);
  return Signature(DeriveSigningKey(secret, authorization.day, authorization.region),
                   StringToSign(authorization.timestamp, authorization.Scope(), canonical));
}

}  // namespace

Result<SignedRequest> Sign(const RequestView& request, const Payload& payload,
                           const Credentials& credentials, std::string_view region,
                           WallMicros now) {
  SignedRequest result;
  result.authorization = Unsigned(Authorization::Place::kHeader, credentials, region, now);
  result.authorization.payload = payload;
  result.headers.push_back({"x-amz-date", result.authorization.timestamp});
  result.headers.push_back({"x-amz-content-sha256", payload.text});
  if (!credentials.session_token.empty()) {
    result.headers.push_back({"x-amz-security-token", credentials.session_token});
  }
  std::vector<HeaderView> all(request.headers.begin(), request.headers.end());
  for (const SignedHeader& header : result.headers) all.push_back({header.name, header.value});
  result.authorization.signed_headers = SortedNames(all);
  ARROW_ASSIGN_OR_RAISE(result.authorization.signature,
                        SignatureOf({request.method, request.path, request.query, all},
                                    result.authorization, credentials.secret));
  result.headers.push_back(
      {"Authorization", "AWS4-HMAC-SHA256 Credential=" + credentials.access_key + "/" +
                            result.authorization.Scope() +
                            ", SignedHeaders=" + result.authorization.SignedHeaders() +
                            ", Signature=" + result.authorization.signature});
  return result;
}

Result<std::string> Presign(const RequestView& request, int64_t expires_seconds,
                            const Credentials& credentials, std::string_view region,
                            WallMicros now) {
  Authorization authorization = Unsigned(Authorization::Place::kQuery, credentials, region, now);
  authorization.payload = {PayloadKind::kUnsigned, std::string(TextOf(PayloadKind::kUnsigned))};
  authorization.signed_headers = SortedNames(request.headers);
  std::string query(request.query);
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!query.empty()) query += '&';
    query += name;
    query += '=';
    query += UriEncode(value, /*keep_slashes=*/false);
  };
  add("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  add("X-Amz-Credential", credentials.access_key + "/" + authorization.Scope());
  add("X-Amz-Date", authorization.timestamp);
  add("X-Amz-Expires", std::to_string(expires_seconds));
  add("X-Amz-SignedHeaders", authorization.SignedHeaders());
  if (!credentials.session_token.empty()) add("X-Amz-Security-Token", credentials.session_token);
  ARROW_ASSIGN_OR_RAISE(const std::string signature,
                        SignatureOf({request.method, request.path, query, request.headers},
                                    authorization, credentials.secret));
  add("X-Amz-Signature", signature);
  return query;
}

Payload PayloadOf(std::string_view body) { return {PayloadKind::kHash, Hex(Sha256Of(body))}; }

}  // namespace levada::sigv4
