#pragma once
// A session to read by: connected, in a read-only transaction on one snapshot, with the settings
// that make the same statement give the same rows, in the same order and in the same text, whatever
// role, database and environment have set.

#include <memory>
#include <string>

#include "base/context.h"
#include "connectors/postgres/postgres_options.h"
#include "db/postgres/connection.h"

namespace levada::postgres {

/// The oldest server whose catalog we know.
inline constexpr int kServerVersionMin = 120000;

/// Connects and begins. With `snapshot`, one that another session exported, both see the same rows.
/// Everything is local to the transaction, so a pooler may stand in between. Errors: those of
/// Connection::Open; kUnresolvedReference for the dsn; kSnapshotLost; kSourceUnsupported for a
/// server older than 12.
Result<std::unique_ptr<pq::Connection>> BeginSession(const Context& ctx,
                                                     const ConsumerOptions& options,
                                                     const std::string& snapshot = {});

/// Asked, not taken from what a server reports by itself: before PostgreSQL 14 none does, and a
/// pooler repeats what the server it had first once said.
Result<bool> IsStandby(const Context& ctx, pq::Connection& connection);

/// Exports the snapshot of a session: its id, good for as long as the session's transaction.
Result<std::string> ExportSnapshot(const Context& ctx, pq::Connection& connection);

}  // namespace levada::postgres
