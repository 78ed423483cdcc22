#pragma once
// Stages made of memory, for the tests of the engine: a source of numbered rows that fails on
// request, and a target that remembers everything it was told.

#include <arrow/api.h>
#include <arrow/compute/api.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/counters.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "elt/observer.h"
#include "elt/stages.h"

namespace levada::elt::fake {

/// A Context with everything set; fields may be changed.
struct Surroundings {
  std::unique_ptr<Logger> log = MakeNullLogger();
  Counters counters;
  Failpoints failpoints;
  ManualClock clock{1'767'225'600'000'000};  // 2026-01-01
  std::stop_source stop;
  Context ctx{stop.get_token(), SteadyTime::max(), &clock,
              log.get(),        &counters,         arrow::default_memory_pool(),
              &failpoints};  // tidy: allow a test's own pool
};

inline SchemaPtr Numbers() { return arrow::schema({arrow::field("n", arrow::int64(), false)}); }

/// Rows first .. first + count - 1 of column "n".
inline BatchPtr NumbersFrom(int64_t first, int64_t count) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < count; ++i) (void)builder.Append(first + i);
  return arrow::RecordBatch::Make(Numbers(), count, {builder.Finish().ValueOrDie()});
}

inline std::vector<int64_t> ValuesOf(const arrow::RecordBatch& batch) {
  const auto& column = static_cast<const arrow::Int64Array&>(*batch.column(0));
  std::vector<int64_t> values;
  for (int64_t i = 0; i < column.length(); ++i) values.push_back(column.Value(i));
  return values;
}

/// What a NumberStream does besides giving its rows.
struct Script {
  int64_t rows = 10;
  int64_t batch_rows = 3;
  int64_t claims = -2;           ///< StreamEnd::rows_sent; -2: the truth
  int64_t fails_after = -1;      ///< batches; -1: never
  Status failure{};              ///< what it then fails with
  std::function<void()> each{};  ///< called before each batch
};

class NumberStream final : public BatchStream {
 public:
  NumberStream(int64_t first, Script script, std::atomic<int>* closed = nullptr)
      : first_(first), script_(std::move(script)), closed_(closed) {}
  ~NumberStream() override { (void)Close(); }
  std::shared_ptr<arrow::Schema> schema() const override { return Numbers(); }
  Status ReadNext(BatchPtr* out) override {
    *out = nullptr;
    if (script_.each) script_.each();
    if (script_.fails_after == batches_) return script_.failure;
    if (read_ == script_.rows) return Status::OK();
    const int64_t count = std::min(script_.batch_rows, script_.rows - read_);
    *out = NumbersFrom(first_ + read_, count);
    read_ += count;
    ++batches_;
    return Status::OK();
  }
  Result<StreamEnd> Finish() override {
    StreamEnd end;
    end.rows_sent = script_.claims == -2 ? read_ : script_.claims;
    end.rows_read = end.rows_out = read_;
    end.position = "moment";
    return end;
  }
  Status Close() override {
    if (!open_) return Status::OK();
    open_ = false;
    if (closed_ != nullptr) ++*closed_;
    return Status::OK();
  }

 private:
  int64_t first_;
  Script script_;
  std::atomic<int>* closed_;
  int64_t read_ = 0;
  int64_t batches_ = 0;
  bool open_ = true;
};

/// Partition i, slice j gives rows from 1000 * i + 100 * j. `script` decides how each try goes.
class NumberConsumer final : public Consumer {
 public:
  int partitions = 3;
  int slices = 1;
  SchemaPtr live_schema = Numbers();
  std::function<Script(int partition, int slice, int attempt)> script = [](int, int, int) {
    return Script{};
  };
  mutable std::atomic<int> describes{0}, splits{0}, opens{0}, closed{0};

  std::function<Status(int time)> describe_fails{};
  std::function<Result<Mark>(const MarkRequest&)> mark{};
  mutable std::vector<Increment> split_increments;  ///< what Split was asked for, in order

  Result<Source> Describe(Context&) const override {
    ++describes;
    if (describe_fails) ARROW_RETURN_NOT_OK(describe_fails(describes));
    Source source;
    source.schema = live_schema;
    source.source_types = {"bigint"};
    source.hints.resize(1);
    source.description = "numbers";
    return source;
  }
  Result<Mark> FindMark(Context&, const MarkRequest& request) const override {
    return mark(request);
  }
  Result<std::vector<Partition>> Split(Context&, const RunInstance& run, const Source&,
                                       const SplitLimits&) const override {
    ++splits;
    if (run.increment) split_increments.push_back(*run.increment);
    std::vector<Partition> all;
    for (int i = 0; i < partitions; ++i) {
      Partition partition;
      partition.index = i;
      partition.id = "p000" + std::to_string(i);
      partition.meaning = "part " + std::to_string(i);
      partition.estimated_rows = 10;
      for (int j = 0; j < slices; ++j) partition.slices.push_back({j, "{}"});
      all.push_back(std::move(partition));
    }
    return all;
  }
  Result<std::unique_ptr<PartitionReader>> Open(Context&, const RunInstance&,
                                                const Partition& partition, const Source&,
                                                const BatchLimits&) const override {
    ++opens;
    std::lock_guard lock(mutex_);
    const int attempt = ++attempts_[partition.index];
    return std::make_unique<Reader>(*this, partition.index, attempt);
  }

