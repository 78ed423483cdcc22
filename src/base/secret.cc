#include "base/secret.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace levada {
namespace {

// Half-open ranges of the text; they may overlap.
struct Hidden {
  size_t begin;
  size_t end;
};

constexpr size_t kNowhere = std::string_view::npos;
constexpr std::string_view kBlanks = " \t\r\n\f\v";

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = Lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool IsKeyCharacter(char c) {
  return HexDigit(c) >= 0 || (Lower(c) >= 'a' && Lower(c) <= 'z') || c == '_' || c == '-' ||
         c == '.' || c == '%';
}

// libpq decodes %xx in the names of URL parameters too (conninfo_uri_decode), so "pass%77ord" is
// one.
bool IsSecretKey(std::string_view key) {
  std::string name;
  for (size_t i = 0; i < key.size(); ++i) {
    if (key[i] == '%' && i + 2 < key.size() && HexDigit(key[i + 1]) >= 0 &&
        HexDigit(key[i + 2]) >= 0) {
      name += Lower(static_cast<char>(HexDigit(key[i + 1]) * 16 + HexDigit(key[i + 2])));
      i += 2;
    } else {
      name += Lower(key[i]);
    }
  }
  constexpr std::array<std::string_view, 6> kEndings = {"password",   "passwd", "pwd",
                                                        "passphrase", "secret", "token"};
  return std::ranges::any_of(kEndings, [&](std::string_view end) { return name.ends_with(end); });
}

// host[:digits][,host[:digits]...], as libpq allows; a host may be [an:ipv6:address].
bool HasOnlyPorts(std::string_view authority) {
  while (!authority.empty()) {
    const size_t comma = std::min(authority.find(','), authority.size());
    std::string_view host = authority.substr(0, comma);
    authority.remove_prefix(std::min(comma + 1, authority.size()));
    if (host.starts_with('[') && host.find(']') != kNowhere) host.remove_prefix(host.find(']'));
    const size_t colon = host.find(':');
    if (colon == kNowhere) continue;
    if (host.find_first_not_of("0123456789", colon + 1) != kNowhere) return false;
  }
  return true;
}

// Where "://" stands behind a scheme. Not anywhere: it may be part of a password.
size_t EndOfScheme(std::string_view url) {
  size_t end = 0;
  while (end < url.size() && url[end] != '%' && url[end] != '_' &&
         (IsKeyCharacter(url[end]) || url[end] == '+')) {
    ++end;
  }
  return end > 0 && url.substr(end).starts_with("://") ? end : kNowhere;
}

// From the first colon to the last "@", wherever it stands: an unescaped "/" or "?" in a password
// ends the authority for every URL parser, and would show the rest. Without "@" whatever stands at
// the port's place and is no port.
void HideAuthority(std::string_view url, std::vector<Hidden>& hidden) {
  const size_t scheme = EndOfScheme(url);
  const size_t start = scheme == kNowhere ? 0 : scheme + 3;
  const size_t at = url.rfind('@');
  if (at != kNowhere && at >= start) {
    const size_t colon = url.find(':', start);
    if (colon < at) hidden.push_back({colon + 1, at});
    return;
  }
  if (scheme == kNowhere) return;
  const size_t end = std::min(url.find_first_of("/?#", start), url.size());
  if (!HasOnlyPorts(url.substr(start, end - start))) {
    hidden.push_back({url.find(':', start) + 1, end});
  }
}

// Where the value that starts at `begin` ends. libpq: 'quoted with \' escapes', or up to a blank
// not escaped.
size_t EndOfValue(std::string_view text, size_t begin, bool url_parameter) {
  if (url_parameter) return std::min(text.find('&', begin), text.size());
  const bool quoted = begin < text.size() && text[begin] == '\'';
  for (size_t i = quoted ? begin + 1 : begin; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (quoted && text[i] == '\'') {
      return i + 1;
    } else if (!quoted && kBlanks.find(text[i]) != kNowhere) {
      return i;
    }
  }
  return text.size();
}

void HideParameters(std::string_view text, std::vector<Hidden>& hidden) {
  for (size_t equals = text.find('='); equals != kNowhere; equals = text.find('=', equals + 1)) {
    size_t end = equals;
    while (end > 0 && kBlanks.find(text[end - 1]) != kNowhere) --end;
    size_t begin = end;
    while (begin > 0 && IsKeyCharacter(text[begin - 1])) --begin;
    if (!IsSecretKey(text.substr(begin, end - begin))) continue;
    const bool url_parameter =
        begin > 0 && std::string_view("?&;").find(text[begin - 1]) != kNowhere;
    const size_t value = std::min(text.find_first_not_of(kBlanks, equals + 1), text.size());
    hidden.push_back({value, EndOfValue(text, value, url_parameter)});
  }
}

}  // namespace

std::string RedactUrl(std::string_view url) {
  std::vector<Hidden> hidden;
  HideAuthority(url, hidden);
  HideParameters(url, hidden);
  std::ranges::sort(hidden, {}, &Hidden::begin);

  std::string shown;
  size_t next = 0;
  for (const auto& [begin, end] : hidden) {
    if (begin >= next) {
      shown.append(url.substr(next, begin - next));
      shown += "***";
    }
    next = std::max(next, end);
  }
  shown.append(url.substr(next));
  return shown;
}

}  // namespace levada
