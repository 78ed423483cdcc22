#include "elt/partition_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/counters.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "elt/prefetch.h"
#include "elt/retry.h"
#include "elt/stop_scope.h"
#include "elt/tee.h"
#include "elt/transform_stream.h"

namespace levada::elt {
namespace {

// Waits for a place that is busy are bounded by the retry's own backoff, so a failed publish is
// repeated in place.
constexpr int kPublishAttempts = 3;

// One try at one partition, all slices, all targets that lack it.
class PartitionAttempt {
 public:
  PartitionAttempt(const Context& ctx, const PartitionWork& work, const Partition& partition,
                   std::vector<TargetRun*> targets)
      : work_(work),
        partition_(partition),
        targets_(std::move(targets)),
        scope_(ctx.stop),
        ctx_(scope_.Enter(ctx)),
        attempt_id_(NewId(*work.random)),
        receipts_(targets_.size()) {}

  // Stages and verifies everything; nothing is visible yet.
  Status Load() {
    ARROW_ASSIGN_OR_RAISE(auto reader, work_.consumer->Open(ctx_, *work_.run, partition_,
                                                            *work_.source, work_.batches));
    LEVADA_FAILPOINT(ctx_, "read.opened");
    const size_t count = partition_.slices.size();
    std::vector<Status> failures(count);
    std::atomic<size_t> next{0};
    const auto work = [&] {
      for (size_t slice = next++; slice < count; slice = next++) {
        failures[slice] = GuardedSlice(*reader, slice);
        if (!failures[slice].ok()) return;
      }
    };
    {
      std::vector<std::jthread> threads;
      const size_t side_by_side = static_cast<size_t>(std::max(1, work_.slices_parallel));
      for (size_t i = 1; i < std::min(count, side_by_side); ++i) threads.emplace_back(work);
      work();
    }
    std::erase_if(failures, [](const Status& status) { return status.ok(); });
    if (!failures.empty()) return failures[MostImportant(failures)];
    for (auto& of_target : receipts_) {
      std::ranges::sort(of_target, {}, &Receipt::slice);
    }
    return Status::OK();
  }

  Status Publish() {
    RetrySpec retry = work_.plan->retry;
    retry.attempts = kPublishAttempts;
    for (size_t i = 0; i < targets_.size(); ++i) {
      Status published;
      for (int tries = 1;; ++tries) {
        published = targets_[i]->Publish(ctx_, AttemptFor(*targets_[i], 0, nullptr), receipts_[i]);
        const auto pause = PauseBeforeAnother(ctx_, retry, tries, *work_.random, published);
        if (!pause || !WaitOut(ctx_, *pause)) break;
      }
      ARROW_RETURN_NOT_OK(published);
      ++published_;
    }
    return Status::OK();
  }

  // Best effort: what cannot be removed now is removed by the next Begin.
  void Discard(const Context& parent) {
    // A stopped context must not keep us from cleaning up, a dead target must not keep us for long.
    Context ctx = parent;
    ctx.stop = {};
    ctx = ctx.Within(std::chrono::milliseconds(500));  // of the second that a stop may take
    for (TargetRun* target : targets_) {
      Status discarded = target->Discard(ctx, AttemptFor(*target, 0, nullptr));
      if (!discarded.ok()) {
        ctx.log->Debug("staged files of a failed attempt were left for the next start",
                       {{"attempt", attempt_id_}, {"error", discarded.ToString()}});
      }
    }
  }

  // How many of the targets have the partition now, in their order.
  size_t published() const { return published_; }
  const std::string& id() const { return attempt_id_; }

  void FillReport(PartitionReport& report) const {
    report.receipts = receipts_;
    if (receipts_.empty()) return;
    report.rows = report.rows_filtered = report.rows_rejected = report.values_discarded = 0;
    for (const Receipt& receipt : receipts_.front()) {
      report.rows += receipt.rows;
      report.rows_filtered += receipt.end.rows_filtered;
      report.rows_rejected += receipt.end.rows_rejected;
      report.values_discarded += receipt.end.values_discarded;
      report.snapshot = receipt.end.position;
    }
    report.bytes_written = 0;
    for (const auto& of_target : receipts_) {
      for (const Receipt& receipt : of_target) {
        for (const WrittenFile& file : receipt.files) report.bytes_written += file.bytes;
      }
    }
  }

