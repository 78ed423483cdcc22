#pragma once
// The interfaces of the three kinds of stage. A stage object is immutable options: const,
// thread-safe, no connection, no thread, no retry of its own. Whatever holds a resource is a
// separate object with one owner (PartitionReader, BatchStream, TargetRun), destroyed to release
// it.
//
//   Consumer --Describe--> Source --Split--> Partitions --Open--> PartitionReader --Read-->
//   BatchStream Transformer --Bind--> BoundTransformer --Map or Pass--> batches Loader --Bind-->
//   BoundTarget --Begin--> TargetRun (the fence) --Load, Publish, Finish--> a published run

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "elt/row_count.h"
#include "elt/run.h"
#include "elt/stream.h"

namespace levada::elt {

using SchemaPtr = std::shared_ptr<arrow::Schema>;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

// ----------------------------------------------------------------------------------------------------------
// consumer

/// What the source's own statistics say of a column. All estimates.
struct ColumnHint {
  double distinct = -1;       ///< distinct values in the table; -1: unknown
  double average_bytes = -1;  ///< of one non-NULL value as the source stores it; -1: unknown
  double null_fraction = -1;  ///< 0..1; -1: unknown
};

/// The source as the pipeline will read it.
struct Source {
  SchemaPtr schema;
  std::vector<std::string> source_types;  ///< per column, the source's own name: "numeric(15,2)"
  std::vector<ColumnHint> hints;          ///< per column
  std::string
      description;  ///< "PostgreSQL 15.20, database \"shop\", table public.orders"; no secrets
  int64_t estimated_rows = -1;
  int64_t estimated_bytes = -1;        ///< as the source stores it
  int64_t memory_bytes_per_slice = 0;  ///< what one open stream needs besides its batches
  bool repeatable = false;         ///< reads the same rows again while unchanged (snapshots, files)
  std::vector<std::string> notes;  ///< for `plan`: "holds back vacuum while it runs"
};

/// Where batches are cut, at the latest. No identity depends on it.
struct BatchLimits {
  int64_t rows = 16 * 1024;
  int64_t bytes = 4 << 20;
};

struct SplitLimits {
  int64_t partition_bytes = int64_t{8} << 30;
  int processors = 1;  ///< for `connections: auto`; recorded as slices, never recomputed. 1 where
                       ///< a partition must be one slice
};

/// One attempt at one partition: owns the snapshot its slices share.
class PartitionReader {
 public:
  virtual ~PartitionReader() = default;
  /// Opens slice `slice` on a connection of its own. Thread-safe; once per slice.
  virtual Result<std::unique_ptr<BatchStream>> Read(Context& ctx, int slice) = 0;
};

/// Of a column that only grows, for a run by increments.
struct MarkRequest {
  std::string column;
  std::optional<std::string> low;    ///< the mark before; none: there was no run yet
  std::optional<std::string> after;  ///< then this, as it stands in the file, if it does
  std::string lag;                   ///< how far behind the newest value the mark stays; empty: as
                                     ///< the consumer thinks best
  std::string timezone;              ///< in which values without one are
  bool settled = true;  ///< waits for writers that may still add rows below it; false: only shown
};
struct Mark {
  std::optional<std::string> low;   ///< the request's, as this consumer writes marks
  std::optional<std::string> high;  ///< none: there are no rows behind `low`
  std::string position;            ///< how far the source's log was when all rows up to `high` were
                                   ///< there, in the consumer's own text; empty: unknown
  std::vector<std::string> notes;  ///< for `plan`
};

class Consumer {
 public:
  virtual ~Consumer() = default;
  /// Connects and infers the schema.
  virtual Result<Source> Describe(Context& ctx) const = 0;
  /// The partitions of `run` and their slices, at least one. Called once per run, the answer is
  /// recorded.
  virtual Result<std::vector<Partition>> Split(Context& ctx, const RunInstance& run,
                                               const Source& source,
                                               const SplitLimits& limits) const = 0;
  /// kSchemaDrift when the live schema is not `source.schema`.
  virtual Result<std::unique_ptr<PartitionReader>> Open(Context& ctx, const RunInstance& run,
                                                        const Partition& partition,
                                                        const Source& source,
                                                        const BatchLimits& limits) const = 0;
  /// The value up to which all rows are there: rows that appear later have a greater one. As a text
  /// for Increment::high. Only of an entry that says so in the catalog.
  virtual Result<Mark> FindMark(Context& ctx, const MarkRequest& request) const;
};

// -------------------------------------------------------------------------------------------------------
// transformer

/// What became of one batch: rows_in = batch->num_rows() + filtered + rejected.
struct Mapped {
  BatchPtr batch;
  int64_t filtered = 0;
  int64_t rejected = 0;
  int64_t values_discarded = 0;  ///< NULL stands for them, `on_error: discard_value`
};

/// The rows of one partition on their way through a transformer that remembers rows. One thread.
/// Over the whole pass the rows that went in are those that came out, were filtered or rejected.
class Pass {
 public:
  virtual ~Pass() = default;
  /// What of the next batch can go on at once; the rest is kept for later.
  virtual Result<Mapped> Take(Context& ctx, const BatchPtr& batch, RejectBuffer& rejects) = 0;
  /// After the last batch: rows that were kept, until the batch is null.
  virtual Result<Mapped> Drain(Context& ctx, RejectBuffer& rejects) = 0;
};

/// A transformer that knows its input's schema. Thread-safe; outlives its passes and streams. It
/// has Map, or pass_bytes and one of MakePass and Through.
class BoundTransformer {
 public:
  virtual ~BoundTransformer() = default;
  virtual const SchemaPtr& schema() const = 0;  ///< of the output
  /// Stateless: the runner may run several at once and restores the order.
  virtual Result<Mapped> Map(Context& ctx, const BatchPtr& batch, RejectBuffer& rejects) const;
  /// What a pass or a stream takes at most, besides the batches that it is given and gives; 0: it
  /// has Map.
  virtual int64_t pass_bytes() const { return 0; }
  /// Over the rows of one partition.
  virtual std::unique_ptr<Pass> MakePass() const { return nullptr; }
  /// In place of passes, where rows come back in their own time: all rows of one partition as a
  /// stream over `upstream`, which is pulled by one thread at a time. Its end is that of `upstream`
  /// with what was left out added; also in ctx.counters.
  virtual std::unique_ptr<BatchStream> Through(const Context& ctx,
                                               std::unique_ptr<BatchStream> upstream) const;
};

class Transformer {
 public:
  virtual ~Transformer() = default;
  /// Every column problem at once, before a byte is read: the Fault carries diagnostics with
  /// places.
  virtual Result<std::unique_ptr<BoundTransformer>> Bind(const SchemaPtr& input,
                                                         const RunInstance& run) const = 0;
  /// As Bind, of a transformer that has to ask somebody what it will make: it may wait. What a plan
  /// binds is bound by this.
  virtual Result<std::unique_ptr<BoundTransformer>> BindAsking(Context&, const SchemaPtr& input,
                                                               const RunInstance& run) const {
    return Bind(input, run);
  }
  /// What it makes of a row depends on others: it works by passes, and a partition is one slice.
  virtual bool sees_whole_partition() const { return false; }
  /// What the rows of a whole run must fulfil before any of them is visible.
  virtual std::optional<RowCountRule> row_count_rule() const { return std::nullopt; }
};

// ------------------------------------------------------------------------------------------------------------
// loader

/// The loader's answer at plan time, for a given schema.
struct BoundTarget {
  SchemaPtr schema;  ///< as the target will have it
  std::vector<std::string>
      target_types;    ///< per column, the target's own words: "INT64 DECIMAL(15,2)"
  std::string frozen;  ///< JSON: every decision that shapes bytes (row groups, dictionaries,
                       ///< codec); goes into the SplitRecord
  int64_t memory_bytes_per_slice = 0;  ///< peak of one open Load besides the batches it holds
  std::string description;             ///< "Parquet files in ./lake/orders, zstd 1"
  std::string names;  ///< example of a file: "day=2026-01-01/part-2026-01-01-p0000-0-0000.parquet"
  std::vector<std::string> notes;
};

/// What the target says of one RunInstance. The truth; the ledger is a cache of it.
struct PublishedRun {
  std::string pipeline;
  std::string label;
  std::optional<Window> window;
  std::optional<Increment> increment;
  bool finished = false;  ///< a manifest (or commit row) exists
  std::string plan_hash;  ///< of the finished run; empty before
  std::string schema;     ///< of the finished run: fingerprint of what its source had
  int revision = 0;       ///< of the finished run
  int64_t rows = 0;       ///< of the finished run
  int64_t bytes = 0;
  int64_t files = 0;
  std::string begun_at;                ///< of the finished run; RFC 3339, before its first read
  std::string finished_at;             ///< RFC 3339
  int64_t generation = 0;              ///< of the fence, as last written
  std::optional<SplitRecord> pending;  ///< a run that was begun and not finished
  /// False: another build began it, one that shapes files otherwise. It can only be begun anew.
  bool resumable = true;
  std::vector<PartitionRecord>
      partitions;  ///< of the pending run if there is one, else of the finished one
  /// Not OK: its records cannot be understood, and something of it may be visible. `window` and
  /// `increment` are then those of all that is visible, or absent when nobody can tell.
  Status damage;

