#include "db/sqlite/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "db/sqlite/file_uri.h"

namespace levada::db::sqlite {
namespace {

// Instructions of SQLite's machine between two looks at the stop: some 0.1 ms of work.
constexpr int kProgressSteps = 4096;
// A lock is looked at again after this; a stop ends the wait within it.
constexpr std::chrono::milliseconds kBusyPause{10};

SteadyTime Now(const Context& ctx) {
  // tidy: allow the machine's clock for a context that was made without one
  return ctx.clock != nullptr ? ctx.clock->Steady() : std::chrono::steady_clock::now();
}

ErrorKind KindOfCode(int extended_code) {
  if (extended_code == SQLITE_IOERR_NOMEM) return ErrorKind::kMemory;
  switch (extended_code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return ErrorKind::kBusy;
    case SQLITE_CANTOPEN:
      return ErrorKind::kCannotOpen;
    case SQLITE_NOTADB:
      return ErrorKind::kNotADatabase;
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
      return ErrorKind::kCorrupt;
    case SQLITE_READONLY:
      return ErrorKind::kReadOnly;
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorKind::kPermission;
    case SQLITE_FULL:
      return ErrorKind::kFull;
    case SQLITE_IOERR:
    case SQLITE_NOLFS:
      return ErrorKind::kIo;
    case SQLITE_CONSTRAINT:
      return ErrorKind::kConstraint;
    case SQLITE_TOOBIG:
      return ErrorKind::kTooLarge;
    case SQLITE_NOMEM:
      return ErrorKind::kMemory;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_INTERNAL:
      return ErrorKind::kMisuse;
    default:
      return ErrorKind::kSql;
  }
}

/// The callbacks make SQLite give up with one of these when the context ends.
bool MayBeOurStop(int code) {
  const int primary = code & 0xff;
  return primary == SQLITE_INTERRUPT || primary == SQLITE_BUSY || primary == SQLITE_PROTOCOL;
}

/// Who only reads writes nothing but what reading needs: the index of a write-ahead log.
ErrorKind KindFor(int extended_code, OpenMode mode) {
  const ErrorKind kind = KindOfCode(extended_code);
  const bool lacks_index = kind == ErrorKind::kReadOnly && mode == OpenMode::kRead &&
                           extended_code != SQLITE_READONLY &&
                           extended_code != SQLITE_READONLY_ROLLBACK;
  return lacks_index ? ErrorKind::kCannotOpen : kind;
}

/// SQLite takes "file:x" for a URI where it was built so, and ":memory:" and "" for databases
/// without a file. With a directory in front a name is only a name.
std::string AsFileName(const std::string& path) {
  return path.empty() || path.front() == '/' ? path : "./" + path;
}

/// The URI of a file that nobody writes.
std::string AsImmutableUri(const std::string& path) {
  return FileUriOf(AsFileName(path)) + "?immutable=1";
}

bool IsFileName(const std::string& path) {
  return !path.empty() && path.find('\0') == std::string::npos;
}

int FlagsOf(OpenMode mode) {
  // NOMUTEX: a Database has one user at a time, SQLite need not lock each call.
  switch (mode) {
    case OpenMode::kRead:
      return SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    case OpenMode::kWrite:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    case OpenMode::kCreate:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    case OpenMode::kMemory:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
  }
  return 0;
}

constexpr size_t kSqlBytesMax = 1 << 20;  // far above any statement of ours or a user's query

}  // namespace

Database::Database(std::string path, FaultOfError fault_of, const OpenOptions& options)
    : path_(std::move(path)),
      fault_of_(std::move(fault_of)),
      mode_(options.mode),
      busy_timeout_(options.busy_timeout) {}

Database::~Database() {
  // v2: a statement that outlives us by mistake keeps the connection instead of dangling.
  sqlite3_close_v2(connection_);
}

Result<std::unique_ptr<Database>> Database::Open(const Context& ctx, const std::string& path,
                                                 const OpenOptions& options,
                                                 FaultOfError fault_of) {
  ARROW_RETURN_NOT_OK(ctx.Check());
  std::unique_ptr<Database> database(new Database(path, std::move(fault_of), options));
  const bool has_file = options.mode != OpenMode::kMemory;
  if (has_file && !IsFileName(path)) {
    Error error;
    error.kind = ErrorKind::kCannotOpen;
    error.extended_code = SQLITE_CANTOPEN;
    error.message = "not a file name";
    error.path = path;
    return database->fault_of_(error);
  }
  const std::string name = !has_file           ? ":memory:"
                           : options.immutable ? AsImmutableUri(path)
                                               : AsFileName(path);
  const int flags = FlagsOf(options.mode) | (options.immutable ? SQLITE_OPEN_URI : 0);
  const int code = sqlite3_open_v2(name.c_str(), &database->connection_, flags, StoppableFiles());
  if (code != SQLITE_OK) return database->Failure(code, ctx, "");
  if (options.immutable) ARROW_RETURN_NOT_OK(database->CheckNoLog("main"));
  ARROW_RETURN_NOT_OK(database->Configure(ctx, options));
  return database;
}

Status Database::Configure(const Context& ctx, const OpenOptions& options) {
  sqlite3_extended_result_codes(connection_, 1);
  sqlite3_busy_handler(connection_, &Database::OnBusy, this);
  sqlite3_progress_handler(connection_, kProgressSteps, &Database::OnProgress, this);
  // A misspelt "column" must be an error and not a constant; a hostile file must not run functions
  // from its schema.
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // Counting the steps of statements costs each of them; only requests of strangers are counted.
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_STMT_SCANSTATUS, 0, nullptr);
  ARROW_RETURN_NOT_OK(
      Execute(ctx, "PRAGMA cache_size = -" + std::to_string(options.cache_bytes / 1024)));
  if (options.mode == OpenMode::kRead) ARROW_RETURN_NOT_OK(Harden(ctx));
  if (options.journal != Journal::kAsItIs) {
    ARROW_ASSIGN_OR_RAISE(Statement journal, Prepare(ctx, "PRAGMA journal_mode = WAL"));
    ARROW_ASSIGN_OR_RAISE(bool row, journal.Step(ctx));
    const std::string mode = row ? journal.Text(0) : "";
    if (mode != "wal") {
      Error error;
      error.kind = ErrorKind::kIo;
      error.message = "expected journal mode \"wal\", got \"" + mode + "\"";
      error.path = path_;
      return fault_of_(error);
    }
    journal.Reset();
    const bool durable = options.journal == Journal::kDurableWal;
    ARROW_RETURN_NOT_OK(
        Execute(ctx, std::string("PRAGMA synchronous = ") + (durable ? "FULL" : "NORMAL")));
  }
  ARROW_ASSIGN_OR_RAISE(Statement header, Prepare(ctx, "SELECT count(*) FROM sqlite_schema"));
  ARROW_RETURN_NOT_OK(header.Run(ctx));
  ARROW_ASSIGN_OR_RAISE(Statement encoding, Prepare(ctx, "PRAGMA encoding"));
  ARROW_ASSIGN_OR_RAISE(bool row, encoding.Step(ctx));
  is_utf16_ = row && encoding.Text(0).starts_with("UTF-16");
  return Status::OK();
}

