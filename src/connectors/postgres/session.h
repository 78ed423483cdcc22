#pragma once
// A session to read by: connected, in a read-only transaction on one snapshot, with the settings
// that make the same statement give the same rows, in the same order and in the same text, whatever
// role, database and environment have set.

#include <memory>
#include <optional>
#include <string>

#include "base/context.h"
#include "connectors/postgres/postgres_options.h"
#include "db/postgres/connection.h"

namespace levada::postgres {

/// The oldest server whose catalog we know.
inline constexpr int kServerVersionMin = 120000;

/// One state of one server, for as long as the transaction that exported it.
struct Snapshot {
  std::string id;
  std::string server;  ///< since when it runs, to the microsecond: two servers may use the same ids
};

/// What a session has to see.
struct SessionView {
  std::optional<Snapshot> snapshot{};  ///< exactly this
  std::string position{};              ///< at least this, of PositionOf; empty: whatever there is
};

/// Connects and begins. A standby that has not come to the position yet is waited for, for a minute
/// at most; a position of another database system says nothing. Everything is local to the
/// transaction, so a pooler may stand in between. Errors: those of Connection::Open;
/// kUnresolvedReference for the dsn; kSnapshotLost; kSourceBusy for a server that stays behind;
/// kSourceUnsupported for one older than 12.
Result<std::unique_ptr<pq::Connection>> BeginSession(const Context& ctx,
                                                     const ConsumerOptions& options,
                                                     const SessionView& view = {});

/// Asked, not taken from what a server reports by itself: before PostgreSQL 14 none does, and a
/// pooler repeats what the server it had first once said.
Result<bool> IsStandby(const Context& ctx, pq::Connection& connection);

/// Up to where the server has written or replayed its log, and whose log it is:
/// "7480012345678901234/0/16B3748". Empty where it does not say, as some that are like PostgreSQL.
Result<std::string> PositionOf(const Context& ctx, pq::Connection& connection);

/// Exports the snapshot of a session.
Result<Snapshot> ExportSnapshot(const Context& ctx, pq::Connection& connection);

}  // namespace levada::postgres
