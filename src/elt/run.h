#pragma once
// What a run is made of: RunInstance > Partition > Slice > Attempt, and what comes back: Receipt.
//
// All of it is fixed once by Split, recorded in the target, and never recomputed for that run: a
// retry tomorrow, on another host, reads and cuts the same. A batch has no identity, so it is not
// here.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fault.h"

namespace levada::elt {

/// A half-open range of time, [start, end).
struct Window {
  WallMicros start = 0;
  WallMicros end = 0;
  std::string label;     ///< in the window's time zone: "2026-01", "2026-01-31", "2026-01-31T05" (+
                         ///< offset where an hour repeats)
  std::string timezone;  ///< IANA name, "UTC" by default
  bool operator==(const Window&) const = default;
};

/// The rows that a table has grown by since the run before: those whose `column` is in (low, high].
/// The marks are in the consumer's own text, which another process of it reads the same.
struct Increment {
  int64_t number = 1;  ///< 1 is the first
  std::string column;
  std::optional<std::string> low;   ///< none: no bound below
  std::optional<std::string> high;  ///< none: no bound above, of a run that is only looked at
  std::string position{};  ///< Mark::position: no older state of the source has all of its rows

  /// Whether it is the same rows, wherever each of them looked.
  bool operator==(const Increment& other) const {
    return number == other.number && column == other.column && low == other.low &&
           high == other.high;
  }
  std::string Label() const;  ///< "i000001"
  std::string ToJson() const;
  /// kManifestCorrupt for anything that ToJson does not write.
  static Result<Increment> FromJson(std::string_view json);
};

/// What happens to rows whose window column is NULL.
enum class NullWindow : uint8_t { kError, kThisWindow, kOtherWindow };

/// The business unit of one run of a pipeline.
struct RunInstance {
  std::string pipeline;
  std::optional<Window> window;        ///< none, and no increment: the whole table
  std::optional<Increment> increment;  ///< instead of a window
  std::string window_column;           ///< empty without a window
  NullWindow null_window = NullWindow::kError;
  std::string plan_hash;  ///< 16 hex digits
  bool once = false;      ///< published once, then skipped like a window
  bool replace = false;   ///< --replace: a published run of another plan may be replaced
  /// The label of window or increment, or "all": names the run in files and in the ledger.
  std::string Label() const {
    return window ? window->label : increment ? increment->Label() : "all";
  }
  /// The column that decides which rows are in it; empty for a whole table.
  const std::string& Column() const { return increment ? increment->column : window_column; }
  /// Whatever is published, it is to do again.
  bool IsWrittenEachTime() const { return !window && !increment && !once; }
  /// Runs of one pipeline in the order of their rows; the same for all whole tables.
  int64_t Position() const { return window ? window->start : increment ? increment->number : 0; }
};

/// A physical part of a partition that one connection reads; each writes its own numbered files.
struct Slice {
  int index = 0;
  std::string
      bounds;  ///< JSON of the consumer's own, e.g. {"ctid":[0,1200]}; opaque to everyone else
  bool operator==(const Slice&) const = default;
};

/// What a source expects of one query. For people only, and in no record: tomorrow it would say
/// something else of the same partition.
struct QueryCost {
  double cost = -1;  ///< in the source's own units; -1: unknown
  std::string scan;  ///< "sequential scan", "index scan orders_at_idx"; empty: unknown
  std::string note;  ///< what to do about it, for `plan`; may be empty
  bool operator==(const QueryCost&) const { return true; }  ///< no part of what a partition is
};

/// A deterministic part of a run: a row's partition follows from the row alone.
struct Partition {
  int index = 0;
  std::string id;               ///< "p0000": names files and records
  std::string meaning;          ///< system-neutral: "account_id in [0, 500)"; "all rows"
  std::string bounds;           ///< JSON of the consumer's own; opaque to everyone else
  std::string query;            ///< what the source is asked, for people (plan); may be empty
  int64_t estimated_rows = -1;  ///< -1: unknown
  int64_t estimated_bytes = -1;
  std::vector<Slice> slices;  ///< at least one
  QueryCost cost{};           ///< not recorded
  bool operator==(const Partition&) const = default;
};

/// What Split decided, as recorded in the target before any data.
struct SplitRecord {
  static constexpr int kVersion = 1;
  std::string pipeline;
  std::string label;
  std::optional<Window> window;
  std::optional<Increment> increment;
  std::string plan_hash;
  std::string schema;      ///< fingerprint of the source's schema: SchemaFingerprint()
  std::string snapshot;    ///< what the source says of the moment of Split, for the report
  std::string writer;      ///< JSON: BoundTarget::frozen of this target
  std::string created_at;  ///< RFC 3339
  int revision = 0;        ///< 0 the first time; + 1 for each run that replaces a published one
  bool held = false;       ///< nothing is visible before Finish, as if it replaced something
  std::vector<Partition> partitions;