Status Database::Harden(const Context& ctx) {
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0, nullptr);
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  return Execute(ctx,
                 "PRAGMA query_only = ON; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; "
                 "PRAGMA recursive_triggers = OFF");
}

Status Database::CheckNoLog(const std::string& schema) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
  const char* file = sqlite3_db_filename(connection_, schema.c_str());
  if (file == nullptr || *file == '\0') return Status::OK();
  for (const char* log : {"-wal", "-journal"}) {
    const std::string name = std::string(file) + log;
    int found = 0;  // an empty file is as good as none, to SQLite too
    const int code = vfs->xAccess(vfs, name.c_str(), SQLITE_ACCESS_EXISTS, &found);
    if (code == SQLITE_OK && found == 0) continue;
    Error error;
    error.kind = ErrorKind::kHasLog;
    error.extended_code = code;
    error.message = "\"" + name + "\" lies beside it, whose content would not be read";
    error.path = file;
    return fault_of_(error);
  }
  return Status::OK();
}

Status Database::Attach(const Context& ctx, const std::string& name, const std::string& path,
                        bool immutable) {
  Error error;
  error.path = path;
  if (!IsFileName(path)) {
    error.kind = ErrorKind::kCannotOpen;
    error.extended_code = SQLITE_CANTOPEN;
    error.message = "not a file name";
    return fault_of_(error);
  }
  ARROW_RETURN_NOT_OK(ctx.Check());
  Entered entered(*this, ctx);
  const std::string file = immutable ? AsImmutableUri(path) : AsFileName(path);
  const std::string sql = "ATTACH " + QuoteText(file) + " AS " + QuoteName(name);
  const int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    if (MayBeOurStop(code)) ARROW_RETURN_NOT_OK(ctx.Check());
    error.extended_code = code;
    error.kind = KindFor(code, mode_);
    error.message = sqlite3_errmsg(connection_);
    error.system_errno = sqlite3_system_errno(connection_);
    if (error.message.find("same text encoding") != std::string::npos) {
      error.kind = ErrorKind::kEncoding;
    }
    return fault_of_(error);
  }
  schemas_.push_back(name);
  return immutable ? CheckNoLog(name) : Status::OK();
}

Status Database::Failure(int code, const Context& ctx, const std::string& sql) {
  const int primary = code & 0xff;
  if (MayBeOurStop(code)) ARROW_RETURN_NOT_OK(ctx.Check());
  Error error;
  error.extended_code = code;
  error.kind = KindFor(code, mode_);
  error.path = path_;
  error.sql = sql;
  error.message = sqlite3_errstr(code);
  if (connection_ != nullptr && (sqlite3_errcode(connection_) & 0xff) == primary) {
    error.message = sqlite3_errmsg(connection_);
    error.sql_offset = sqlite3_error_offset(connection_);
  }
  if (connection_ != nullptr &&
      (error.kind == ErrorKind::kIo || error.kind == ErrorKind::kCannotOpen ||
       error.kind == ErrorKind::kFull)) {
    error.system_errno = sqlite3_system_errno(connection_);
  }
  return fault_of_(error);
}

