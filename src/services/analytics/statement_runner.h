#pragma once
// StatementRunner: a statement in one connection of the engine, and what the engine does not do by
// itself. For the engine's own process.
//
// Rows of an insert reach the engine in a file. In the text of a statement they would not be safe:
// the library takes it for a script, in which two line breaks end the rows and what follows is
// another statement.

#include <string>
#include <utility>

#include "base/fault.h"
#include "db/chdb/library.h"
#include "os/disk.h"
#include "services/analytics/engine.h"

namespace levada::services::analytics {

/// Queries of any number of threads at once, and a change or a creation of one beside them.
class StatementRunner final {
 public:
  /// `directory` is the engine's, absolute; `disk` outlives this.
  StatementRunner(os::Disk& disk, std::string directory, size_t answer_bytes_max)
      : disk_(disk), directory_(std::move(directory)), answer_bytes_max_(answer_bytes_max) {}

  /// kQueryFailed alone: with the engine's number of the error, or without one when it is ours.
  Result<std::string> Run(db::chdb::Connection& connection, const Statement& statement) const;

 private:
  /// Runs an insert whose rows are in a file meanwhile.
  Result<std::string> Insert(db::chdb::Connection& connection, const Statement& statement) const;
  /// The engine syncs its files, and not the directories that they are new in.
  Status SyncAll() const;

  os::Disk& disk_;
  const std::string directory_;
  const size_t answer_bytes_max_;
};

}  // namespace levada::services::analytics
