#pragma once
// Snapshot: read transactions of one or several connections that see the same state of the same
// files, taken at one moment, and what tells that state from another.
//
// SQLite's own way to share a snapshot (sqlite3_snapshot_get) is left out of most builds, Debian's
// too. What it always has is PRAGMA data_version: two answers on one connection differ when
// somebody else has committed in between (sqlite.org/pragma.html#pragma_data_version). So a further
// connection, the watcher, is asked before the first transaction begins and after the last one has:
// equal answers prove that all of them see what was there all along. Otherwise they begin again.

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "db/sqlite/database.h"

namespace levada::db::sqlite {

/// What the header of a database file says, read through an open connection. (Another descriptor of
/// the file must never be closed in this process: POSIX would drop SQLite's locks with it.)
struct FileState {
  bool is_wal = false;    ///< commits go to a write-ahead log; never of an immutable file
  bool is_moved = false;  ///< another file, or none, stands under the name now
  /// The header and the size. While a read transaction without write-ahead log is open nobody may
  /// change them who keeps to SQLite's locks.
  std::string header;
  /// "change 17", "log 5d0f6a3c1b2e9f00 frame 120 ...": two that are equal are of one state; one
  /// state may have several. Empty where it cannot be told.
  std::string moment;
};

/// Of the file under `schema` ("main", or attached).
Result<FileState> ReadFileState(Database& database, const std::string& schema);

struct Snapshot {
  std::vector<std::unique_ptr<Transaction>> transactions;  ///< one for each connection, in order
  /// Of all files: "change 17". "change 17 to change 19" of a state between the two, where others
  /// commit all the time; empty where it cannot be told.
  std::string moment;
  bool is_exact = false;  ///< `moment` names one state
};

/// Begins a read transaction on each of `connections`, which have the same files open under the
/// same names. `watcher` is one connection more to the same files; it may be null for one
/// connection to one file, which needs no proof. Waits for locks, and for a moment without commits,
/// at most `patience` in all, and holds no lock while it waits. kReplaced when a file was replaced
/// after a connection had opened it: its log would be another database's.
Result<Snapshot> TakeSnapshot(const Context& ctx, std::span<Database* const> connections,
                              Database* watcher, std::chrono::milliseconds patience);

}  // namespace levada::db::sqlite