  /// Takes over which rows `split` is of: a target that forgets a part of it would show them as
  /// others.
  void ShowRowsOf(const SplitRecord& split) {
    window = split.window;
    increment = split.increment;
  }
  /// As RunInstance::Position().
  int64_t Position() const { return window ? window->start : increment ? increment->number : 0; }
  /// The split with which a run of this plan goes on; nullptr when it begins one.
  const SplitRecord* SplitToGoOnWith(const std::string& of_plan) const {
    return pending && resumable && pending->plan_hash == of_plan ? &*pending : nullptr;
  }
};

/// One process's hold on one run in one target, from Begin until destruction: it owns the fence.
/// Load, ReadBack, Publish and Discard are thread-safe; RecordSplit and Finish are called alone.
/// Every method refuses (kFenced) once a newer generation holds the run.
class TargetRun {  // tidy: allow nine methods: they are the steps of one protocol
 public:
  virtual ~TargetRun() = default;
  virtual int64_t generation() const = 0;
  /// The target's state after recovery: intents of a crashed process have been completed or undone.
  virtual const PublishedRun& state() const = 0;

  /// Makes `split` durable before any data. Sets its revision. With a pending split of the same
  /// plan hash and schema the recorded one is returned and the run goes on with it; a pending split
  /// of another plan needs run.replace.
  virtual Result<SplitRecord> RecordSplit(Context& ctx, const SplitRecord& split) = 0;

