#include "formats/sigv4/canonical.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/url.h"
#include "formats/sigv4/hashes.h"

namespace levada::sigv4 {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

/// Line ends too: a value must not make a line of its own in the canonical request.
bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

S3Error InvalidUri() { return {400, "InvalidURI", "Couldn't parse the specified URI.", {}}; }

Result<std::string> QueryDecoded(std::string_view text) {
  std::optional<std::string> decoded = FormDecoded(text);
  if (!decoded) return InvalidUri();
  return *std::move(decoded);
}

}  // namespace

std::string UriEncode(std::string_view bytes, bool keep_slashes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(bytes.size());
  for (const char c : bytes) {
    if (IsUnreserved(c) || (c == '/' && keep_slashes)) {
      encoded.push_back(c);
      continue;
    }
    encoded.push_back('%');
    encoded.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
    encoded.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
  }
  return encoded;
}

Result<std::vector<QueryParameter>> ParseQuery(std::string_view query) {
  std::vector<QueryParameter> parameters;
  for (const UrlParameter& written : UrlParameters(query)) {
    if (written.written.empty()) continue;
    QueryParameter parameter;
    ARROW_ASSIGN_OR_RAISE(parameter.name, QueryDecoded(written.name));
    if (written.value) {
      ARROW_ASSIGN_OR_RAISE(parameter.value, QueryDecoded(*written.value));
    }
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

Result<std::string> CanonicalPath(std::string_view raw_path) {
  if (raw_path.empty()) return "/";
  const std::optional<std::string> decoded = PercentDecoded(raw_path);
  if (!decoded) return InvalidUri();
  return UriEncode(*decoded, /*keep_slashes=*/true);
}

std::string CanonicalQuery(std::span<const QueryParameter> parameters, std::string_view except) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const QueryParameter& parameter : parameters) {
    if (!except.empty() && parameter.name == except) continue;
    encoded.emplace_back(UriEncode(parameter.name, false), UriEncode(parameter.value, false));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string query;
  for (const auto& [name, value] : encoded) {
    if (!query.empty()) query += '&';
    query += name;
    query += '=';
    query += value;
  }
  return query;
}

std::string CanonicalHeaders(std::span<const HeaderView> headers,
                             std::span<const std::string> names) {
  std::string lines;
  for (const std::string& name : names) {
    lines += name;
    lines += ':';
    bool first = true;
    for (const HeaderView& header : headers) {
      if (!EqualsIgnoringCase(header.name, name)) continue;
      if (!first) lines += ',';
      first = false;
      lines += FoldBlanks(header.value);
    }
    lines += '\n';
  }
  return lines;
}

std::string CanonicalRequest(std::string_view method, std::string_view path, std::string_view query,
                             std::string_view headers, std::string_view signed_headers,
                             std::string_view payload) {
  std::string request;
  for (const std::string_view line : {method, path, query, headers, signed_headers}) {
    request += line;
    request += '\n';
  }
  request += payload;
  return request;
}

std::string StringToSign(std::string_view timestamp, std::string_view scope,
                         std::string_view canonical_request) {
  std::string text = "AWS4-HMAC-SHA256\n";
  for (const std::string_view line : {timestamp, scope}) {
    text += line;
    text += '\n';
  }
  return text + Hex(Sha256Of(canonical_request));
}

const HeaderView* FindHeader(std::span<const HeaderView> headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const HeaderView& header) {
    return EqualsIgnoringCase(header.name, name);
  });
  return found == headers.end() ? nullptr : &*found;
}

std::string FoldBlanks(std::string_view value) {
  std::string folded;
  folded.reserve(value.size());
  bool pending = false;
  for (const char c : value) {
    if (IsBlank(c)) {
      pending = !folded.empty();
      continue;
    }
    if (pending) folded.push_back(' ');
    pending = false;
    folded.push_back(c);
  }
  return folded;
}

}  // namespace levada::sigv4