  std::string ToJson() const;
  /// kManifestCorrupt for anything else, also for a version from the future.
  static Result<SplitRecord> FromJson(std::string_view json);
};

/// A row that a stage put aside (on_error: quarantine).
struct Reject {
  std::string stage;  ///< "cast"
  std::string column;
  std::string reason;
  std::string row_json;
};

/// The rejected rows of one slice on their way to the loader, which takes them between batches and
/// publishes them with the slice. Bounded over the whole slice. Thread-safe.
class RejectBuffer {
 public:
  static constexpr size_t kRowsMax = 100'000;
  static constexpr size_t kBytesMax = 64 << 20;
  /// kRejectsTooMany beyond the bounds.
  Status Add(Reject reject);
  /// Those that were added since the last call, in order.
  std::vector<Reject> Take();
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Reject> rejects_;
  size_t rows_ = 0;  ///< of the slice so far, taken ones too
  size_t bytes_ = 0;
};

/// One try at one slice.
struct Attempt {
  const RunInstance* run = nullptr;
  const Partition* partition = nullptr;
  int slice = 0;
  int64_t generation = 0;  ///< of the fence this attempt works under
  std::string attempt_id;  ///< 16 hex digits; the same for all slices of one try at a partition
  std::shared_ptr<RejectBuffer>
      rejects;  ///< filled while the stream is pulled, to be taken between batches and at its end
};

/// What the end of a stream knows. Every number is about this stream alone.
struct StreamEnd {
  int64_t rows_sent =
      -1;  ///< what the source's own statement says it sent (COPY's tag); -1: it does not say
  int64_t rows_read = 0;  ///< decoded
  int64_t rows_filtered = 0;
  int64_t rows_rejected = 0;
  int64_t values_discarded = 0;  ///< NULL stands for them, also in rows that are left out later
  int64_t rows_out = 0;  ///< rows_read - rows_filtered - rows_rejected, counted, not computed
  std::string position;  ///< the source's position or snapshot, may be empty
};

struct WrittenFile {
  std::string path;    ///< final name, relative to the dataset's root
  std::string staged;  ///< where it is until Publish; meaningful to its loader only
  int64_t rows = 0;
  int64_t bytes = 0;
  std::string sha256;  ///< of the file, lower-case hex
};

/// What Load leaves behind for one slice. Travels to Publish, into the partition's record and into
/// the report.
struct Receipt {
  int slice = 0;
  int64_t rows = 0;  ///< as counted by the loader
  std::vector<WrittenFile> files;
  std::string rows_hash;  ///< 16 hex digits, hash of the loader's input (docs/wire/hash.md); empty
                          ///< when not asked for
  StreamEnd end;
  std::string state;  ///< JSON of the loader's own

  std::string ToJson() const;
  static Result<Receipt> FromJson(std::string_view json);
};

/// A partition that is durable in the target: what `_levada/<window>/<partition>.json` says.
struct PartitionRecord {
  static constexpr int kVersion = 1;
  std::string partition;  ///< id
  std::string attempt_id;
  int64_t generation = 0;
  int revision = 0;
  std::vector<Receipt> receipts;

  int64_t Rows() const;
  std::string ToJson() const;
  static Result<PartitionRecord> FromJson(std::string_view json);
};

}  // namespace levada::elt