  /// Pulls `stream` to its end and calls its Finish. Stages everything under names that hold
  /// attempt_id; nothing is visible. On error nothing of value is left.
  virtual Result<Receipt> Load(Context& ctx, const Attempt& attempt, BatchStream& stream) = 0;

  /// Reads the staged rows of one receipt again, in the order written, with the schema Load was
  /// given.
  virtual Result<std::unique_ptr<BatchStream>> ReadBack(Context& ctx, const Attempt& attempt,
                                                        const Receipt& receipt) = 0;

  /// Commits one partition to the run: durable, and visible unless the run replaces a published
  /// one. Idempotent.
  virtual Status Publish(Context& ctx, const Attempt& attempt,
                         std::span<const Receipt> receipts) = 0;

  /// After the last partition: makes a replacing run visible in one short step, removes what it
  /// replaces, writes the manifest and _SUCCESS. Idempotent.
  virtual Status Finish(Context& ctx) = 0;

  /// Removes what an attempt staged. OK when there is nothing.
  virtual Status Discard(Context& ctx, const Attempt& attempt) = 0;

  /// In place of Finish: gives up the recorded split with all that was published for it, so that
  /// the next run begins anew. Called alone; what the split was to replace stays.
  virtual Status Abandon(Context& ctx) = 0;
};

class Loader {
 public:
  virtual ~Loader() = default;
  /// Types, names, decisions. `hints` are per column of `schema`. Does not write; may read the
  /// target.
  virtual Result<BoundTarget> Bind(Context& ctx, const SchemaPtr& schema,
                                   const std::vector<ColumnHint>& hints,
                                   const RunInstance& run) const = 0;
  /// What is there, without taking the fence: for `plan`, `status` and skipping published runs.
  /// Damaged records are an error, unless run.replace: that run does not need them.
  virtual Result<PublishedRun> Inspect(Context& ctx, const RunInstance& run) const = 0;
  /// Every run of this pipeline the target knows, but for the labels `known`, which the caller has
  /// inspected: `status --rebuild`, and looking for rows that are there under another label. One
  /// run's damaged records are in its `damage` and no error.
  virtual Result<std::vector<PublishedRun>> Inventory(Context& ctx, const std::string& pipeline,
                                                      const std::set<std::string>& known) const = 0;
  /// Takes the fence (kLeaseHeld when another process has it), raises the generation, recovers.
  virtual Result<std::unique_ptr<TargetRun>> Begin(Context& ctx, const RunInstance& run,
                                                   const BoundTarget& bound) const = 0;
};

/// A text that is equal for equal schemas (names, types, nullability, order; no metadata).
std::string SchemaFingerprint(const arrow::Schema& schema);
/// For people, of two fingerprints: "column \"a\": expected int32, got int64; column \"b\" is
/// gone", at most eight columns. Empty when they are equal.
std::string SchemaDifference(std::string_view before, std::string_view now);

}  // namespace levada::elt
