#pragma once
// D1Admin: what an operator on the machine asks of databases, as commands of core/admin.h: through
// the daemon that has the directory, or where none has it in the process of the command line, which
// has opened the databases itself. Statements go the way of the doors' requests: the same limits,
// the same rules, one transaction each.

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "os/disk.h"
#include "services/core/admin.h"
#include "services/core/control.h"
#include "services/d1/databases.h"

namespace levada::services::d1 {

/// All outlive the commands.
struct D1AdminAccess {
  Databases& databases;
  Control& control;
  os::Disk& disk;
  const Clock& clock;
  Logger& log;
};

/// Of the rows of an answer, as JSON: it passes as a whole through a local socket.
constexpr size_t kAdminRowsBytesMax = size_t{8} << 20;

/// `database` is an id or a name; `account`, an id or a name too, may be left out where one account
/// alone has a database of that name.
///
/// d1.list {account?} -> {databases[{account_id, account, id, name, created_at, size, history_size,
/// tables}]}, whose sizes and tables are null where they are not known without opening it.
///
/// d1.query {account?, database, sql} -> {results[{columns, rows, row_count, changes, last_row_id,
/// rows_read, rows_written, duration_us}], size, bookmark}, or {error{message, code, offset}} where
/// SQLite refuses. A value is a number, a text, null, {"hex"} of a blob, or {"real"} of an
/// infinity. Rows over kAdminRowsBytesMax are left out: then there are fewer than row_count.
///
/// d1.dump {account?, database, tables[]?} -> {path, bytes}: a file of SQL that whoever asked reads
/// and removes; the next start of the daemon does else.
AdminCommands D1AdminCommands(const D1AdminAccess& access);

/// The database that a request means by `said` and `account`, which may be empty. kBadValue in
/// words.
Result<Resource> DatabaseOf(const Control& control, const std::string& said,
                            const std::string& account);

/// What only D1 answers with, in words for an operator.
Status ForOperator(const Status& status);

/// Blocks until `call` has called the Done that it is given: not on a thread that it needs.
template <typename T, typename Call>
Result<T> WaitFor(Call call) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  call(Done<T>([promise](Result<T> result) { promise->set_value(std::move(result)); }));
  return promise->get_future().get();
}

}  // namespace levada::services::d1
