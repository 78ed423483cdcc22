#include "connectors/sqlite/sqlite_faults.h"

#include <cerrno>
#include <string>
#include <string_view>

namespace levada::sqlite {
namespace {

using db::sqlite::Error;
using db::sqlite::ErrorKind;

std::string Named(const Error& error, std::string_view what) {
  return std::string(what) + " \"" + error.path + "\"";
}

Fault CannotOpen(const Error& error) {
  if (error.system_errno == ENOENT || error.system_errno == ENOTDIR) {
    return FaultFrom(FaultCode::kDatabaseNotFound, Named(error, "no database file"), error)
        .Help("check path:; a relative one starts at the directory levada was started in");
  }
  if (error.system_errno == EACCES || error.system_errno == EPERM) {
    return FaultFrom(FaultCode::kPermissionDenied, Named(error, "cannot open"), error)
        .Help(
            "levada needs the right to read the file and, for a database in WAL mode, to write its "
            "directory; where nobody writes the database say immutable: true");
  }
  return FaultFrom(FaultCode::kSourceUnsupported, Named(error, "cannot open"), error)
      .Help(
          "a database in WAL mode needs a writable directory for its -shm file; where nobody "
          "writes "
          "the database say immutable: true, else copy it or run PRAGMA journal_mode = DELETE on "
          "it");
}

FaultCode CodeOfSql(std::string_view message) {
  if (message.starts_with("no such table")) return FaultCode::kTableNotFound;
  if (message.starts_with("no such column")) return FaultCode::kColumnNotFound;
  return FaultCode::kQueryFailed;
}

const char* HelpOfSql(FaultCode code) {
  if (code == FaultCode::kTableNotFound) {
    return "check the name; a table of another file needs attach:";
  }
  if (code == FaultCode::kColumnNotFound) {
    return "check the name; in SQL text is written in single quotes";
  }
  return "write one SELECT that runs as it stands in the sqlite3 shell";
}

}  // namespace

Fault SourceFault(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kBusy:
      return FaultFrom(FaultCode::kSourceBusy, Named(error, "locked:"), error)
          .Help(
              "another process is writing; raise busy_timeout:, or switch the database to WAL, "
              "where readers do not wait");
    case ErrorKind::kReplaced:
      return FaultFrom(FaultCode::kSnapshotLost, Named(error, "changed behind its locks:"), error)
          .Help(
              "replace a database by renaming another one onto its name, with no process at it; "
              "copy it with VACUUM INTO or .backup");
    case ErrorKind::kHasLog:
      return FaultFrom(FaultCode::kSourceUnsupported, Named(error, "not immutable:"), error)
          .Help(
              "remove immutable: true, or run PRAGMA wal_checkpoint(TRUNCATE) on the database and "
              "close it");
    case ErrorKind::kEncoding:
      return FaultFrom(FaultCode::kSourceUnsupported, Named(error, "cannot attach"), error)
          .Help(
              "read it alone, or make a copy: PRAGMA encoding = 'UTF-8' in a new file, then "
              "import");
    case ErrorKind::kCannotOpen:
      return CannotOpen(error);
    case ErrorKind::kNotADatabase:
      return FaultFrom(FaultCode::kSourceUnsupported, Named(error, "not a database:"), error)
          .Help("the file is something else, or an encrypted database");
    case ErrorKind::kCorrupt:
      return FaultFrom(FaultCode::kSourceProtocol, Named(error, "damaged database"), error)
          .Help(
              "PRAGMA integrity_check lists the damage; .recover of the sqlite3 shell saves what "
              "can be read");
    case ErrorKind::kReadOnly:
      return FaultFrom(FaultCode::kSourceUnsupported, Named(error, "cannot read"), error)
          .Help(
              "an unfinished transaction must be rolled back first: open the database once with "
              "the right to write it");
    case ErrorKind::kPermission:
      return FaultFrom(FaultCode::kPermissionDenied, Named(error, "cannot read"), error);
    case ErrorKind::kIo:
      return FaultFrom(FaultCode::kSourceUnreachable, Named(error, "cannot read"), error)
          .Help("path: has to be a file, on a disk that can be read");
    case ErrorKind::kFull:
      return FaultFrom(FaultCode::kQueryFailed, "no room for the temporary files of the query",
                       error)
          .Help(
              "set SQLITE_TMPDIR to a directory with room, or make an index in the order asked "
              "for");
    case ErrorKind::kSql:
      return FaultFrom(CodeOfSql(error.message), "query", error)
          .Help(HelpOfSql(CodeOfSql(error.message)));
    case ErrorKind::kTooLarge:
    case ErrorKind::kConstraint:
      return FaultFrom(FaultCode::kQueryFailed, "query", error);
    case ErrorKind::kMemory:
    case ErrorKind::kMisuse:
      break;
  }
  return FaultFrom(FaultCode::kInternal, "sqlite", error);
}

}  // namespace levada::sqlite
