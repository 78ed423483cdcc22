#include "formats/sigv4/authorization.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "formats/sigv4/credential.h"
#include "formats/sigv4/timestamp.h"

namespace levada::sigv4 {
namespace {

using Place = Authorization::Place;

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

S3Error UnsupportedMechanism() {
  return InvalidRequest(
      "The authorization mechanism you have provided is not supported. Please use "
      "AWS4-HMAC-SHA256.");
}

std::string_view Trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

const std::string* FindParameter(const std::vector<QueryParameter>& parameters,
                                 std::string_view name) {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(),
                   [&](const QueryParameter& parameter) { return parameter.name == name; });
  return found == parameters.end() ? nullptr : &found->value;
}

/// The three components of the header, in any order, each once.
struct Components {
  std::optional<std::string_view> credential;
  std::optional<std::string_view> signed_headers;
  std::optional<std::string_view> signature;
};

Result<Components> ParseComponents(std::string_view text) {
  const auto requires_three = [] {
    return Malformed(Place::kHeader,
                     "the authorization header requires three components: Credential, "
                     "SignedHeaders, and Signature.");
  };
  Components components;
  size_t count = 0;
  while (!text.empty()) {
    if (++count > 3) return requires_three();
    const size_t comma = text.find(',');
    const std::string_view piece = Trimmed(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const size_t equals = piece.find('=');
    if (equals == std::string_view::npos) {
      return Malformed(Place::kHeader,
                       "the authorization component \"" + std::string(piece) + "\" is malformed.");
    }
    const std::string_view name = piece.substr(0, equals);
    std::optional<std::string_view>* slot = name == "Credential"      ? &components.credential
                                            : name == "SignedHeaders" ? &components.signed_headers
                                            : name == "Signature"     ? &components.signature
                                                                      : nullptr;
    if (slot == nullptr || slot->has_value()) return requires_three();
    *slot = piece.substr(equals + 1);
  }
  if (!components.credential) return Malformed(Place::kHeader, "missing Credential.");
  if (!components.signed_headers) return Malformed(Place::kHeader, "missing SignedHeaders.");
  if (!components.signature) return Malformed(Place::kHeader, "missing Signature.");
  return components;
}

/// Of x-amz-date, which goes before Date.
Result<int64_t> HeaderTime(const RequestView& request) {
  std::optional<int64_t> seconds;
  if (const HeaderView* header = FindHeader(request.headers, "x-amz-date")) {
    seconds = ParseTimestamp(Trimmed(header->value));
  } else if (const HeaderView* date = FindHeader(request.headers, "date")) {
    seconds = ParseHttpDate(Trimmed(date->value));
  }
  if (!seconds) {
    return AccessDenied("AWS authentication requires a valid Date or x-amz-date header");
  }
  return *seconds;
}

std::string HeaderValue(const RequestView& request, std::string_view name) {
  const HeaderView* header = FindHeader(request.headers, name);
  return header == nullptr ? std::string() : std::string(Trimmed(header->value));
}

Result<Authorization> ParseHeader(const RequestView& request, std::string_view value,
                                  const Limits& limits) {
  value = Trimmed(value);
  const size_t blank = value.find(' ');
  const std::string_view scheme = value.substr(0, blank);
  if (blank == std::string_view::npos) {
    return InvalidArgument(
        "Authorization header is invalid -- one and only one ' ' (space) required.",
        "Authorization");
  }
  if (scheme == "AWS" || scheme == "AWS4-ECDSA-P256-SHA256") return UnsupportedMechanism();
  if (scheme != kAlgorithm) {
    return InvalidArgument("Unsupported Authorization Type", "Authorization");
  }
  ARROW_ASSIGN_OR_RAISE(const Components components, ParseComponents(Trimmed(value.substr(blank))));
  Authorization authorization;
  authorization.place = Place::kHeader;
  ARROW_ASSIGN_OR_RAISE(authorization,
                        WithCredential(std::move(authorization), *components.credential, limits));
  ARROW_ASSIGN_OR_RAISE(const int64_t seconds, HeaderTime(request));
  ARROW_ASSIGN_OR_RAISE(authorization, WithTimestamp(std::move(authorization), seconds));
  ARROW_ASSIGN_OR_RAISE(authorization, WithSignedHeaders(std::move(authorization),
                                                         *components.signed_headers, limits));
  authorization.signature = *components.signature;
  if (FindHeader(request.headers, "x-amz-content-sha256") == nullptr) {
    return InvalidRequest("Missing required header for this request: x-amz-content-sha256");
  }
  ARROW_ASSIGN_OR_RAISE(authorization.payload,
                        ParsePayload(HeaderValue(request, "x-amz-content-sha256")));
  authorization.session_token = HeaderValue(request, "x-amz-security-token");
  return authorization;
}

constexpr std::array<std::string_view, 6> kRequiredParameters = {
    "X-Amz-Algorithm", "X-Amz-Credential",    "X-Amz-Signature",
    "X-Amz-Date",      "X-Amz-SignedHeaders", "X-Amz-Expires"};

Result<int64_t> ParseExpires(std::string_view text, const Limits& limits) {
  const auto refused = [](std::string reason) {
    return Malformed(Place::kQuery, std::move(reason));
  };
  int64_t seconds = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, seconds);
  if (parsed.ec == std::errc::invalid_argument || parsed.ptr != end) {
    return refused("X-Amz-Expires should be a number");
  }
  if (text.starts_with('-')) return refused("X-Amz-Expires must be non-negative");
  if (parsed.ec != std::errc() || seconds > limits.expires_seconds_max) {
    const std::string max = std::to_string(limits.expires_seconds_max);
    return refused(
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
        "must be less than " +
        max + " seconds");
  }
  if (seconds == 0) return refused("X-Amz-Expires must be at least 1 second");
  return seconds;
}

Result<Authorization> ParseQueryForm(const RequestView& request,
                                     const std::vector<QueryParameter>& parameters,
                                     const Limits& limits) {
  for (const std::string_view name : kRequiredParameters) {
    const auto count =
        std::count_if(parameters.begin(), parameters.end(),
                      [&](const QueryParameter& parameter) { return parameter.name == name; });
    if (count != 1 || FindParameter(parameters, name)->empty()) {
      return Malformed(Place::kQuery,
                       "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                       "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                       "X-Amz-Expires parameters.");
    }
  }
  const auto value = [&](std::string_view name) -> const std::string& {
    return *FindParameter(parameters, name);
  };
  if (value("X-Amz-Algorithm") != kAlgorithm) {
    return Malformed(Place::kQuery, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  }
  Authorization authorization;
  authorization.place = Place::kQuery;
  ARROW_ASSIGN_OR_RAISE(
      authorization, WithCredential(std::move(authorization), value("X-Amz-Credential"), limits));
  const std::optional<int64_t> seconds = ParseTimestamp(value("X-Amz-Date"));
  if (!seconds) {
    return Malformed(Place::kQuery,
                     "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  ARROW_ASSIGN_OR_RAISE(authorization, WithTimestamp(std::move(authorization), *seconds));
  ARROW_ASSIGN_OR_RAISE(authorization.expires_seconds,
                        ParseExpires(value("X-Amz-Expires"), limits));
  ARROW_ASSIGN_OR_RAISE(authorization, WithSignedHeaders(std::move(authorization),
                                                         value("X-Amz-SignedHeaders"), limits));
  authorization.signature = value("X-Amz-Signature");

  const std::string* hash = FindParameter(parameters, "X-Amz-Content-Sha256");
  const std::string header_hash = HeaderValue(request, "x-amz-content-sha256");
  ARROW_ASSIGN_OR_RAISE(authorization.payload,
                        ParsePayload(hash != nullptr        ? std::string_view(*hash)
                                     : !header_hash.empty() ? std::string_view(header_hash)
                                                            : TextOf(PayloadKind::kUnsigned)));
  const std::string* token = FindParameter(parameters, "X-Amz-Security-Token");
  authorization.session_token =
      token != nullptr ? *token : HeaderValue(request, "x-amz-security-token");
  return authorization;
}

/// X-Amz-Date alone is no attempt at authorization.
bool HasVersion4Parameters(const std::vector<QueryParameter>& parameters) {
  return std::any_of(kRequiredParameters.begin(), kRequiredParameters.end(),
                     [&](std::string_view name) {
                       return name != "X-Amz-Date" && FindParameter(parameters, name) != nullptr;
                     });
}

}  // namespace

std::string Authorization::Scope() const { return day + "/" + region + "/s3/aws4_request"; }

std::string Authorization::SignedHeaders() const {
  std::string list;
  for (const std::string& name : signed_headers) {
    if (!list.empty()) list += ';';
    list += name;
  }
  return list;
}

Result<std::optional<Authorization>> ParseAuthorization(const RequestView& request,
                                                        const Limits& limits) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<QueryParameter> parameters, ParseQuery(request.query));
  const HeaderView* header = FindHeader(request.headers, "authorization");
  const bool version_4 = HasVersion4Parameters(parameters);
  const bool version_2 = FindParameter(parameters, "AWSAccessKeyId") != nullptr &&
                         FindParameter(parameters, "Signature") != nullptr;
  const auto headers = std::count_if(
      request.headers.begin(), request.headers.end(),
      [](const HeaderView& field) { return LowerAscii(field.name) == "authorization"; });
  const auto forms = headers + static_cast<int>(version_4) + static_cast<int>(version_2);
  if (forms == 0) return std::nullopt;
  if (forms > 1) {
    return InvalidArgument(
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
        "query "
        "string parameter or the Authorization header should be specified",
        "Authorization");
  }
  if (version_2) return UnsupportedMechanism();
  Authorization authorization;
  if (header != nullptr) {
    ARROW_ASSIGN_OR_RAISE(authorization, ParseHeader(request, header->value, limits));
  } else {
    ARROW_ASSIGN_OR_RAISE(authorization, ParseQueryForm(request, parameters, limits));
  }
  ARROW_RETURN_NOT_OK(CheckSignedHeaders(request, authorization));
  return authorization;
}

}  // namespace levada::sigv4