 private:
  class Reader final : public PartitionReader {
   public:
    Reader(const NumberConsumer& consumer, int partition, int attempt)
        : consumer_(consumer), partition_(partition), attempt_(attempt) {}
    Result<std::unique_ptr<BatchStream>> Read(Context&, int slice) override {
      return std::make_unique<NumberStream>(1000 * partition_ + 100 * slice,
                                            consumer_.script(partition_, slice, attempt_),
                                            &consumer_.closed);
    }

   private:
    const NumberConsumer& consumer_;
    int partition_;
    int attempt_;
  };
  mutable std::mutex mutex_;
  mutable std::map<int, int> attempts_;
};

/// A target in memory that outlives the runs in it.
struct Memory {
  std::mutex mutex;
  std::map<std::string, PublishedRun> runs;  ///< by label
  std::map<std::string, std::map<std::string, std::multiset<int64_t>>>
      visible;                                           ///< label, partition
  std::map<std::string, std::multiset<int64_t>> staged;  ///< attempt/slice
  std::set<std::string> locked;
  std::vector<std::string> events;
  /// Asked before each step ("load p0001", "publish p0001", "finish all"); an error makes the step
  /// fail.
  std::function<Status(const std::string& step)> fails = [](const std::string&) {
    return Status::OK();
  };
  int rejects = 0;             ///< rejected rows that loads were shown
  int64_t written_off_by = 0;  ///< added to the row count of each receipt

  std::multiset<int64_t> All(const std::string& label) {
    std::multiset<int64_t> all;
    for (auto& [id, rows] : visible[label]) all.insert(rows.begin(), rows.end());
    return all;
  }
};

class MemoryRun final : public TargetRun {
 public:
  MemoryRun(Memory& memory, RunInstance run)
      : memory_(memory), run_(std::move(run)), state_(memory.runs[run_.Label()]) {
    generation_ = ++memory_.runs[run_.Label()].generation;
  }
  ~MemoryRun() override {
    std::lock_guard lock(memory_.mutex);
    memory_.locked.erase(run_.Label());
  }
  int64_t generation() const override { return generation_; }
  const PublishedRun& state() const override { return state_; }

  Result<SplitRecord> RecordSplit(Context&, const SplitRecord& split) override {
    std::lock_guard lock(memory_.mutex);
    PublishedRun& stored = memory_.runs[run_.Label()];
    if (stored.pending && stored.resumable && stored.pending->plan_hash == split.plan_hash &&
        stored.pending->schema == split.schema) {
      return *stored.pending;
    }
    stored.resumable = true;
    stored.pending = split;
    stored.ShowRowsOf(split);
    stored.pending->revision = stored.finished ? stored.revision + 1 : 0;
    stored.partitions.clear();
    memory_.visible[run_.Label()].clear();
    state_ = stored;
    return *stored.pending;
  }

  Result<Receipt> Load(Context&, const Attempt& attempt, BatchStream& stream) override {
    ARROW_RETURN_NOT_OK(memory_.fails("load " + attempt.partition->id));
    std::multiset<int64_t> rows;
    while (true) {
      BatchPtr batch;
      ARROW_RETURN_NOT_OK(stream.ReadNext(&batch));
      if (batch == nullptr) break;
      for (int64_t value : ValuesOf(*batch)) rows.insert(value);
    }
    Receipt receipt;
    receipt.slice = attempt.slice;
    ARROW_ASSIGN_OR_RAISE(receipt.end, stream.Finish());
    receipt.rows = static_cast<int64_t>(rows.size()) + memory_.written_off_by;
    receipt.files = {{"file", Key(attempt, attempt.slice), receipt.rows, 8 * receipt.rows, ""}};
    std::lock_guard lock(memory_.mutex);
    if (attempt.rejects != nullptr) memory_.rejects += static_cast<int>(attempt.rejects->size());
    memory_.staged[Key(attempt, attempt.slice)] = std::move(rows);
    return receipt;
  }

  Result<std::unique_ptr<BatchStream>> ReadBack(Context&, const Attempt& attempt,
                                                const Receipt& receipt) override {
    std::lock_guard lock(memory_.mutex);
    const auto& rows = memory_.staged[Key(attempt, receipt.slice)];
    return std::make_unique<NumberStream>(
        *rows.begin(), Script{.rows = static_cast<int64_t>(rows.size()), .batch_rows = 4});
  }

