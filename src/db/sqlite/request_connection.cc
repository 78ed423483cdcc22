#include "db/sqlite/request_connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "db/sqlite/database.h"
#include "db/sqlite/file_uri.h"
#include "db/sqlite/read_gate.h"

namespace levada::db::sqlite {
namespace {

// Pages in memory, of each connection.
constexpr int kCacheBytes = 8 << 20;

int AsInt(int64_t limit) { return static_cast<int>(std::min<int64_t>(limit, INT32_MAX)); }

}  // namespace

RequestConnection::RequestConnection(PageFiles& files, ConnectionKind kind, const SqlLimits& limits)
    : files_(files), kind_(kind), limits_(limits) {}

RequestConnection::~RequestConnection() {
  for (OwnedStatement& statement : own_) statement.reset();
  sqlite3_close_v2(connection_);
}

void RequestConnection::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Result<std::unique_ptr<RequestConnection>> RequestConnection::Open(PageFiles& files,
                                                                   ConnectionKind kind,
                                                                   const SqlLimits& limits) {
  std::unique_ptr<RequestConnection> made(new RequestConnection(files, kind, limits));
  // A reader writes too, as SQLite sees it: the marks of readers in the log's index. URI: the name
  // that an export is given.
  const int code = sqlite3_open_v2(files.path().c_str(), &made->connection_,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI,
                                   files.vfs_name());
  if (code != SQLITE_OK) return made->Blamed(code);
  ARROW_RETURN_NOT_OK(made->Configure());
  return made;
}

Status RequestConnection::Configure() {
  sqlite3* db = connection_;
  sqlite3_extended_result_codes(db, 1);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_STMT_SCANSTATUS, 1, nullptr);
  rules_ = std::make_unique<StatementRules>(db);
  // Every commit asks the log for a sync, which is the history's (page_files.h).
  ARROW_RETURN_NOT_OK(Execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0"));
  ARROW_RETURN_NOT_OK(Execute(fmt::format("PRAGMA cache_size = -{}", kCacheBytes / 1024).c_str()));
  ARROW_RETURN_NOT_OK(
      Execute(fmt::format("PRAGMA max_page_count = {}",
                          std::max<int64_t>(limits_.database_bytes_max / int64_t{kPageBytes}, 1))
                  .c_str()));
  ARROW_RETURN_NOT_OK(Execute(kDefaultSettings));
  // What was deleted is in the history anyway: zeros over it would only be more pages there.
  ARROW_RETURN_NOT_OK(Execute("PRAGMA secure_delete = OFF"));
  if (kind_ == ConnectionKind::kReader) ARROW_RETURN_NOT_OK(Execute("PRAGMA query_only = ON"));
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, AsInt(limits_.value_bytes_max));
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, AsInt(limits_.statement_bytes_max));
  sqlite3_limit(db, SQLITE_LIMIT_COLUMN, AsInt(limits_.columns_max));
  sqlite3_limit(db, SQLITE_LIMIT_VARIABLE_NUMBER, AsInt(limits_.parameters_max));
  sqlite3_limit(db, SQLITE_LIMIT_FUNCTION_ARG, AsInt(limits_.function_arguments_max));
  sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, AsInt(limits_.like_pattern_bytes_max));
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 1);  // what an export needs; strangers may not
  sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
  sqlite3_progress_handler(db, 4096, OnProgress, this);
  sqlite3_preupdate_hook(db, OnRow, this);
  // SQLite's own tell what the request before on this connection did, who may be somebody else.
  const int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS;
  sqlite3_create_function_v2(db, "changes", 0, flags, this, Changes, nullptr, nullptr, nullptr);
  sqlite3_create_function_v2(db, "total_changes", 0, flags, this, TotalChanges, nullptr, nullptr,
                             nullptr);
  return Status::OK();
}

Status RequestConnection::Execute(const char* sql) {
  const StatementRules::Trusted trusted(*rules_);
  const int code = sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status::OK() : Blamed(code);
}

Status RequestConnection::Blamed(int code) {
  if (auto failure = files_.TakeFailure()) return *failure;
  const int primary = code & 0xff;
  const bool damaged = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
  const FaultCode otherwise = primary == SQLITE_FULL ? FaultCode::kDiskFull : FaultCode::kInternal;
  return Fault(damaged ? FaultCode::kStoreDamaged : otherwise,
               fmt::format(
                   "database \"{}\": {}", files_.path(),
                   connection_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection_)))
      .With("sqlite", std::to_string(code));
}

