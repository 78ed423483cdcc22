#include "db/rocksdb/committer.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

namespace levada::db::rocks {

Committer::Committer(Store& store, CommitterOptions options, Logger& log)
    : store_(store), options_(options), log_(log), thread_([this] { Run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

bool Committer::IsRoomFor(size_t bytes) const {
  if (is_broken_) return false;
  // One that is larger than all that may wait is written when nothing waits.
  return waiting_.empty() || (waiting_.size() < options_.waiting_max &&
                              waiting_bytes_ + bytes <= options_.waiting_bytes_max);
}

bool Committer::HasRoomFor(size_t bytes) const {
  const std::lock_guard lock(mutex_);
  return IsRoomFor(bytes);
}

bool Committer::Submit(Batch batch, Done done) {
  bool is_enough = false;
  {
    const std::lock_guard lock(mutex_);
    if (!IsRoomFor(batch.bytes())) return false;
    waiting_bytes_ += batch.bytes();
    waiting_.push_back({std::move(batch), std::move(done)});
    is_enough = waiting_.size() == 1 || IsGroup();
  }
  if (is_enough) arrived_.notify_one();
  return true;
}

bool Committer::IsGroup() const {
  return waiting_.size() >= wanted_ || waiting_bytes_ >= options_.group_bytes_max;
}

std::deque<Committer::Waiting> Committer::TakeGroup() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
  arrived_.wait_for(lock, patience_, [this] { return stopping_ || IsGroup(); });
  std::deque<Waiting> group;
  size_t bytes = 0;
  while (!waiting_.empty()) {
    bytes += waiting_.front().batch.bytes();
    if (!group.empty() && bytes > options_.group_bytes_max) break;
    waiting_bytes_ -= waiting_.front().batch.bytes();
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return group;
}

void Committer::Run() {
  if (store_.torn_bytes() > 0) {
    log_.Warning("store: a write that was cut short is dropped; nobody was told that it succeeded",
                 {{"path", store_.path()}, {"bytes", static_cast<int64_t>(store_.torn_bytes())}});
  }
  while (true) {
    std::deque<Waiting> group = TakeGroup();
    if (group.empty()) return;  // only when stopping
    const Status written = Write(group);
    if (!written.ok() && options_.is_chained) Break(group);
    for (const Waiting& each : group) each.done(written);
  }
}

void Committer::Break(std::deque<Waiting>& group) {
  const std::lock_guard lock(mutex_);
  is_broken_ = true;
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(group));
  waiting_.clear();
  waiting_bytes_ = 0;
}

void Committer::Mend() {
  const std::lock_guard lock(mutex_);
  is_broken_ = false;
}

Status Committer::Write(const std::deque<Waiting>& group) {
  const SteadyTime began = Now();
  std::vector<const Batch*> batches;
  for (const Waiting& each : group) batches.push_back(&each.batch);
  Status written = store_.closed_because();
  // One that could not be opened again after a failure gets another chance with each group, unless
  // it is damaged: that does not pass.
  if (!written.ok() && CodeOf(written) != FaultCode::kStoreDamaged) written = store_.Reopen();
  if (written.ok()) {
    written = store_.Write(batches);
    // Before the answers: whoever hears of it and tries again finds the store opened anew.
    if (!written.ok()) Recover(written);
  }
  const std::chrono::duration<double> busy = Now() - began;
  const std::lock_guard lock(mutex_);
  // Whoever is answered now is about to ask again. Half of all that are under way are the next
  // group: the disk has work while the requests of the other half are read.
  wanted_ = (group.size() + waiting_.size() + 1) / 2;
  patience_ = std::min(std::chrono::duration_cast<std::chrono::nanoseconds>(busy / 2),
                       options_.patience_max);
  ++counts_.groups;
  counts_.busy_s += busy.count();
  if (written.ok()) {
    counts_.batches += group.size();
  } else {
    ++counts_.failures;
  }
  return written;
}

CommitterCounts Committer::counts() const {
  const std::lock_guard lock(mutex_);
  CommitterCounts counts = counts_;
  counts.waiting = waiting_.size();
  counts.waiting_bytes = waiting_bytes_;
  return counts;
}

void Committer::Recover(const Status& failure) {
  log_.Error("a write failed; opening the store again from its log",
             {{"error", failure.ToString()}});
  if (options_.on_failure) options_.on_failure(failure);
  const Status opened = store_.Reopen();
  if (opened.ok()) {
    log_.Info("the store is open again", {});
  } else {
    log_.Error("the store could not be opened again", {{"error", opened.ToString()}});
  }
}

}  // namespace levada::db::rocks
