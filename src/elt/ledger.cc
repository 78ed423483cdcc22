#include "elt/ledger.h"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <utility>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "db/sqlite/database.h"

namespace levada::elt {
namespace {

using db::sqlite::Database;
using db::sqlite::ErrorKind;
using db::sqlite::Statement;
using db::sqlite::Transaction;

// The layout's version is SQLite's user_version; a ledger from another version is put aside, for it
// is only a cache.
constexpr int64_t kLayoutVersion = 1;

constexpr std::string_view kLayout = R"sql(
create table runs (
  pipeline text not null, label text not null, state text not null, plan_hash text not null,
  revision integer not null, partitions_total integer not null, partitions_done integer not null,
  rows integer not null, files integer not null, bytes integer not null,
  started_at text not null, finished_at text not null, error text not null,
  primary key (pipeline, label)
) without rowid;
create table attempts (
  pipeline text not null, label text not null, partition text not null, attempt_id text not null,
  state text not null, rows integer not null, started_at text not null, finished_at text not null,
  error text not null,
  primary key (pipeline, label, partition, attempt_id)
) without rowid;
pragma user_version = 1;
)sql";

// How long a write may wait for whoever has locked the ledger. A run does not wait for its cache.
constexpr std::chrono::milliseconds kPatience{200};
constexpr std::chrono::milliseconds kPatienceOnceBehind{10};

Fault FaultOfLedger(const db::sqlite::Error& error) {
  if (error.kind == ErrorKind::kReadOnly || error.kind == ErrorKind::kPermission ||
      error.kind == ErrorKind::kCannotOpen) {
    // Nothing is wrong with the ledger but where it is: like a directory that cannot be made.
    return db::sqlite::FaultFrom(FaultCode::kTargetUnwritable, "the ledger", error)
        .Help("give a directory that this user can write with --state DIR");
  }
  Fault fault = db::sqlite::FaultFrom(FaultCode::kLedgerUnusable, "the ledger", error);
  if (error.kind == ErrorKind::kNotADatabase || error.kind == ErrorKind::kCorrupt ||
      error.kind == ErrorKind::kSql) {
    fault.With("damaged", "true");
  }
  fault.Help("it is only a cache: remove it, and `levada status --rebuild` derives it again");
  return fault;
}

Status Apply(Context& ctx, Database& database, const std::function<Status()>& writes) {
  ARROW_ASSIGN_OR_RAISE(auto transaction,
                        Transaction::Begin(ctx, database, Transaction::Kind::kWrite));
  ARROW_RETURN_NOT_OK(writes());
  LEVADA_FAILPOINT(ctx, "ledger.before_commit");
  return transaction->Commit(ctx);
}

Status InsertRun(Context& ctx, Database& database, const LedgerRun& run) {
  ARROW_ASSIGN_OR_RAISE(
      Statement insert,
      database.Prepare(ctx, "insert or replace into runs values (?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  insert.Bind(1, run.pipeline).Bind(2, run.label).Bind(3, run.state).Bind(4, run.plan_hash);
  insert.Bind(5, int64_t{run.revision}).Bind(6, run.partitions_total).Bind(7, run.partitions_done);
  insert.Bind(8, run.rows).Bind(9, run.files).Bind(10, run.bytes);
  insert.Bind(11, run.started_at).Bind(12, run.finished_at).Bind(13, run.error);
  return insert.Run(ctx);
}

LedgerRun FromTarget(const PublishedRun& published) {
  LedgerRun run;
  run.pipeline = published.pipeline;
  run.label = published.label;
  run.partitions_done = static_cast<int64_t>(published.partitions.size());
  if (published.pending) {
    run.state = "running";  // or its process is dead: the target does not know
    run.plan_hash = published.pending->plan_hash;
    run.revision = published.pending->revision;
    run.partitions_total = static_cast<int64_t>(published.pending->partitions.size());
    run.started_at = published.pending->created_at;
    for (const PartitionRecord& record : published.partitions) run.rows += record.Rows();
    return run;
  }
  run.state = "published";
  run.plan_hash = published.plan_hash;
  run.revision = published.revision;
  run.partitions_total = run.partitions_done;
  run.rows = published.rows;
  run.files = published.files;
  run.bytes = published.bytes;
  run.started_at = run.finished_at = published.finished_at;
  return run;
}

Result<std::unique_ptr<Database>> OpenSound(Context& ctx, const std::string& path) {
  db::sqlite::OpenOptions options;
  options.mode = db::sqlite::OpenMode::kCreate;
  // Losing the newest lines of a cache costs nothing, waiting for the disk at each of them does.
  options.journal = db::sqlite::Journal::kWal;
  ARROW_ASSIGN_OR_RAISE(auto database, Database::Open(ctx, path, options, FaultOfLedger));
  ARROW_RETURN_NOT_OK(database->CheckIntegrity(ctx, false));
  ARROW_ASSIGN_OR_RAISE(Statement version, database->Prepare(ctx, "pragma user_version"));
  ARROW_RETURN_NOT_OK(version.Step(ctx).status());
  const int64_t found = version.Int64(0);
  version.Reset();
  if (found == 0) {
    ARROW_RETURN_NOT_OK(Apply(ctx, *database, [&] { return database->Execute(ctx, kLayout); }));
  } else if (found != kLayoutVersion) {
    return Fault(FaultCode::kLedgerUnusable,
                 fmt::format("the ledger \"{}\": expected layout version {}, got {}", path,
                             kLayoutVersion, found))
        .With("damaged", "true");
  }
  return database;
}

bool IsDamage(const Status& status) {
  return CodeOf(status) == FaultCode::kLedgerUnusable && !FaultOf(status).Detail("damaged").empty();
}

}  // namespace

Ledger::Ledger(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Ledger::~Ledger() = default;

Result<std::unique_ptr<Ledger>> Ledger::Open(Context& ctx, os::Disk& disk,
                                             const std::string& state_directory) {
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(state_directory));
  const std::string path = os::JoinPath(state_directory, "ledger.db");
  Result<std::unique_ptr<Database>> opened = OpenSound(ctx, path);
  if (!opened.ok() && IsDamage(opened.status())) {
    ARROW_ASSIGN_OR_RAISE(auto there, disk.Stat(path));
    if (there) {
      const std::string aside = fmt::format("{}.damaged-{}", path, ctx.clock->Now());
      ctx.log->Warning("the ledger is damaged and was put aside; the target has the truth",
                       {{"moved_to", aside}, {"error", opened.status().message()}});
      ARROW_RETURN_NOT_OK(disk.Rename(path, aside));
      // The write-ahead log belongs to the damaged file.
      ARROW_RETURN_NOT_OK(disk.Remove(path + "-wal"));
      ARROW_RETURN_NOT_OK(disk.Remove(path + "-shm"));
      opened = OpenSound(ctx, path);
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto database, std::move(opened));
  return std::unique_ptr<Ledger>(new Ledger(std::move(database)));
}

Status Ledger::Write(const Context& parent, const std::function<Status(Context&)>& writes) {
  std::lock_guard lock(mutex_);
  Context ctx = parent;
  ctx.stop = {};  // how a run was stopped is worth recording
  ctx = ctx.Within(behind_ ? kPatienceOnceBehind : kPatience);
  Status written = Apply(ctx, *database_, [&] { return writes(ctx); });
  const bool was_behind = std::exchange(behind_, !written.ok());
  return was_behind ? Status::OK() : written;
}

Status Ledger::PutRun(const Context& parent, const LedgerRun& run) {
  return Write(parent, [&](Context& ctx) { return InsertRun(ctx, *database_, run); });
}

Status Ledger::PutAttempt(const Context& parent, const LedgerAttempt& attempt) {
  return Write(parent, [&](Context& ctx) -> Status {
    ARROW_ASSIGN_OR_RAISE(
        Statement insert,
        database_->Prepare(ctx, "insert or replace into attempts values (?,?,?,?,?,?,?,?,?)"));
    insert.Bind(1, attempt.pipeline).Bind(2, attempt.label).Bind(3, attempt.partition);
    insert.Bind(4, attempt.attempt_id).Bind(5, attempt.state).Bind(6, attempt.rows);
    insert.Bind(7, attempt.started_at).Bind(8, attempt.finished_at).Bind(9, attempt.error);
    return insert.Run(ctx);
  });
}

Status Ledger::PutBeginning(const Context& parent, const std::string& pipeline,
                            const Status& status) {
  if (!status.ok()) {
    LedgerRun run;
    run.pipeline = pipeline;
    run.state = "failed";
    run.started_at = run.finished_at = FormatTimestamp(parent.clock->Now());
    const Fault fault = FaultOf(status);
    run.error = fmt::format("{}: {}", CodeName(fault.code()), fault.message());
    return PutRun(parent, run);
  }
  return Write(parent, [&](Context& ctx) -> Status {
    ARROW_ASSIGN_OR_RAISE(
        Statement remove,
        database_->Prepare(ctx, "delete from runs where pipeline = ?1 and label = ''"));
    remove.Bind(1, pipeline);
    return remove.Run(ctx);
  });
}

Result<std::vector<LedgerRun>> Ledger::Runs(const std::string& pipeline) {
  std::lock_guard lock(mutex_);
  const Context ctx;
  ARROW_ASSIGN_OR_RAISE(
      Statement select,
      database_->Prepare(ctx,
                         "select pipeline, label, state, plan_hash, revision, partitions_total, "
                         "partitions_done, rows, files, bytes, started_at, finished_at, error from "
                         "runs where ?1 = '' or pipeline = ?1 order by pipeline, label"));
  select.Bind(1, pipeline);
  std::vector<LedgerRun> runs;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(bool row, select.Step(ctx));
    if (!row) return runs;
    LedgerRun run;
    run.pipeline = select.Text(0);
    run.label = select.Text(1);
    run.state = select.Text(2);
    run.plan_hash = select.Text(3);
    run.revision = static_cast<int>(select.Int64(4));
    run.partitions_total = select.Int64(5);
    run.partitions_done = select.Int64(6);
    run.rows = select.Int64(7);
    run.files = select.Int64(8);
    run.bytes = select.Int64(9);
    run.started_at = select.Text(10);
    run.finished_at = select.Text(11);
    run.error = select.Text(12);
    runs.push_back(std::move(run));
  }
}

Result<std::vector<LedgerAttempt>> Ledger::Attempts(const std::string& pipeline,
                                                    const std::string& label) {
  std::lock_guard lock(mutex_);
  const Context ctx;
  ARROW_ASSIGN_OR_RAISE(Statement select,
                        database_->Prepare(ctx,
                                           "select partition, attempt_id, state, rows, started_at, "
                                           "finished_at, error from attempts where pipeline = ?1 "
                                           "and label = ?2 order by started_at, partition"));
  select.Bind(1, pipeline).Bind(2, label);
  std::vector<LedgerAttempt> attempts;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(bool row, select.Step(ctx));
    if (!row) return attempts;
    attempts.push_back({pipeline, label, select.Text(0), select.Text(1), select.Text(2),
                        select.Int64(3), select.Text(4), select.Text(5), select.Text(6)});
  }
}

Status Ledger::Rebuild(Context& ctx, const std::string& pipeline,
                       const std::vector<PublishedRun>& runs) {
  std::lock_guard lock(mutex_);
  return Apply(ctx, *database_, [&]() -> Status {
    for (const char* sql :
         {"delete from runs where pipeline = ?1", "delete from attempts where pipeline = ?1"}) {
      ARROW_ASSIGN_OR_RAISE(Statement remove, database_->Prepare(ctx, sql));
      remove.Bind(1, pipeline);
      ARROW_RETURN_NOT_OK(remove.Run(ctx));
    }
    for (const PublishedRun& run : runs) {
      ARROW_RETURN_NOT_OK(InsertRun(ctx, *database_, FromTarget(run)));
      for (const PartitionRecord& record : run.partitions) {
        ARROW_ASSIGN_OR_RAISE(
            Statement insert,
            database_->Prepare(ctx, "insert or replace into attempts values (?,?,?,?,?,?,?,?,?)"));
        insert.Bind(1, pipeline).Bind(2, run.label).Bind(3, record.partition);
        insert.Bind(4, record.attempt_id).Bind(5, "published").Bind(6, record.Rows());
        insert.Bind(7, "").Bind(8, "").Bind(9, "");
        ARROW_RETURN_NOT_OK(insert.Run(ctx));
      }
    }
    return Status::OK();
  });
}

}  // namespace levada::elt
