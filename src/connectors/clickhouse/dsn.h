#pragma once
// Dsn: clickhouse://user:password@host:port/database?secure=true, which server and as whom.

#include <string>
#include <string_view>

#include "base/fault.h"
#include "base/secret.h"

namespace levada::clickhouse {

struct Dsn {
  std::string host = "localhost";  ///< a name or an address, without brackets
  std::string port = "9000";       ///< 9440 where secure
  std::string user = "default";
  Secret password;
  std::string database = "default";
  bool secure = false;        ///< by TLS
  bool verify = true;         ///< the server's certificate and its name
  std::string authorities{};  ///< `ca`: a file; empty: the system's
};

/// kBadValue, whose message has no part of what was written but names of parameters that we know.
Result<Dsn> ParseDsn(std::string_view text);

}  // namespace levada::clickhouse
