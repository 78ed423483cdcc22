#pragma once
// ServerError: what a PostgreSQL server says went wrong, and the one table from SQLSTATE to our
// codes.
//
// Both ways an error can reach us end here: libpq's results (connection.h) and the messages that
// are read past libpq (raw_session.h and formats/pgwire).

#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::pq {

/// As the server sent it; absent fields are empty.
struct ServerError {
  std::string severity;
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
  std::string where;
  std::string table = {};  ///< as the three below: what a constraint or a type speaks of
  std::string column = {};
  std::string constraint = {};
};

/// The code of a SQLSTATE. Unknown ones are kQueryFailed, an empty one is kSourceConnectionLost:
/// libpq has none to give when the connection broke.
/// Source: PostgreSQL documentation, appendix "PostgreSQL Error Codes".
FaultCode CodeOfSqlstate(std::string_view sqlstate);

/// `error` as a Fault that reads "<doing>: <the server's message>", with the details "sqlstate",
/// "server_detail", "server_hint", "server_context", "server_table", "server_column" and
/// "server_constraint" where the server gave them, each cut at 1 KiB. Bytes that are not UTF-8 come
/// out as question marks. What pgbouncer says with the SQLSTATE of a broken protocol has the code
/// that its words mean.
Fault FaultOf(const ServerError& error, std::string_view doing);

}  // namespace levada::pq
