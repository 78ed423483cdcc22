// Requests that write, committed in groups: each its own transaction and point of the history, and
// one sync for those that waited together. Until that sync readers stay before all of them
// (db/sqlite/read_gate.h) and none is answered. Where it fails, all of them fail.

#include <utility>

#include "services/core/on_thread.h"
#include "services/d1/database.h"

namespace levada::services::d1 {

bool Database::HasNextOf(const Group& group) const {
  const bool is_due_otherwise = is_stopped_ || is_dropped_ || !alone_.empty() ||
                                repair_ != Repair::kNone || is_checkpoint_due_;
  return !is_due_otherwise && !writes_.empty() && writes_.front().joins &&
         group.ended.size() < limits_.group_requests_max && with_.clock.Steady() < group.until;
}

std::optional<Database::Job> Database::NextOf(const Group& group) {
  const std::lock_guard lock(mutex_);
  if (!HasNextOf(group)) return std::nullopt;
  Job job = std::move(writes_.front());
  writes_.pop_front();
  return job;
}

void Database::Open(Group& group) {
  {
    const std::lock_guard lock(mutex_);
    if (!HasNextOf(group)) return;  // one alone syncs as it commits
  }
  const auto held = live_->writer->HoldBack();
  if (!held.ok()) return Blame(held.status());
  group.is_open = *held;
  if (group.is_open) live_->files->history().Defer();
}

Status Database::Settle(Group& group) {
  if (!std::exchange(group.is_open, false)) return Status::OK();
  const Status settled = live_->files->history().Settle();
  if (settled.ok()) {
    live_->writer->Publish();
    return settled;
  }
  live_->writer->GiveUp();
  bool is_blamed;
  {
    const std::lock_guard lock(mutex_);
    is_blamed = repair_ != Repair::kNone;
  }
  if (!is_blamed) Blame(settled);
  return settled;
}

void Database::Answer(Group& group, const Status& settled) {
  for (const Group::Ended& each : std::exchange(group.ended, {})) {
    each.job.answer(each.status.ok() ? settled : each.status);
  }
}

void Database::RunGroup(Group& group, Job first) {
  Open(group);
  if (group.is_open) {
    // One that runs for long is not waited for: those before it are told, and it is alone then.
    live_->writer->set_pulse([this, &group] {
      if (group.is_open && with_.clock.Steady() >= group.until) Answer(group, Settle(group));
    });
  }
  std::optional<Job> job = std::move(first);
  while (job) {
    const Status status = job->work(ContextOfJob(), 0);
    group.ended.push_back({*std::move(job), status});
    job = group.is_open ? NextOf(group) : std::nullopt;
  }
  live_->writer->set_pulse({});
}

void Database::ExecuteGroup(Job first) {
  Group group;
  group.until = with_.clock.Steady() + std::chrono::milliseconds(limits_.group_ms_max);
  RunGroup(group, std::move(first));
  const Status settled = Settle(group);
  std::vector<Job> refused;
  {
    const std::lock_guard lock(mutex_);
    is_writing_ = false;
    used_ = with_.clock.Steady();
    Pump(refused);
    counts_.refused += refused.size();
  }
  Answer(group, settled);
  for (const Job& each : refused) each.answer(Busy());
}

}  // namespace levada::services::d1