int Database::OnBusy(void* self, int tries) {
  Database& database = *static_cast<Database*>(self);
  const Context* ctx = database.context_;
  if (ctx == nullptr || !ctx->Check().ok()) return 0;
  const SteadyTime now = Now(*ctx);
  if (tries == 0) database.busy_since_ = now;
  const SteadyTime until = std::min(database.busy_since_ + database.busy_timeout_, ctx->deadline);
  if (now >= until) return 0;
  const SteadyTime next = std::min(until, now + kBusyPause);
  if (ctx->clock != nullptr) {
    ctx->clock->SleepUntil(next, ctx->stop);
  } else {
    std::this_thread::sleep_until(next);  // tidy: allow a context without a clock
  }
  return 1;
}

int Database::OnProgress(void* self) {
  const Context* ctx = static_cast<Database*>(self)->context_;
  if (ctx == nullptr) return 0;
  if (ctx->stop.stop_requested()) return 1;
  return ctx->deadline != SteadyTime::max() && Now(*ctx) >= ctx->deadline ? 1 : 0;
}

Status Database::Execute(const Context& ctx, std::string_view sql) {
  ARROW_RETURN_NOT_OK(ctx.Check());
  Entered entered(*this, ctx);
  const std::string text(sql);
  const int code = sqlite3_exec(connection_, text.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status::OK() : Failure(code, ctx, text);
}

Result<Statement> Database::Prepare(const Context& ctx, std::string_view sql) {
  ARROW_RETURN_NOT_OK(ctx.Check());
  Entered entered(*this, ctx);
  const std::string text(sql.substr(0, kSqlBytesMax + 1));
  auto refuse = [&](std::string message) {
    Error error;
    error.extended_code = SQLITE_ERROR;
    error.message = std::move(message);
    error.path = path_;
    error.sql = text;
    return Status(fault_of_(error));
  };
  if (text.size() > kSqlBytesMax) return refuse("a statement of more than 1 MiB");
  if (text.find('\0') != std::string::npos) return refuse("a statement with a NUL byte");
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  int code = sqlite3_prepare_v2(connection_, text.c_str(), -1, &raw, &rest);
  if (code != SQLITE_OK) return Failure(code, ctx, text);
  Statement statement(this, raw, std::string(text.c_str(), rest));
  if (raw == nullptr) return refuse("no statement, only white space or comments");
  // Only a second compilation tells a comment from a second statement.
  sqlite3_stmt* second = nullptr;
  code = sqlite3_prepare_v2(connection_, rest, -1, &second, nullptr);
  sqlite3_finalize(second);
  if (code != SQLITE_OK || second != nullptr) return refuse("expected one statement, got more");
  return statement;
}

Status Database::CheckIntegrity(const Context& ctx, bool full) {
  ARROW_ASSIGN_OR_RAISE(Statement check,
                        Prepare(ctx, full ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)"));
  ARROW_ASSIGN_OR_RAISE(bool row, check.Step(ctx));
  const std::string verdict = row ? check.Text(0) : "no answer";
  if (verdict == "ok") return Status::OK();
  Error error;
  error.kind = ErrorKind::kCorrupt;
  error.extended_code = SQLITE_CORRUPT;
  error.message = verdict;
  error.path = path_;
  return fault_of_(error);
}

int64_t Database::rows_changed() const { return sqlite3_changes64(connection_); }

bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }

Result<std::unique_ptr<Transaction>> Transaction::Begin(const Context& ctx, Database& database,
                                                        Kind kind) {
  ARROW_RETURN_NOT_OK(
      database.Execute(ctx, kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED"));
  std::unique_ptr<Transaction> transaction(new Transaction(database));
  if (kind == Kind::kRead) {
    // A deferred transaction has its snapshot of a file only after its first read there.
    for (const std::string& schema : database.schemas()) {
      ARROW_RETURN_NOT_OK(
          database.Execute(ctx, "SELECT 1 FROM " + QuoteName(schema) + ".sqlite_schema LIMIT 1"));
    }
  }
  return transaction;
}

Transaction::~Transaction() {
  // SQLite rolls back by itself after some errors; a second rollback would only fail.
  if (database_ != nullptr && database_->in_transaction()) {
    const Context unstoppable{};
    (void)database_->Execute(unstoppable, "ROLLBACK");
  }
}

Status Transaction::Commit(const Context& ctx) {
  ARROW_RETURN_NOT_OK(database_->Execute(ctx, "COMMIT"));
  database_ = nullptr;
  return Status::OK();
}

std::string QuoteName(std::string_view name) {
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string QuoteText(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + '\'';
}

}  // namespace levada::db::sqlite
