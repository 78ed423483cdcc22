#include "net/http_url.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"

namespace levada::net {
namespace {

constexpr size_t kUrlBytesMax = 8 * 1024;
constexpr size_t kHostBytesMax = 255;  // of a name in the DNS

Fault Refuse(std::string message) {
  return Fault(FaultCode::kBadValue, std::move(message))
      .Help("such as http://127.0.0.1:4318 or https://collector.example.com/v1/metrics");
}

bool IsVisible(char c) { return c > ' ' && c < 0x7f; }

bool IsHostCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_';
}

/// Of IPv6, without a zone.
bool IsAddressCharacter(char c) { return IsHostCharacter(c) || c == ':'; }

/// Splits "host:4318", "[::1]" and what is between.
Status ReadAuthority(std::string_view text, HttpUrl& url) {
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return Refuse("the URL's address has no \"]\"");
    url.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    has_port = text.starts_with(':');
    if (!has_port && !text.empty()) return Refuse("the URL has something behind its address");
    if (has_port) port = text.substr(1);
    if (!std::ranges::all_of(url.host, IsAddressCharacter)) {
      return Refuse("the URL's address is none");
    }
  } else {
    const size_t colon = text.find(':');
    has_port = colon != std::string_view::npos;
    url.host = text.substr(0, colon);
    if (has_port) port = text.substr(colon + 1);
    if (!std::ranges::all_of(url.host, IsHostCharacter)) return Refuse("the URL's host is none");
  }
  if (url.host.empty() || url.host.size() > kHostBytesMax) {
    return Refuse("the URL needs a host of 1 to 255 bytes");
  }
  if (!has_port || port.empty()) return Status::OK();
  const char* end = port.data() + port.size();
  const auto parsed = std::from_chars(port.data(), end, url.port);
  if (parsed.ec != std::errc() || parsed.ptr != end || url.port == 0) {
    return Refuse("the URL's port is no number from 1 to 65535");
  }
  return Status::OK();
}

}  // namespace

std::string HttpUrl::Authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (is_secure ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

std::string HttpUrl::Origin() const { return (is_secure ? "https://" : "http://") + Authority(); }

Result<HttpUrl> ParseHttpUrl(std::string_view text) {
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kSecure = "https://";
  if (text.size() > kUrlBytesMax) return Refuse("the URL is longer than 8 KiB");
  if (!std::ranges::all_of(text, IsVisible)) {
    return Refuse("the URL has a blank or another character that belongs percent-encoded");
  }
  HttpUrl url;
  url.is_secure = StartsIgnoringCase(text, kSecure);
  if (!url.is_secure && !StartsIgnoringCase(text, kPlain)) {
    return Refuse("the URL begins with neither http:// nor https://");
  }
  url.port = url.is_secure ? 443 : 80;
  text.remove_prefix(url.is_secure ? kSecure.size() : kPlain.size());
  text = text.substr(0, text.find('#'));
  const size_t end = std::min(text.find_first_of("/?"), text.size());
  const std::string_view authority = text.substr(0, end);
  if (authority.find('@') != std::string_view::npos) {
    return Refuse("the URL has a user or a password, which belong into a header");
  }
  ARROW_RETURN_NOT_OK(ReadAuthority(authority, url));
  const std::string_view target = text.substr(end);
  url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
  return url;
}

}  // namespace levada::net
