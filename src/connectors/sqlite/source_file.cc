#include "connectors/sqlite/source_file.h"

#include <utility>

#include "connectors/sqlite/sqlite_faults.h"
#include "db/sqlite/snapshot.h"
#include "elt/stage_problems.h"

namespace levada::sqlite {
namespace {

using db::sqlite::Database;

/// `failure` of a file, with the place where the file is named.
Status Placed(const Status& failure, const elt::Options& where, std::string_view option) {
  const Fault fault = FaultOf(failure);
  if (fault.kind().blame != Blame::kSource && fault.kind().blame != Blame::kAuth) return failure;
  return elt::Placed(fault, where, option);
}

}  // namespace

Result<std::unique_ptr<Database>> OpenFiles(const Context& ctx, const ConsumerOptions& options) {
  db::sqlite::OpenOptions how;
  how.busy_timeout = options.busy_timeout;
  how.immutable = options.immutable;
  auto database = Database::Open(ctx, options.path, how, SourceFault);
  if (!database.ok()) return Placed(database.status(), options.written, "path");
  for (const AttachedFile& file : options.attached) {
    const Status attached = (*database)->Attach(ctx, file.name, file.path, options.immutable);
    if (!attached.ok()) return Placed(attached, file.where, "");
  }
  return database;
}

Result<std::vector<std::string>> NotesOfFiles(Database& database, const ConsumerOptions& options) {
  std::vector<std::string> notes;
  if (options.immutable) {
    notes.push_back(
        "immutable: the files are read without locks; one that somebody writes meanwhile may be "
        "read "
        "wrong, which is not always noticed");
    return notes;
  }
  bool any_log = false;
  bool any_journal = false;
  for (const std::string& schema : database.schemas()) {
    ARROW_ASSIGN_OR_RAISE(const db::sqlite::FileState state,
                          db::sqlite::ReadFileState(database, schema));
    (state.is_wal ? any_log : any_journal) = true;
  }
  if (any_log) {
    notes.push_back(
        "each partition is read in one transaction: while it runs, the write-ahead log is not "
        "emptied and grows with what others write");
  }
  if (any_journal) {
    notes.push_back(
        "no write-ahead log: others cannot commit while a partition is read; PRAGMA journal_mode = "
        "WAL lets them");
  }
  return notes;
}

}  // namespace levada::sqlite