 private:
  Attempt AttemptFor(const TargetRun& target, int slice,
                     std::shared_ptr<RejectBuffer> rejects) const {
    Attempt attempt;
    attempt.run = work_.run;
    attempt.partition = &partition_;
    attempt.slice = slice;
    attempt.generation = target.generation();
    attempt.attempt_id = attempt_id_;
    attempt.rejects = std::move(rejects);
    return attempt;
  }

  // The guard of a thread: no exception leaves it, and a failure stops the sibling slices.
  Status GuardedSlice(PartitionReader& reader, size_t slice) {
    Status status;
    try {
      status = RunSlice(reader, static_cast<int>(slice));
    } catch (const std::exception& error) {
      status =
          Fault(FaultCode::kInternal, fmt::format("an exception ended a slice: {}", error.what()));
    }
    if (!status.ok()) scope_.Request();
    return status;
  }

  Status RunSlice(PartitionReader& reader, int slice) {
    auto rejects = std::make_shared<RejectBuffer>();
    ARROW_ASSIGN_OR_RAISE(std::unique_ptr<BatchStream> stream, reader.Read(ctx_, slice));
    stream = Transform(ctx_, std::move(stream), work_.transformers, rejects,
                       work_.plan->transform_workers);
    if (targets_.size() == 1) {
      return LoadInto(0, slice, Prefetch(ctx_, std::move(stream), kBatchesAhead), rejects);
    }
    auto branches = Tee(ctx_, std::move(stream), targets_.size(), kBatchesAhead);
    std::vector<Status> failures(targets_.size());
    {
      std::vector<std::jthread> threads;
      for (size_t i = 0; i < targets_.size(); ++i) {
        threads.emplace_back([&, i] {
          failures[i] = LoadInto(i, slice, std::move(branches[i]), rejects);
          if (!failures[i].ok()) scope_.Request();
        });
      }
    }
    std::erase_if(failures, [](const Status& status) { return status.ok(); });
    return failures.empty() ? Status::OK() : failures[MostImportant(failures)];
  }

  Status LoadInto(size_t index, int slice, std::unique_ptr<BatchStream> stream,
                  std::shared_ptr<RejectBuffer> rejects) {
    TargetRun& target = *targets_[index];
    const bool hash = work_.plan->verify == Verify::kReadback;
    LoaderInput input(std::move(stream), hash);
    // A loader that does not keep them is shown none, not the same ones: it may take them.
    if (&target != work_.keeps_rejects) rejects = std::make_shared<RejectBuffer>();
    const Attempt attempt = AttemptFor(target, slice, std::move(rejects));
    ARROW_ASSIGN_OR_RAISE(Receipt receipt, target.Load(ctx_, attempt, input));
    receipt.slice = slice;
    ARROW_RETURN_NOT_OK(VerifyCounts(receipt.end, receipt.rows));
    if (hash) {
      receipt.rows_hash = input.rows_hash();
      ARROW_RETURN_NOT_OK(VerifyReadback(target, attempt, receipt));
    }
    std::lock_guard lock(mutex_);
    receipts_[index].push_back(std::move(receipt));
    return Status::OK();
  }

  Status VerifyReadback(TargetRun& target, const Attempt& attempt, const Receipt& receipt) {
    ARROW_ASSIGN_OR_RAISE(auto stream, target.ReadBack(ctx_, attempt, receipt));
    ARROW_ASSIGN_OR_RAISE(HashedRows hashed, HashStream(*stream));
    if (hashed.rows == receipt.rows && hashed.hash == receipt.rows_hash) return Status::OK();
    return Fault(FaultCode::kReadbackMismatch,
                 fmt::format("files read back: expected {} rows with hash {}, got {} rows with "
                             "hash {}",
                             receipt.rows, receipt.rows_hash, hashed.rows, hashed.hash));
  }

