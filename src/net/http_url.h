#pragma once
// HttpUrl: where a request of ours goes, read from what an operator wrote.
//
// Source: RFC 3986, RFC 9110 section 4.2.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::net {

struct HttpUrl {
  bool is_secure = false;    ///< https
  std::string host;          ///< a name or an address; of IPv6 without its brackets
  uint16_t port = 0;         ///< 80 or 443 where the URL names none
  std::string target = "/";  ///< path and query, as they were written

  /// "https://example.com", "http://[::1]:4318": without a target, which may have a key in it.
  std::string Origin() const;
  /// What the header Host says: without the port where it is the scheme's own.
  std::string Authority() const;

  friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

/// "http://host:4318/path?query", a fragment dropped. Errors: kBadValue in words, also for one that
/// has a user or a password; the words quote nothing, since any part may be a secret.
Result<HttpUrl> ParseHttpUrl(std::string_view text);

}  // namespace levada::net