  Status Publish(Context&, const Attempt& attempt, std::span<const Receipt> receipts) override {
    ARROW_RETURN_NOT_OK(memory_.fails("publish " + attempt.partition->id));
    std::lock_guard lock(memory_.mutex);
    auto& target = memory_.visible[run_.Label()][attempt.partition->id];
    target.clear();
    for (const Receipt& receipt : receipts) {
      const auto& rows = memory_.staged[Key(attempt, receipt.slice)];
      target.insert(rows.begin(), rows.end());
    }
    PartitionRecord record{attempt.partition->id,
                           attempt.attempt_id,
                           generation_,
                           0,
                           {receipts.begin(), receipts.end()}};
    memory_.runs[run_.Label()].partitions.push_back(std::move(record));
    memory_.events.push_back("publish " + attempt.partition->id);
    return Status::OK();
  }

  Status Finish(Context&) override {
    ARROW_RETURN_NOT_OK(memory_.fails("finish " + run_.Label()));
    std::lock_guard lock(memory_.mutex);
    PublishedRun& stored = memory_.runs[run_.Label()];
    stored.finished = true;
    stored.label = stored.pending->label;
    stored.begun_at = stored.pending->created_at;
    stored.plan_hash = stored.pending->plan_hash;
    stored.schema = stored.pending->schema;
    stored.revision = stored.pending->revision;
    stored.pending.reset();
    memory_.events.push_back("finish " + run_.Label());
    return Status::OK();
  }

  Status Abandon(Context&) override {
    std::lock_guard lock(memory_.mutex);
    memory_.runs[run_.Label()].pending.reset();
    memory_.runs[run_.Label()].partitions.clear();
    memory_.visible[run_.Label()].clear();
    memory_.events.push_back("abandon " + run_.Label());
    return Status::OK();
  }

  Status Discard(Context&, const Attempt& attempt) override {
    std::lock_guard lock(memory_.mutex);
    std::erase_if(memory_.staged,
                  [&](const auto& entry) { return entry.first.starts_with(attempt.attempt_id); });
    memory_.events.push_back("discard " + attempt.partition->id);
    return Status::OK();
  }

 private:
  static std::string Key(const Attempt& attempt, int slice) {
    return attempt.attempt_id + "/" + std::to_string(slice);
  }
  Memory& memory_;
  RunInstance run_;
  PublishedRun state_;
  int64_t generation_ = 0;
};

class MemoryLoader final : public Loader {
 public:
  explicit MemoryLoader(Memory& memory) : memory_(memory) {}
  Result<BoundTarget> Bind(Context&, const SchemaPtr& schema, const std::vector<ColumnHint>&,
                           const RunInstance&) const override {
    BoundTarget bound;
    bound.schema = schema;
    bound.target_types = {"INT64"};
    bound.description = "memory";
    return bound;
  }
  Result<PublishedRun> Inspect(Context&, const RunInstance& run) const override {
    std::lock_guard lock(memory_.mutex);
    PublishedRun state = memory_.runs[run.Label()];
    state.label = run.Label();
    return state;
  }
  Result<std::vector<PublishedRun>> Inventory(Context&, const std::string&,
                                              const std::set<std::string>& known) const override {
    std::lock_guard lock(memory_.mutex);
    std::vector<PublishedRun> all;
    for (const auto& [label, run] : memory_.runs) {
      if (known.contains(label)) continue;
      memory_.events.push_back("inventory " + label);
      all.push_back(run);
      all.back().label = label;
    }
    return all;
  }
  Result<std::unique_ptr<TargetRun>> Begin(Context&, const RunInstance& run,
                                           const BoundTarget&) const override {
    std::lock_guard lock(memory_.mutex);
    if (!memory_.locked.insert(run.Label()).second) {
      return Fault(FaultCode::kLeaseHeld, "somebody else runs it");
    }
    return std::make_unique<MemoryRun>(memory_, run);
  }

 private:
  Memory& memory_;
};

class NullObserver final : public RunObserver {
 public:
  void InvocationBegins(const std::string&, int, int) override {}
  void RunBegins(const RunView&) override {}
  void AttemptBegins(const std::string&, const std::string&, int, const Counters*) override {}
  void AttemptEnds(const std::string&, const std::string&, const Counters*, const Status&,
                   int64_t) override {}
  void RunEnds(const std::string&, RunOutcome, const Status&) override {}
};

/// Keeps even numbers; drops multiples of 10 as rejected.
class KeepEven final : public BoundTransformer {
 public:
  const SchemaPtr& schema() const override { return schema_; }
  Result<Mapped> Map(Context&, const BatchPtr& batch, RejectBuffer& rejects) const override {
    arrow::Int64Builder builder;
    Mapped mapped;
    for (int64_t value : ValuesOf(*batch)) {
      if (value % 10 == 0) {
        ++mapped.rejected;
        ARROW_RETURN_NOT_OK(
            rejects.Add({"even", "n", "is a multiple of ten", std::to_string(value)}));
      } else if (value % 2 == 0) {
        ARROW_RETURN_NOT_OK(builder.Append(value));
      } else {
        ++mapped.filtered;
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto column, builder.Finish());
    mapped.batch = arrow::RecordBatch::Make(schema_, column->length(), {column});
    return mapped;
  }

 private:
  SchemaPtr schema_ = Numbers();
};

}  // namespace levada::elt::fake
