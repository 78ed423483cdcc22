#include "services/d1/database.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "services/core/on_thread.h"

namespace levada::services::d1 {
namespace {

// Between two tries to open files that cannot be opened: each reads much.
constexpr auto kRetryPause = std::chrono::seconds(1);

Status Gone() { return Fault(FaultCode::kStopped, "the database was closed while this waited"); }

}  // namespace

Database::Live::~Live() {
  // Connections before what they stand on.
  for (auto& reader : readers) reader.reset();
  writer.reset();
}

Database::Database(const DatabaseSurroundings& surroundings, std::string directory, uint64_t number,
                   std::string name, const DatabaseLimits& limits)
    : with_(surroundings),
      directory_(std::move(directory)),
      number_(number),
      name_(std::move(name)),
      limits_(limits),
      used_(surroundings.clock.Steady()) {}

Database::~Database() = default;

std::deque<Database::Job>& Database::QueueOf(JobKind kind) {
  switch (kind) {
    case JobKind::kRead:
      return reads_;
    case JobKind::kWrite:
      return writes_;
    case JobKind::kUpkeep:
      return upkeep_;
    case JobKind::kAlone:
      break;
  }
  return alone_;
}

void Database::Enqueue(Job job) {
  std::vector<Job> refused;
  Status reason = Busy();
  {
    const std::lock_guard lock(mutex_);
    if (!job.is_own) used_ = with_.clock.Steady();
    const size_t waiting = reads_.size() + writes_.size() + alone_.size();
    if (is_stopped_ || (is_dropped_ && job.needs_files)) {
      reason = Gone();
      refused.push_back(std::move(job));
    } else if (waiting >= limits_.waiting_max) {
      refused.push_back(std::move(job));
    } else {
      QueueOf(job.kind).push_back(std::move(job));
      Pump(refused);
    }
    if (IsBusy(reason)) counts_.refused += refused.size();
  }
  for (const Job& each : refused) each.answer(reason);
}

void Database::TakeWaiting(std::vector<Job>& taken) {
  for (std::deque<Job>* queue : {&reads_, &writes_, &upkeep_, &alone_}) {
    std::ranges::move(*queue, std::back_inserter(taken));
    queue->clear();
  }
}

void Database::StartPrepare(std::vector<Job>& refused) {
  is_alone_ = true;
  const Repair repair = std::exchange(repair_, Repair::kNone);
  if (with_.workers.Submit([self = shared_from_this(), repair] { self->Prepare(repair); })) return;
  is_alone_ = false;
  repair_ = repair;
  TakeWaiting(refused);
}

void Database::Pump(std::vector<Job>& refused) {
  if (is_alone_ || is_stopped_) return;
  if (is_dropped_) {  // what failed as it ended is nobody's any more
    repair_ = Repair::kNone;
    is_checkpoint_due_ = false;
  }
  const bool is_idle =
      !is_writing_ && !is_tending_ && std::ranges::none_of(is_reading_, std::identity());
  const bool has_work = !reads_.empty() || !writes_.empty() || !alone_.empty() || !upkeep_.empty();
  if (!has_work && repair_ == Repair::kNone && !is_checkpoint_due_) return;
  const bool is_without_files = !alone_.empty() && !alone_.front().needs_files;
  if ((!is_open_ || repair_ != Repair::kNone) && !is_without_files) {
    if (is_idle) StartPrepare(refused);
    return;
  }
  if (!alone_.empty()) {
    if (!is_idle) return;
    stop_ = std::stop_source();
    StartFirst(alone_, 0, is_alone_, refused);
    return;
  }
  for (size_t slot = 0; slot < kReaders; ++slot) {
    StartFirst(reads_, slot, is_reading_[slot], refused);
  }
  if (is_checkpoint_due_ && !is_writing_) {
    is_checkpoint_due_ = false;
    writes_.push_front({JobKind::kWrite, [this](const Context&, size_t) { return Checkpoint(); },
                        [](const Status&) {}, true, true});
  }
  StartFirst(writes_, 0, is_writing_, refused);
  StartFirst(upkeep_, 0, is_tending_, refused);
}

void Database::StartFirst(std::deque<Job>& queue, size_t slot, bool& is_running,
                          std::vector<Job>& refused) {
  if (is_running || queue.empty()) return;
  auto job = std::make_shared<Job>(std::move(queue.front()));
  queue.pop_front();
  is_running = with_.workers.Submit([self = shared_from_this(), job, slot] {
    if (job->joins) {
      self->ExecuteGroup(std::move(*job));
    } else {
      self->Execute(*job, slot);
    }
  });
  if (!is_running) refused.push_back(std::move(*job));
}

void Database::Execute(const Job& job, size_t slot) {
  const Status status = job.work(ContextOfJob(), slot);
  std::vector<Job> refused;
  {
    const std::lock_guard lock(mutex_);
    switch (job.kind) {
      case JobKind::kRead:
        is_reading_[slot] = false;
        break;
      case JobKind::kWrite:
        is_writing_ = false;
        break;
      case JobKind::kUpkeep:
        is_tending_ = false;
        break;
      case JobKind::kAlone:
        is_alone_ = false;
        is_open_ = live_ != nullptr;
        break;
    }
    if (!job.is_own) used_ = with_.clock.Steady();
    Pump(refused);
    counts_.refused += refused.size();
  }
  job.answer(status);
  for (const Job& each : refused) each.answer(Busy());
}

void Database::Prepare(Repair repair) {
  Status status;
  {
    const std::lock_guard lock(mutex_);
    if (with_.clock.Steady() < retry_at_) status = open_failure_;
  }
  if (status.ok()) {
    if (live_ == nullptr && with_.make_room) with_.make_room();
    status = repair == Repair::kRebuild ? RebuildFiles() : OpenFiles();
  }
  std::vector<Job> failed;
  std::vector<Job> refused;
  {
    const std::lock_guard lock(mutex_);
    is_alone_ = false;
    is_open_ = live_ != nullptr;
    is_checkpoint_due_ = false;  // of the files that were open before
    stop_ = std::stop_source();
    if (!status.ok()) {
      if (with_.clock.Steady() >= retry_at_) retry_at_ = with_.clock.Steady() + kRetryPause;
      open_failure_ = status;
      TakeWaiting(failed);
    }
    Pump(refused);
    counts_.refused += refused.size();
  }
  for (const Job& each : failed) each.answer(status);
  for (const Job& each : refused) each.answer(Busy());
}

bool Database::CloseIfIdle(SteadyTime since) {
  bool is_trusted = false;
  {
    const std::lock_guard lock(mutex_);
    const bool is_idle = !is_alone_ && !is_writing_ && !is_tending_ &&
                         std::ranges::none_of(is_reading_, std::identity()) && reads_.empty() &&
                         writes_.empty() && alone_.empty() && upkeep_.empty();
    if (!is_open_ || !is_idle || used_ > since) return false;
    is_alone_ = true;
    is_trusted = repair_ == Repair::kNone;
  }
  if (!is_trusted) live_.reset();  // as after a crash: the history has everything
  const Status closed = is_trusted ? CloseFiles() : Status::OK();
  if (!closed.ok()) {
    with_.log.Error("d1: a database could not be closed in order",
                    {{"database", name_}, {"cause", closed.ToString()}});
  }
  std::vector<Job> refused;
  {
    const std::lock_guard lock(mutex_);
    is_alone_ = is_open_ = false;
    repair_ = Repair::kNone;
    is_checkpoint_due_ = false;
    Pump(refused);
    counts_.refused += refused.size();
  }
  for (const Job& each : refused) each.answer(Busy());
  return true;
}

void Database::Tend() {
  std::vector<Job> refused;
  {
    const std::lock_guard lock(mutex_);
    if (!is_open_ || is_alone_ || is_dropped_ || is_stopped_) return;
    if (live_->files->pages().log_bytes() > 0) is_checkpoint_due_ = true;
    const SteadyTime now = with_.clock.Steady();
    if (now >= upkeep_due_ && upkeep_.empty() && !is_tending_) {
      upkeep_due_ = now + std::chrono::milliseconds(limits_.upkeep_every_ms);
      upkeep_.push_back({JobKind::kUpkeep, [this](const Context&, size_t) { return TendHistory(); },
                         [](const Status&) {}, true, true});
    }
    Pump(refused);
    counts_.refused += refused.size();
  }
  for (const Job& each : refused) each.answer(Busy());
}

void Database::Stop() {
  std::vector<Job> waiting;
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    stop_.request_stop();
    TakeWaiting(waiting);
  }
  for (const Job& each : waiting) each.answer(Gone());
}

Context Database::ContextOfJob() const {
  const std::lock_guard lock(mutex_);
  Context ctx;
  ctx.stop = stop_.get_token();
  ctx.clock = &with_.clock;
  ctx.log = &with_.log;
  return ctx;
}

void Database::Blame(const Status& status) {
  const FaultCode code = CodeOf(status);
  if (code == FaultCode::kStopped || code == FaultCode::kSourceTimeout) return;
  if (with_.reserve != nullptr) with_.reserve->ReleaseIfFull(status);
  with_.log.Error("d1: a request failed; the database is opened again",
                  {{"database", name_}, {"cause", status.ToString()}});
  const std::lock_guard lock(mutex_);
  ++counts_.failures;
  const bool rebuilds = code == FaultCode::kStoreDamaged && may_rebuild_;
  repair_ = std::max(repair_, rebuilds ? Repair::kRebuild : Repair::kReopen);
}

Database::Counts Database::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.is_open = is_open_;
  counts.used = used_;
  counts.waiting = reads_.size() + writes_.size() + alone_.size();
  return counts;
}

}  // namespace levada::services::d1
