#pragma once
// For the tests of this folder: a dataset in a directory of its own, rows that follow from their
// number alone, and a runner that does what elt's does with one loader: skip what is done, load
// slice by slice, publish, discard what failed, finish. For *_test.cc only.

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "connectors/parquet/lake_loader.h"
#include "elt/stages.h"
#include "os/faulty_disk.h"
#include "os/memory_disk.h"
#include "places/local_place.h"

namespace levada::parquet {

inline elt::SchemaPtr RowSchema() {
  return arrow::schema({arrow::field("id", arrow::int64()), arrow::field("country", arrow::utf8()),
                        arrow::field("note", arrow::utf8())});
}

/// Row `n` is the same in every run: three countries and NULL, a text of changing length.
inline elt::BatchPtr RowsFrom(int64_t first, int64_t count, int64_t countries = 3) {
  arrow::Int64Builder ids;
  arrow::StringBuilder country, note;
  for (int64_t n = first; n < first + count; ++n) {
    (void)ids.Append(n);
    if (n % 11 == 0) {
      (void)country.AppendNull();
    } else {
      (void)country.Append("c" + std::to_string((n * 7 + n / 5) % countries));
    }
    (void)note.Append(std::string(static_cast<size_t>(n % 23), static_cast<char>('a' + n % 26)) +
                      std::to_string(n * 2654435761));
  }
  return arrow::RecordBatch::Make(
      RowSchema(), count,
      {ids.Finish().ValueOrDie(), country.Finish().ValueOrDie(), note.Finish().ValueOrDie()});
}

/// Batches from memory, cut as asked.
class MemoryStream final : public elt::BatchStream {
 public:
  MemoryStream(elt::SchemaPtr schema, std::vector<elt::BatchPtr> batches)
      : schema_(std::move(schema)), batches_(std::move(batches)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status ReadNext(elt::BatchPtr* out) override {
    *out = nullptr;
    if (!failure.ok() && next_ == batches_.size()) return failure;
    if (next_ < batches_.size()) *out = batches_[next_++];
    if (*out != nullptr) rows_ += (*out)->num_rows();
    return Status::OK();
  }
  Result<elt::StreamEnd> Finish() override {
    elt::StreamEnd end;
    end.rows_sent = end.rows_read = end.rows_out = rows_;
    end.position = "lsn";
    return end;
  }
  Status Close() override { return Status::OK(); }

  Status failure;  ///< what the stream ends with, instead of its end

 private:
  elt::SchemaPtr schema_;
  std::vector<elt::BatchPtr> batches_;
  size_t next_ = 0;
  int64_t rows_ = 0;
};

inline std::unique_ptr<MemoryStream> RowStream(int64_t first, int64_t count, int64_t batch_rows,
                                               int64_t countries = 3) {
  std::vector<elt::BatchPtr> batches;
  for (int64_t n = 0; n < count; n += batch_rows) {
    batches.push_back(RowsFrom(first + n, std::min(batch_rows, count - n), countries));
  }
  return std::make_unique<MemoryStream>(RowSchema(), std::move(batches));
}

/// What a source and its plan look like to the loader.
struct Pipeline {
  std::string name = "orders";
  std::string plan_hash = "00000000000000aa";
  std::optional<elt::Window> window{};
  bool once = false;
  bool replace = false;
  int partitions = 3;
  int slices = 2;
  int64_t slice_rows = 700;
  int64_t batch_rows = 97;
  int64_t first_row = 0;  ///< another one is another content
  int rejects_in = -1;    ///< partition index whose slice 0 has rejects

  elt::RunInstance Run() const {
    elt::RunInstance run;
    run.pipeline = name;
    run.window = window;
    run.plan_hash = plan_hash;
    run.once = once;
    run.replace = replace;
    return run;
  }

  elt::SplitRecord Split() const {
    elt::SplitRecord split;
    split.pipeline = name;
    split.label = Run().Label();
    split.window = window;
    split.plan_hash = plan_hash;
    split.schema = elt::SchemaFingerprint(*RowSchema());
    split.created_at = "2026-01-01T00:00:00Z";
    for (int i = 0; i < partitions; ++i) {
      elt::Partition partition;
      partition.index = i;
      partition.id = "p000" + std::to_string(i);
      partition.meaning = "part " + std::to_string(i);
      partition.bounds = "{}";
      for (int s = 0; s < slices; ++s) partition.slices.push_back({s, "{}"});
      split.partitions.push_back(std::move(partition));
    }
    return split;
  }