const char* RequestConnection::SqlOf(Own own) const {
  switch (own) {
    case Own::kBegin:
      return kind_ == ConnectionKind::kWriter ? "BEGIN IMMEDIATE" : "BEGIN";
    case Own::kCommit:
      return "COMMIT";
    case Own::kLook:
      return "PRAGMA schema_version";
    case Own::kPageCount:
      return "PRAGMA page_count";
    case Own::kIndexes:
      break;
  }
  return "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 COLLATE NOCASE";
}

sqlite3_stmt* RequestConnection::Find(Own own) {
  OwnedStatement& statement = own_[static_cast<size_t>(own)];
  if (statement == nullptr) {
    const StatementRules::Trusted trusted(*rules_);
    sqlite3_stmt* raw = nullptr;
    sqlite3_prepare_v3(connection_, SqlOf(own), -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    statement.reset(raw);
  }
  return statement.get();
}

int RequestConnection::Do(Own own) {
  const StatementRules::Trusted trusted(*rules_);
  sqlite3_stmt* const statement = Find(own);
  if (statement == nullptr) return sqlite3_errcode(connection_);
  (void)sqlite3_step(statement);
  return sqlite3_reset(statement);
}

int64_t RequestConnection::PageCount() {
  const StatementRules::Trusted trusted(*rules_);
  sqlite3_stmt* const statement = Find(Own::kPageCount);
  if (statement == nullptr) return 0;
  const bool has_row = sqlite3_step(statement) == SQLITE_ROW;
  const int64_t count = has_row ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_reset(statement);
  return count;
}

Status RequestConnection::Begin(const Context& ctx) {
  int code = Do(Own::kBegin);
  if (code != SQLITE_OK) return Blamed(code);
  if (kind_ == ConnectionKind::kWriter) return Status::OK();
  const StatementRules::Trusted trusted(*rules_);
  sqlite3_stmt* const look = Find(Own::kLook);
  auto entered = look == nullptr ? Result<int>(sqlite3_errcode(connection_))
                                 : files_.gate().Enter(connection_, look, ctx.stop);
  if (entered.ok() && *entered == SQLITE_OK) return Status::OK();
  const Status failed = entered.ok() ? Blamed(*entered) : entered.status();
  (void)Do(Own::kCommit);
  return failed;
}

Result<bool> RequestConnection::HoldBack() {
  // Not the writer's own BEGIN: a snapshot is of one that reads.
  ARROW_RETURN_NOT_OK(Execute("BEGIN"));
  const bool is_held = files_.gate().Hold(connection_);
  const int code = Do(Own::kCommit);
  if (code == SQLITE_OK) return is_held;
  if (is_held) files_.gate().Release();
  return Blamed(code);
}

void RequestConnection::Publish() { files_.gate().Release(); }
void RequestConnection::GiveUp() { files_.gate().Break(); }

Result<bool> RequestConnection::Checkpoint() {
  int frames = 0, done = 0;
  int code =
      sqlite3_wal_checkpoint_v2(connection_, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &done);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) return Blamed(code);
  if (code != SQLITE_OK || frames != done) return false;
  // All of it is in the file. Readers of the log may keep it from being emptied: then it is written
  // from its start again once they are gone.
  code =
      sqlite3_wal_checkpoint_v2(connection_, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) return Blamed(code);
  return true;
}

Status RequestConnection::ExportTo(const Context& ctx, const std::string& path) {
  // VACUUM begins to read by itself, and takes no snapshot that it is given.
  ARROW_RETURN_NOT_OK(files_.gate().Pass(ctx.stop));
  // query_only would forbid what is written elsewhere too.
  Status exported = Execute("PRAGMA query_only = OFF");
  context_ = &ctx;
  if (exported.ok()) {
    exported = Execute(("VACUUM INTO " + QuoteText(FileUriOf(path) + "?reserve=0")).c_str());
  }
  context_ = nullptr;
  files_.gate().Leave();
  if (kind_ == ConnectionKind::kReader) ARROW_RETURN_NOT_OK(Execute("PRAGMA query_only = ON"));
  ARROW_RETURN_NOT_OK(ctx.Check());
  return exported;
}

}  // namespace levada::db::sqlite
