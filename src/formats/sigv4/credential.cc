#include "formats/sigv4/credential.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/http_token.h"
#include "formats/sigv4/timestamp.h"

namespace levada::sigv4 {
namespace {

std::vector<std::string_view> Split(std::string_view text, char separator, size_t pieces_max) {
  std::vector<std::string_view> pieces;
  while (pieces.size() < pieces_max) {
    const size_t end = text.find(separator);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return pieces;
}

std::string Quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

bool Contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

S3Error Malformed(Authorization::Place place, std::string reason) {
  if (place == Authorization::Place::kQuery) {
    return {400, "AuthorizationQueryParametersError", std::move(reason), {}};
  }
  return {400,
          "AuthorizationHeaderMalformed",
          "The authorization header is malformed; " + std::move(reason),
          {}};
}

S3Error MalformedCredential(Authorization::Place place, std::string reason) {
  if (place == Authorization::Place::kQuery) {
    reason.insert(0, "Error parsing the X-Amz-Credential parameter; ");
  }
  return Malformed(place, std::move(reason));
}

Result<Authorization> WithCredential(Authorization authorization, std::string_view credential,
                                     const Limits& limits) {
  const auto malformed = [&](std::string reason) {
    return MalformedCredential(authorization.place, std::move(reason));
  };
  const std::vector<std::string_view> pieces = Split(credential, '/', 6);
  if (pieces.size() != 5) {
    return malformed(
        "the Credential is mal-formed; expecting "
        "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  }
  const auto [access_key, day, region, service, terminal] =
      std::array{pieces[0], pieces[1], pieces[2], pieces[3], pieces[4]};
  if (access_key.empty()) {
    return malformed("a non-empty Access Key (AKID) must be provided in the credential.");
  }
  if (!ParseDay(day)) {
    return malformed("incorrect date format " + Quoted(day) +
                     ". This date in the credential must be in the format \"yyyyMMdd\".");
  }
  if (!Contains(limits.regions, region)) {
    const std::string expected = limits.regions.empty() ? "" : limits.regions.front();
    S3Error error = malformed("the region '" + std::string(region) + "' is wrong; expecting '" +
                              expected + "'");
    error.fields.emplace_back("Region", expected);
    return error;
  }
  if (service != "s3") {
    return malformed("incorrect service " + Quoted(service) + ". This endpoint belongs to \"s3\".");
  }
  if (terminal != "aws4_request") {
    return malformed("incorrect terminal " + Quoted(terminal) +
                     ". This endpoint uses \"aws4_request\".");
  }
  authorization.access_key = access_key;
  authorization.day = day;
  authorization.region = region;
  return authorization;
}

Result<Authorization> WithTimestamp(Authorization authorization, int64_t signed_at) {
  authorization.signed_at = signed_at;
  authorization.timestamp = FormatTimestamp(signed_at);
  const std::string_view day = std::string_view(authorization.timestamp).substr(0, 8);
  if (day != authorization.day) {
    return Malformed(authorization.place,
                     "Invalid credential date " + Quoted(authorization.day) +
                         ". This date is not the same as X-Amz-Date: " + Quoted(day) + ".");
  }
  return authorization;
}

Result<Authorization> WithSignedHeaders(Authorization authorization, std::string_view list,
                                        const Limits& limits) {
  const std::vector<std::string_view> names = Split(list, ';', limits.signed_headers_max + 1);
  if (names.size() > limits.signed_headers_max) {
    return Malformed(
        authorization.place,
        "SignedHeaders names more than " + std::to_string(limits.signed_headers_max) + " headers.");
  }
  for (const std::string_view name : names) {
    // Anything but a token could forge a line of the canonical request.
    if (!IsHttpToken(name) || Contains(authorization.signed_headers, name)) {
      return Malformed(authorization.place,
                       "SignedHeaders is not a list of distinct header names separated by \";\".");
    }
    authorization.signed_headers.emplace_back(name);
  }
  return authorization;
}

Status CheckSignedHeaders(const RequestView& request, const Authorization& authorization) {
  std::vector<std::string> is_signed;
  for (const std::string& name : authorization.signed_headers) {
    is_signed.push_back(LowerAscii(name));
  }
  std::vector<std::string> missing;
  if (!Contains(is_signed, "host")) missing.emplace_back("host");
  for (const HeaderView& header : request.headers) {
    std::string name = LowerAscii(header.name);
    if (!name.starts_with("x-amz-") || Contains(is_signed, name) || Contains(missing, name)) {
      continue;
    }
    missing.push_back(std::move(name));
  }
  if (missing.empty()) return Status::OK();
  std::string list;
  for (const std::string& name : missing) list += (list.empty() ? "" : ", ") + name;
  S3Error error = AccessDenied("There were headers present in the request which were not signed");
  error.fields.emplace_back("HeadersNotSigned", std::move(list));
  return error;
}

}  // namespace levada::sigv4