  std::unique_ptr<elt::BatchStream> Read(int partition, int slice) const {
    return RowStream(first_row + 100'000 * partition + 10'000 * slice, slice_rows, batch_rows);
  }
};

inline elt::Window Day(int day) {
  const int64_t start = 1'767'225'600'000'000 + int64_t{86'400'000'000} * (day - 1);
  return {start, start + 86'400'000'000, "2026-01-0" + std::to_string(day), "UTC"};
}

/// A lake on a disk in memory that can fail and lose power, or in a directory of the real one.
class Lake {
 public:
  Lake() : memory_(std::make_unique<os::MemoryDisk>()), plain_(memory_.get()) { Prepare("/lake"); }
  explicit Lake(const std::string& directory)
      : system_(os::MakeSystemDisk()), plain_(system_.get()) {
    Prepare(directory);
  }

  LakeOptions& options() { return options_; }
  Context& ctx() { return ctx_; }
  TestContext& surroundings() { return test_; }
  /// What the loader works on; Arm it to make it fail.
  os::FaultyDisk& faulty() { return *faulty_; }
  os::MemoryDisk& memory() { return *memory_; }
  const std::string& root() const { return options_.path; }

  void Arm(const std::string& failpoints) {
    test_.failpoints = ValueOf(Failpoints::Parse(failpoints));
    ctx_.failpoints = test_.failpoints.get();
  }
  void Disarm() {
    faulty_->Disarm();
    test_.failpoints = std::make_unique<Failpoints>();
    ctx_.failpoints = test_.failpoints.get();
  }

  std::unique_ptr<elt::Loader> Loader() {
    elt::StageInput input;
    input.disk = faulty_.get();
    input.random = random_.get();
    input.clock = &test_.clock;
    input.version = "0.1.0";
    return MakeLakeLoader(options_, places::MakeLocalPlace(*faulty_, options_.path), input);
  }

  Result<elt::PublishedRun> Inspect(const Pipeline& pipeline) {
    return Loader()->Inspect(ctx_, pipeline.Run());
  }

  Result<std::unique_ptr<elt::TargetRun>> Begin(const Pipeline& pipeline) {
    const auto loader = Loader();
    ARROW_ASSIGN_OR_RAISE(const elt::BoundTarget bound,
                          loader->Bind(ctx_, RowSchema(), {}, pipeline.Run()));
    return loader->Begin(ctx_, pipeline.Run(), bound);
  }

  static elt::Attempt AttemptAt(const elt::TargetRun& target, const elt::Partition& partition,
                                int slice, const std::string& attempt_id) {
    elt::Attempt attempt;
    attempt.partition = &partition;
    attempt.slice = slice;
    attempt.generation = target.generation();
    attempt.attempt_id = attempt_id;
    attempt.rejects = std::make_shared<elt::RejectBuffer>();
    return attempt;
  }

  /// One attempt at one partition, discarded when it fails.
  Status RunPartition(elt::TargetRun& target, const Pipeline& pipeline,
                      const elt::Partition& partition) {
    const std::string attempt_id = NewId(*random_);
    std::vector<elt::Receipt> receipts;
    Status status;
    for (const elt::Slice& slice : partition.slices) {
      const auto stream = pipeline.Read(partition.index, slice.index);
      const elt::Attempt attempt = AttemptAt(target, partition, slice.index, attempt_id);
      if (partition.index == pipeline.rejects_in && slice.index == 0) {
        (void)attempt.rejects->Add({"cast", "id", "out of range", R"({"id": 300})"});
      }
      auto receipt = target.Load(ctx_, attempt, *stream);
      status = receipt.status();
      if (!status.ok()) break;
      receipts.push_back(std::move(*receipt));
    }
    const elt::Attempt attempt = AttemptAt(target, partition, 0, attempt_id);
    if (status.ok()) {
      for (int tries = 0; tries < 3; ++tries) {
        status = target.Publish(ctx_, attempt, receipts);
        if (status.ok()) return status;
        if (!IsRetryable(status)) break;
      }
    }
    (void)target.Discard(ctx_, attempt);
    return status;
  }

  /// What `levada run` does with this loader, once; attempts that may be repeated are.
  Status RunOnce(const Pipeline& pipeline, int attempts = 1) {
    ARROW_ASSIGN_OR_RAISE(const elt::PublishedRun seen, Inspect(pipeline));
    const bool skipped = !seen.pending && seen.finished && !pipeline.replace &&
                         (pipeline.once || pipeline.window) && seen.plan_hash == pipeline.plan_hash;
    if (skipped) return Status::OK();
    Pipeline decided = pipeline;
    decided.replace |= seen.pending && !seen.resumable && gives_up_other_builds;
    ARROW_ASSIGN_OR_RAISE(const auto target, Begin(decided));
    return Continue(*target, decided, attempts);
  }

