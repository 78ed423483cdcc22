#pragma once
// The ledger: runs, partitions and attempts as this machine saw them, in SQLite. A cache: the
// target is the truth, and `levada status --rebuild` derives the ledger from it again. A ledger
// that cannot be read is put aside and begun anew.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "elt/stages.h"
#include "os/disk.h"

namespace levada::db::sqlite {
class Database;
}

namespace levada::elt {

struct LedgerRun {
  std::string pipeline;
  std::string label;  ///< empty: the pipeline failed before any run of it began
  std::string state;  ///< running | published | interrupted | failed
  std::string plan_hash;
  int revision = 0;
  int64_t partitions_total = 0;
  int64_t partitions_done = 0;
  int64_t rows = 0;
  int64_t files = 0;
  int64_t bytes = 0;
  std::string started_at;
  std::string finished_at;  ///< empty while it runs
  std::string error;        ///< "LV2001: ..." of the last try
  bool operator==(const LedgerRun&) const = default;
};

struct LedgerAttempt {
  std::string pipeline;
  std::string label;
  std::string partition;
  std::string attempt_id;
  std::string state;  ///< running | published | failed
  int64_t rows = 0;
  std::string started_at;
  std::string finished_at;
  std::string error;
};

/// Thread-safe. Every method that writes is one transaction, which a loss of power may undo: the
/// target has the truth.
class Ledger {
 public:
  /// `<state_directory>/ledger.db`, made when absent. A file that is not a sound ledger is renamed
  /// to ledger.db.damaged-<time> with a warning in the log. A place that this user cannot write
  /// (SQLite writes beside a ledger to read it, too) is kTargetUnwritable or another fault of the
  /// disk, all else kLedgerUnusable.
  static Result<std::unique_ptr<Ledger>> Open(Context& ctx, os::Disk& disk,
                                              const std::string& state_directory);
  ~Ledger();

  Status PutRun(const Context& ctx, const LedgerRun& run);
  Status PutAttempt(const Context& ctx, const LedgerAttempt& attempt);
  /// The run without a label: `status` is why nothing began, or OK and it is forgotten.
  Status PutBeginning(const Context& ctx, const std::string& pipeline, const Status& status);
  /// Runs of one pipeline (all when empty), by pipeline and label.
  Result<std::vector<LedgerRun>> Runs(const std::string& pipeline);
  Result<std::vector<LedgerAttempt>> Attempts(const std::string& pipeline,
                                              const std::string& label);
  /// Replaces everything known of `pipeline` by what its target says.
  Status Rebuild(Context& ctx, const std::string& pipeline, const std::vector<PublishedRun>& runs);

 private:
  explicit Ledger(std::unique_ptr<db::sqlite::Database> database);
  /// Whatever the stop of `ctx` says, for a fraction of a second. A failure is told once, until a
  /// write has succeeded again.
  Status Write(const Context& ctx, const std::function<Status(Context&)>& writes);

  std::mutex mutex_;
  bool behind_ = false;
  std::unique_ptr<db::sqlite::Database> database_;
};

}  // namespace levada::elt
