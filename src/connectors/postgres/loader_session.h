#pragma once
// A session to write by: connected, with the settings that make a value mean the same whatever
// role, database and environment have set; and transactions on it.

#include <functional>
#include <memory>
#include <string>

#include "base/context.h"
#include "connectors/postgres/loader_options.h"
#include "db/postgres/connection.h"

namespace levada::postgres {

/// Errors: those of Connection::Open as the target's; kTargetUnsupported for a server older than
/// 12.
Result<std::unique_ptr<pq::Connection>> OpenTarget(const Context& ctx,
                                                   const LoaderOptions& options);

/// Runs `body` between BEGIN and COMMIT; rolls back when it fails. After a COMMIT that got no
/// answer it is not known whether it happened: kTargetConnectionLost, and the connection is broken.
Status InTransaction(const Context& ctx, pq::Connection& connection, const TableName& table,
                     const std::function<Status()>& body);

/// One statement, whose failures are the target's.
Result<pq::Rows> Ask(const Context& ctx, pq::Connection& connection, const TableName& table,
                     std::string_view doing, const std::string& sql,
                     const pq::Parameters& parameters = {});

}  // namespace levada::postgres