  /// The rest of RunOnce, after Begin.
  Status Continue(elt::TargetRun& target, const Pipeline& pipeline, int attempts = 1) {
    const auto pending = target.state().pending;
    const bool resumes =
        pending && target.state().resumable && pending->plan_hash == pipeline.plan_hash;
    ARROW_ASSIGN_OR_RAISE(const elt::SplitRecord split,
                          target.RecordSplit(ctx_, resumes ? *pending : pipeline.Split()));
    std::set<std::string> done;
    if (target.state().pending) {
      for (const auto& record : target.state().partitions) done.insert(record.partition);
    }
    for (const elt::Partition& partition : split.partitions) {
      if (done.contains(partition.id)) continue;
      Status status;
      for (int tries = 0; tries < attempts; ++tries) {
        status = RunPartition(target, pipeline, partition);
        if (status.ok() || !IsRetryable(status)) break;
      }
      ARROW_RETURN_NOT_OK(status);
      ++partitions_run;
    }
    return target.Finish(ctx_);
  }

  /// Every visible file below the root (no part of its path begins with "_" or "."), and content.
  std::map<std::string, std::string> DataFiles() const { return Files("", false); }
  /// Every file below the root, hidden ones too.
  std::map<std::string, std::string> AllFiles() const { return Files("", true); }

  /// Staged files that somebody forgot.
  std::vector<std::string> Leftovers() const {
    std::vector<std::string> found;
    for (const auto& [path, content] : AllFiles()) {
      if (path.find(".levada-") != std::string::npos) found.push_back(path);
    }
    return found;
  }

  bool Exists(const std::string& path) const { return ValueOf(plain_->Stat(At(path))).has_value(); }
  std::string Content(const std::string& path) const {
    return ValueOf(os::ReadFile(*plain_, At(path), 1 << 30)).value_or("<absent>");
  }
  void Write(const std::string& path, const std::string& content) {
    EXPECT_THAT(plain_->CreateDirectories(os::ParentPath(At(path))), IsOk());
    EXPECT_THAT(os::WriteFileDurably(*plain_, At(path), content), IsOk());
  }
  void Remove(const std::string& path) { EXPECT_THAT(plain_->Remove(At(path)), IsOk()); }

  int partitions_run = 0;
  bool gives_up_other_builds = true;  ///< as the engine does where nobody has to be asked

 private:
  void Prepare(const std::string& root) {
    faulty_ = std::make_unique<os::FaultyDisk>(*plain_);
    options_.path = root;
    // Small enough that every limit is met with a few hundred rows.
    options_.row_group_rows = 200;
    options_.file_bytes = 6'000;
    options_.page_bytes = 2'000;
    ctx_ = test_.context();
  }

  std::string At(const std::string& path) const {
    return path.empty() ? root() : root() + "/" + path;
  }

  std::map<std::string, std::string> Files(const std::string& below, bool hidden) const {
    std::map<std::string, std::string> files;
    if (!Exists(below)) return files;
    const auto entries = ValueOf(plain_->List(At(below)));
    for (const os::DirectoryEntry& entry : entries) {
      if (!hidden && (entry.name[0] == '_' || entry.name[0] == '.')) continue;
      const std::string path = below.empty() ? entry.name : below + "/" + entry.name;
      if (entry.is_directory) {
        files.merge(Files(path, hidden));
      } else {
        files[path] = Content(path);
      }
    }
    return files;
  }

  std::unique_ptr<os::MemoryDisk> memory_;
  std::unique_ptr<os::Disk> system_;
  os::Disk* plain_;
  std::unique_ptr<os::FaultyDisk> faulty_;
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  TestContext test_;
  LakeOptions options_;
  Context ctx_;
};

inline std::vector<std::string> NamesOf(const std::map<std::string, std::string>& files) {
  std::vector<std::string> names;
  for (const auto& [name, content] : files) names.push_back(name);
  return names;
}

/// Without the names, which differ between a first and a replacing run.
inline std::vector<std::string> ContentsOf(const std::map<std::string, std::string>& files) {
  std::vector<std::string> contents;
  for (const auto& [name, content] : files) contents.push_back(content);
  std::ranges::sort(contents);
  return contents;
}

}  // namespace levada::parquet
