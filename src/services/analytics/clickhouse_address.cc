#include "services/analytics/clickhouse_address.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/url.h"

namespace levada::services::analytics {
namespace {

constexpr std::string_view kScheme = "clickhouse://";
constexpr uint16_t kPort = 8123;
constexpr uint16_t kSecurePort = 8443;
constexpr size_t kDatabaseBytesMax = 64;
constexpr std::string_view kDatabaseLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

Fault Bad(const std::string& why) {
  return Fault(FaultCode::kBadValue, why).Help("such as clickhouse://levada@10.0.0.7:8123/levada");
}

Result<bool> IsSecure(std::string_view query) {
  bool is_secure = false;
  for (const UrlParameter& parameter : UrlParameters(query)) {
    if (parameter.name != "secure") return Bad("there is one parameter, secure=true");
    is_secure = parameter.value == "true";
    if (!is_secure && parameter.value != "false") return Bad("secure is true or false");
  }
  return is_secure;
}

Result<std::string> UserOf(std::string_view written) {
  if (written.find(':') != std::string_view::npos) {
    return Fault(FaultCode::kBadValue, "a password does not belong into it")
        .Help(
            "put it into a file for analytics_password_file, or into "
            "LEVADA_ANALYTICS_PASSWORD in the environment");
  }
  std::optional<std::string> user = PercentDecoded(written);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (!user || user->empty() || std::ranges::any_of(*user, is_control)) {
    return Bad("before the \"@\" is no user");
  }
  return *std::move(user);
}

/// Whether "host:1", and not "host" or "[::1]".
bool HasPort(std::string_view authority) {
  const size_t end = authority.rfind(']');
  return authority.find(':', end == std::string_view::npos ? 0 : end) != std::string_view::npos;
}

}  // namespace

Result<ClickhouseAddress> ParseClickhouseAddress(std::string_view text) {
  if (!text.starts_with(kScheme)) return Bad("it does not begin with clickhouse://");
  std::string_view rest = text.substr(kScheme.size());
  ClickhouseAddress address;
  bool is_secure = false;
  if (const size_t at = rest.find('?'); at != std::string_view::npos) {
    ARROW_ASSIGN_OR_RAISE(is_secure, IsSecure(rest.substr(at + 1)));
    rest = rest.substr(0, at);
  }
  std::string_view authority = rest.substr(0, rest.find('/'));
  std::string_view path = rest.substr(authority.size());
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    ARROW_ASSIGN_OR_RAISE(address.user, UserOf(authority.substr(0, at)));
    authority = authority.substr(at + 1);
  }
  if (path.size() > 1) {
    address.database = path.substr(1);
    if (address.database.size() > kDatabaseBytesMax ||
        address.database.find_first_not_of(kDatabaseLetters) != std::string::npos) {
      return Bad("the database's name is 1 to 64 letters, digits and \"_\"");
    }
  }
  auto server =
      net::ParseHttpUrl((is_secure ? "https://" : "http://") + std::string(authority) + "/");
  if (!server.ok()) return Bad("behind it is no host and port");
  address.server = *std::move(server);
  if (!HasPort(authority)) address.server.port = is_secure ? kSecurePort : kPort;
  return address;
}

}  // namespace levada::services::analytics
