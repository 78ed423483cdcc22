#include "connectors/clickhouse/dsn.h"

#include <algorithm>
#include <optional>

#include "base/url.h"

namespace levada::clickhouse {
namespace {

constexpr const char* kForm =
    "write clickhouse://user:password@host:port/database?secure=true, with what is none of a URL's "
    "own characters as %XX";

Fault Bad(const std::string& problem) {
  return Fault(FaultCode::kBadValue, "dsn: " + problem).Help(kForm);
}

Result<bool> Flag(const std::string& name, const std::string& value) {
  if (value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  return Bad(name + ": expected true or false");
}

Status ReadParameter(const UrlParameter& parameter, Dsn& dsn) {
  const std::optional<std::string> value =
      parameter.value ? PercentDecoded(*parameter.value) : std::nullopt;
  if (!value || value->empty()) return Bad("a parameter without a value");
  if (parameter.name == "secure") {
    ARROW_ASSIGN_OR_RAISE(dsn.secure, Flag("secure", *value));
  } else if (parameter.name == "verify") {
    ARROW_ASSIGN_OR_RAISE(dsn.verify, Flag("verify", *value));
  } else if (parameter.name == "ca") {
    dsn.authorities = *value;
  } else {
    return Bad("an unknown parameter, expected secure, verify or ca");
  }
  return Status::OK();
}

Status ReadHost(std::string_view text, Dsn& dsn, bool& has_port) {
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return Bad("an address in brackets that are not closed");
    dsn.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') return Bad("expected a port behind the address");
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    dsn.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (dsn.host.empty()) dsn.host = "localhost";
  if (port.empty()) return Status::OK();
  port.remove_prefix(1);
  const bool digits = !port.empty() && port.size() <= 5 &&
                      std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || std::stoi(std::string(port)) > 65535 || std::stoi(std::string(port)) == 0) {
    return Bad("expected a port from 1 to 65535");
  }
  dsn.port = port;
  has_port = true;
  return Status::OK();
}

Status ReadUser(std::string_view text, Dsn& dsn) {
  const size_t colon = std::min(text.find(':'), text.size());
  const auto user = PercentDecoded(text.substr(0, colon));
  const auto password = PercentDecoded(colon == text.size() ? "" : text.substr(colon + 1));
  if (!user || !password) return Bad("a % that two hex digits do not follow");
  if (!user->empty()) dsn.user = *user;
  dsn.password = Secret(*password);
  return Status::OK();
}

}  // namespace

Result<Dsn> ParseDsn(std::string_view text) {
  constexpr std::string_view kScheme = "clickhouse://";
  if (text.empty()) return Bad("it is empty");
  if (!text.starts_with(kScheme)) return Bad("expected clickhouse://");
  text.remove_prefix(kScheme.size());
  Dsn dsn;
  const size_t question = text.find('?');
  if (question != std::string_view::npos) {
    for (const UrlParameter& parameter : UrlParameters(text.substr(question + 1))) {
      ARROW_RETURN_NOT_OK(ReadParameter(parameter, dsn));
    }
    text = text.substr(0, question);
  }
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto database = PercentDecoded(text.substr(slash + 1));
    if (!database || database->find('/') != std::string::npos) return Bad("no name of a database");
    if (!database->empty()) dsn.database = *database;
    text = text.substr(0, slash);
  }
  const size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    ARROW_RETURN_NOT_OK(ReadUser(text.substr(0, at), dsn));
    text.remove_prefix(at + 1);
  }
  bool has_port = false;
  ARROW_RETURN_NOT_OK(ReadHost(text, dsn, has_port));
  if (dsn.secure && !has_port) dsn.port = "9440";
  return dsn;
}

}  // namespace levada::clickhouse