  const PartitionWork& work_;
  const Partition& partition_;
  const std::vector<TargetRun*> targets_;
  StopScope scope_;
  Context ctx_;
  const std::string attempt_id_;
  size_t published_ = 0;
  std::mutex mutex_;
  std::vector<std::vector<Receipt>> receipts_;  // per target
};

void AddTimes(const Counters& counters, PartitionReport& report) {
  report.bytes_read = counters.bytes_read;
  report.times.source_wait_ns = counters.source_wait_ns;
  report.times.decode_ns = counters.decode_ns;
  report.times.transform_ns = counters.transform_ns;
  report.times.encode_ns = counters.encode_ns;
  report.times.target_wait_ns = counters.target_wait_ns;
}

// One attempt from open to publish; cleans up after itself when it fails. Targets that have the
// partition afterwards are removed from `targets`: another attempt must not write to them again.
Status TryOnce(const Context& ctx, const PartitionWork& work, const Partition& partition,
               std::vector<TargetRun*>& targets, PartitionReport& report) {
  const std::string started_at = FormatTimestamp(ctx.clock->Now());
  PartitionAttempt attempt(ctx, work, partition, targets);
  Status status = attempt.Load();
  if (status.ok()) status = attempt.Publish();
  attempt.FillReport(report);
  // After a publication the receipts are in the target's hands: its recovery decides, not we.
  if (!status.ok() && attempt.published() == 0) attempt.Discard(ctx);
  targets.erase(targets.begin(), targets.begin() + static_cast<ptrdiff_t>(attempt.published()));
  if (work.ledger != nullptr) {
    LedgerAttempt entry{work.run->pipeline,
                        work.run->Label(),
                        partition.id,
                        attempt.id(),
                        status.ok() ? "published" : "failed",
                        report.rows,
                        started_at,
                        FormatTimestamp(ctx.clock->Now()),
                        status.ok() ? "" : status.message()};
    Status noted = work.ledger->PutAttempt(ctx, entry);
    if (!noted.ok()) {
      ctx.log->Warning("the ledger could not be written; the target has the truth",
                       {{"error", noted.message()}});
    }
  }
  return status;
}

}  // namespace

Status VerifyCounts(const StreamEnd& end, int64_t rows_written) {
  if (end.rows_sent >= 0 && end.rows_sent != end.rows_read) {
    return Fault(FaultCode::kCountMismatch,
                 fmt::format("rows decoded: expected {} as the source says it sent, got {}",
                             end.rows_sent, end.rows_read));
  }
  if (end.rows_read != end.rows_out + end.rows_filtered + end.rows_rejected) {
    return Fault(FaultCode::kCountMismatch,
                 fmt::format("rows after the transformers: expected {}, got {} kept + {} filtered "
                             "+ {} rejected",
                             end.rows_read, end.rows_out, end.rows_filtered, end.rows_rejected));
  }
  if (rows_written != end.rows_out) {
    return Fault(FaultCode::kCountMismatch,
                 fmt::format("rows written: expected {}, got {}", end.rows_out, rows_written));
  }
  return Status::OK();
}

PartitionReport RunPartition(Context& ctx, const PartitionWork& work, int index) {
  const Partition& partition = work.partitions[static_cast<size_t>(index)];
  PartitionReport report;
  report.id = partition.id;
  report.meaning = partition.meaning;
  std::vector<TargetRun*> targets;
  for (const TargetOfRun& target : work.targets) {
    if (!target.done[static_cast<size_t>(index)]) targets.push_back(target.target);
  }
  const std::string label = work.run->Label();
  while (true) {
    ++report.attempts;
    Counters counters;
    Context attempt_ctx = ctx;
    attempt_ctx.counters = &counters;
    work.observer->AttemptBegins(label, partition.id, report.attempts, &counters);
    report.status = TryOnce(attempt_ctx, work, partition, targets, report);
    AddTimes(counters, report);
    const auto pause =
        PauseBeforeAnother(ctx, work.plan->retry, report.attempts, *work.random, report.status);
    const int64_t retry_in_ms =
        pause ? std::chrono::duration_cast<std::chrono::milliseconds>(*pause).count() : -1;
    work.observer->AttemptEnds(label, partition.id, &counters, report.status, retry_in_ms);
    if (!pause) break;
    ctx.log->Warning("attempt failed, will try again", {{"window", label},
                                                        {"partition", partition.id},
                                                        {"attempt", int64_t{report.attempts}},
                                                        {"retry_in_ms", retry_in_ms},
                                                        {"error", report.status.message()}});
    if (!WaitOut(ctx, *pause)) break;
  }
  if (!report.status.ok()) {
    report.status = WithDetail(report.status, "partition", partition.id);
  }
  return report;
}

}  // namespace levada::elt
