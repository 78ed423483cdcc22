#pragma once
// ClickhouseAddress: which server is the engine, read from what an operator wrote:
//
//     clickhouse://user@host:8123/database
//     clickhouse://host/database?secure=true
//
// It is the server's HTTP interface. There is no password in it: arguments and configuration files
// are read by many.

#include <string>
#include <string_view>

#include "base/fault.h"
#include "net/http_url.h"

namespace levada::services::analytics {

struct ClickhouseAddress {
  net::HttpUrl server;  ///< port 8123, or 8443 of https, where the URL names none
  std::string user = "default";
  std::string database = "levada";

  friend bool operator==(const ClickhouseAddress&, const ClickhouseAddress&) = default;
};

/// Errors: kBadValue in words that quote nothing, since any part may be a secret.
Result<ClickhouseAddress> ParseClickhouseAddress(std::string_view text);

}  // namespace levada::services::analytics
