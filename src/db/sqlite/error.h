#pragma once
// Error: what SQLite said, before anyone knows whose fault it is. The same "disk I/O error" is the
// source's when we read a user's file and ours when it is the ledger, so the opener of a Database
// says how an Error becomes a Fault.

#include <cstdint>
#include <functional>
#include <string>

#include "base/fault.h"

namespace levada::db::sqlite {

enum class ErrorKind : uint8_t {
  kBusy,          ///< another connection holds a lock, for longer than the busy timeout
  kReplaced,      ///< the file is another one now, or its bytes changed under our lock
  kHasLog,        ///< opened as immutable, with a log beside it that would not be seen
  kEncoding,      ///< attached to a database in another text encoding
  kCannotOpen,    ///< no such file, no such directory, or no right to create what WAL needs
  kNotADatabase,  ///< the file is something else, or encrypted
  kCorrupt,
  kReadOnly,
  kPermission,
  kFull,        ///< the disk is full
  kIo,          ///< system_errno says more
  kConstraint,  ///< unique, not null, check, foreign key
  kTooLarge,    ///< a value over SQLite's limit
  kMemory,
  kSql,  ///< a statement that does not compile or failed as it ran; the message names it
  kMisuse,
};

struct Error {
  ErrorKind kind = ErrorKind::kSql;
  int extended_code = 0;    ///< SQLite's extended result code
  int system_errno = 0;     ///< of the operating system's call that failed; 0: none
  std::string message;      ///< SQLite's own: "no such table: orders"
  std::string path;         ///< of the database
  std::string sql;          ///< what was asked; empty outside a statement
  int64_t sql_offset = -1;  ///< byte of `sql` that the message is about; -1: unknown
};

/// Called on the thread of the failing call.
using FaultOfError = std::function<Fault(const Error&)>;

/// A Fault of `code` with everything `error` says: for callers that need no finer distinction.
Fault FaultFrom(FaultCode code, std::string subject, const Error& error);
/// A Fault that FaultFrom made of kBusy.
bool IsFromBusy(const Status& failure);

}  // namespace levada::db::sqlite
