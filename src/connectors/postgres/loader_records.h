#pragma once
// What this loader keeps beside the tables that it loads: `_levada_runs` and `_levada_commits` in
// the target's schema. docs/wire/sql-target.md describes them and the order in which they change.
//
// Every write here belongs into a transaction of the caller's.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/postgres/loader_options.h"
#include "db/postgres/connection.h"
#include "elt/stages.h"

namespace levada::postgres {

/// Names one run: a table, a pipeline and a label.
struct RunKey {
  TableName table;  ///< with its schema
  std::string pipeline;
  std::string label;

  std::string Runs() const;     ///< the quoted name of _levada_runs
  std::string Commits() const;  ///< and of _levada_commits
  /// One text for locks and for the names of stages.
  std::string Identity() const;
};

/// Who may write.
struct Holder {
  int64_t generation = 0;
  std::string id;       ///< 16 hex digits, of this process's hold alone
  std::string process;  ///< "host 4711", for people
  std::string since;    ///< RFC 3339
};

/// A row of _levada_runs and its rows of _levada_commits. Absent ones are empty.
struct RunState {
  Holder holder;
  std::optional<elt::SplitRecord> split;     ///< of a run that was begun and not finished
  std::optional<elt::SplitRecord> finished;  ///< of the last one that was finished
  std::string finished_at;
  std::map<std::string, elt::PartitionRecord> records;  ///< of `split`, else of `finished`
  Status damage;  ///< not OK: a record that cannot be understood
};

/// Whether both tables are there.
Result<bool> HasRecordTables(const Context& ctx, pq::Connection& connection,
                             const TableName& table);
Status CreateRecordTables(const Context& ctx, pq::Connection& connection, const TableName& table);

/// In a transaction of its own, on one snapshot. kManifestCorrupt only for a layout that is newer
/// than ours; other damage is in the state.
Result<RunState> ReadRunState(const Context& ctx, pq::Connection& connection, const RunKey& key);
/// The labels that this pipeline has in this table, in order.
Result<std::vector<std::string>> ReadLabels(const Context& ctx, pq::Connection& connection,
                                            const TableName& table, const std::string& pipeline);
/// Another pipeline that has rows in the table; empty when there is none.
Result<std::string> OtherPipeline(const Context& ctx, pq::Connection& connection,
                                  const RunKey& key);

/// Writes the next generation and who holds it; returns it.
Result<int64_t> RaiseGeneration(const Context& ctx, pq::Connection& connection, const RunKey& key,
                                const Holder& holder);
/// Locks the run's row until the transaction ends: kFenced when it is no longer `holder`'s.
Status CheckHolder(const Context& ctx, pq::Connection& connection, const RunKey& key,
                   const Holder& holder);

Status PutSplit(const Context& ctx, pq::Connection& connection, const RunKey& key,
                const elt::SplitRecord& split);
Status PutCommit(const Context& ctx, pq::Connection& connection, const RunKey& key,
                 const elt::PartitionRecord& record);
/// The attempt that has the partition; nullopt: none.
Result<std::optional<std::string>> CommittedAttempt(const Context& ctx, pq::Connection& connection,
                                                    const RunKey& key, int revision,
                                                    const std::string& partition);
Status DropCommit(const Context& ctx, pq::Connection& connection, const RunKey& key, int revision,
                  const std::string& partition);
/// The split becomes the finished one; receipts of older ones go.
Status PutFinished(const Context& ctx, pq::Connection& connection, const RunKey& key,
                   const elt::SplitRecord& split, int64_t rows, const std::string& finished_at);
/// The split and its receipts go.
Status DropSplit(const Context& ctx, pq::Connection& connection, const RunKey& key, int revision);

/// As the engine wants it.
elt::PublishedRun Compose(const RunState& state, const RunKey& key);

}  // namespace levada::postgres
