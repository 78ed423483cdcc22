#include "services/analytics/write_ahead.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace levada::services::analytics {
namespace {

// The age of a segment is looked at so often, whatever the clock is.
constexpr auto kTick = std::chrono::milliseconds(50);
// Between two tries to make one, unless somebody waits for it.
constexpr auto kRetry = std::chrono::milliseconds(1000);

}  // namespace

Result<std::unique_ptr<WriteAhead>> WriteAhead::Open(os::Disk& disk, std::string directory,
                                                     WriteAheadOptions options, const Clock& clock,
                                                     Random& random, Logger& log,
                                                     os::DiskReserve* reserve) {
  std::unique_ptr<WriteAhead> opened(
      new WriteAhead(disk, std::move(directory), options, clock, random, log, reserve));
  ARROW_RETURN_NOT_OK(opened->Load());
  // tidy: allow as its declaration says: it begins when the directory is read
  opened->thread_ = std::thread([self = opened.get()] { self->Run(); });
  return opened;
}

WriteAhead::WriteAhead(os::Disk& disk, std::string directory, WriteAheadOptions options,
                       const Clock& clock, Random& random, Logger& log, os::DiskReserve* reserve)
    : disk_(disk),
      directory_(std::move(directory)),
      options_(options),
      clock_(clock),
      random_(random),
      log_(log),
      reserve_(reserve) {}

WriteAhead::~WriteAhead() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

Status WriteAhead::Load() {
  ARROW_RETURN_NOT_OK(disk_.CreateDirectories(directory_));
  ARROW_ASSIGN_OR_RAISE(const auto entries, disk_.List(directory_));
  for (const os::DirectoryEntry& entry : entries) {
    const auto number = NumberOfSegment(entry.name);
    if (!number || entry.is_directory) continue;
    ended_.emplace(*number, Ended{entry.size_bytes, false});
    found_.insert(*number);
    ended_bytes_ += entry.size_bytes;
    newest_ = std::max(newest_, *number);
  }
  // A disk that is full today has room tomorrow, and what is here is queryable meanwhile.
  const Status made = MakeSegment();
  if (!made.ok()) Failed(made);
  return Status::OK();
}

std::string WriteAhead::PathOf(uint64_t number) const {
  return os::JoinPath(directory_, NameOfSegment(number));
}

Status WriteAhead::MakeSegment() {
  uint64_t before = 0;
  {
    const std::lock_guard lock(mutex_);
    before = newest_;
  }
  // By the clock too: a number is not given again where somebody emptied the directory.
  const uint64_t number = std::max(before + 1, static_cast<uint64_t>(clock_.Now()));
  auto made = SegmentWriter::Create(disk_, PathOf(number), {number, random_.Next()});
  if (!made.ok()) {
    (void)disk_.Remove(PathOf(number));  // nothing is in it, and each try would leave one
    return made.status();
  }
  segment_ = *std::move(made);
  const std::lock_guard lock(mutex_);
  newest_ = number;
  return Status::OK();
}

bool WriteAhead::Submit(std::vector<Rows> rows, Done done) {
  const size_t bytes = BodyBytesOf(rows);
  {
    const std::lock_guard lock(mutex_);
    // One that is larger than all that may wait is written when nothing waits.
    const bool fits = waiting_.empty() || (waiting_.size() < options_.waiting_max &&
                                           waiting_bytes_ + bytes <= options_.waiting_bytes_max);
    if (!fits || ended_bytes_ >= options_.unflushed_bytes_max) return false;
    waiting_bytes_ += bytes;
    waiting_.push_back({std::move(rows), bytes, std::move(done)});
  }
  arrived_.notify_one();
  return true;
}

std::deque<WriteAhead::Waiting> WriteAhead::TakeGroup() {
  std::unique_lock lock(mutex_);
  const auto is_awake = [this] { return is_stopping_ || !waiting_.empty(); };
  if (first_row_ || segment_ == nullptr) {
    arrived_.wait_for(lock, segment_ == nullptr ? kRetry : kTick, is_awake);
  } else {
    arrived_.wait(lock, is_awake);
  }
  std::deque<Waiting> group;
  size_t bytes = 0;
  while (!waiting_.empty()) {
    bytes += waiting_.front().bytes;
    if (!group.empty() && bytes > options_.group_bytes_max) break;
    waiting_bytes_ -= waiting_.front().bytes;
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return group;
}

void WriteAhead::Run() {
  while (true) {
    std::deque<Waiting> group = TakeGroup();
    const bool is_idle = group.empty();
    if (!is_idle) Write(std::move(group));
    EndSegmentIfDue();
    const std::lock_guard lock(mutex_);
    if (is_stopping_ && waiting_.empty() && is_idle) return;
  }
}

void WriteAhead::Write(std::deque<Waiting> group) {
  std::vector<Rows> rows;
  for (Waiting& each : group) std::ranges::move(each.rows, std::back_inserter(rows));
  const Status written = Append(rows);
  if (!written.ok()) Failed(written);
  if (written.ok() && std::exchange(has_failed_, false)) {
    log_.Info("points are written again", {{"path", directory_}});
  }
  {
    const std::lock_guard lock(mutex_);
    ++counts_.groups;
    if (!written.ok()) ++counts_.failures;
    for (const Rows& each : rows) counts_.rows += written.ok() ? each.count : 0;
  }
  for (const Waiting& each : group) each.done(written);
}

Status WriteAhead::Append(const std::vector<Rows>& rows) {
  if (segment_ == nullptr) ARROW_RETURN_NOT_OK(MakeSegment());
  if (!first_row_) first_row_ = clock_.Steady();
  const Status appended = segment_->Append(rows);
  // What is behind the last batch is unknown from now on: nothing is written there.
  if (!appended.ok()) HandOver(*std::exchange(segment_, nullptr), false);
  return appended;
}

void WriteAhead::Failed(const Status& status) {
  if (reserve_ != nullptr) reserve_->ReleaseIfFull(status);
  if (std::exchange(has_failed_, true)) return;  // said already
  log_.Error("points cannot be written; it is tried again with the next ones",
             {{"path", directory_}, {"cause", status.ToString()}});
}

bool WriteAhead::IsDue() const {
  if (segment_ == nullptr || segment_->row_count() == 0) return false;
  return segment_->row_count() >= options_.segment_rows_max ||
         segment_->size_bytes() >= options_.segment_bytes_max ||
         clock_.Steady() - *first_row_ >= options_.segment_age_max;
}

void WriteAhead::EndSegmentIfDue() {
  bool is_last = false;
  {
    const std::lock_guard lock(mutex_);
    is_last = is_stopping_ && waiting_.empty();
  }
  std::unique_ptr<SegmentWriter> ended;
  bool is_whole = false;
  if (segment_ != nullptr) {
    if (!IsDue() && !(is_last && segment_->row_count() > 0)) return;
    const Status status = segment_->End();
    if (!status.ok()) Failed(status);
    is_whole = status.ok();
    ended = std::move(segment_);
  }
  // Before the old one is handed over, which cannot be removed until there is a newer one; and
  // again behind a failure.
  if (!is_last) {
    const Status made = MakeSegment();
    if (!made.ok()) Failed(made);
  }
  if (ended != nullptr) HandOver(*ended, is_whole);
}

void WriteAhead::HandOver(const SegmentWriter& segment, bool is_whole) {
  first_row_.reset();
  {
    const std::lock_guard lock(mutex_);
    ended_.emplace(segment.number(), Ended{segment.size_bytes(), is_whole});
    ended_bytes_ += segment.size_bytes();
  }
  ended_arrived_.notify_all();
}

std::optional<uint64_t> WriteAhead::WaitForSegment(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!ended_arrived_.wait(lock, stop, [this] { return !ended_.empty(); })) return std::nullopt;
  return ended_.begin()->first;
}

Result<std::vector<Rows>> WriteAhead::Read(uint64_t number) {
  bool is_whole = false;
  {
    const std::lock_guard lock(mutex_);
    const Ended& ended = ended_.at(number);
    if (ended.is_removed) return std::vector<Rows>();
    is_whole = ended.is_whole;
  }
  SegmentContent content;
  if (is_whole) {
    ARROW_ASSIGN_OR_RAISE(content, ReadSegment(disk_, PathOf(number), number));
  } else {
    ARROW_ASSIGN_OR_RAISE(content, MendSegment(disk_, PathOf(number), number));
    if (content.cut_bytes > 0) {
      log_.Warning(
          "analytics: the end of a segment is not whole and left out; unless the disk has lost "
          "something, its points were never acknowledged",
          {{"path", PathOf(number)}, {"bytes", content.cut_bytes}});
    }
    const std::lock_guard lock(mutex_);
    ended_.at(number).is_whole = true;
  }
  return std::move(content.rows);
}

Status WriteAhead::Remove(uint64_t number) {
  {
    const std::lock_guard lock(mutex_);
    // While the newest is there, its number is not given again.
    if (number == newest_) {
      return Fault(FaultCode::kTargetIo, "the segment behind it could not be made yet")
          .With("path", PathOf(number));
    }
  }
  ARROW_RETURN_NOT_OK(disk_.Remove(PathOf(number)));
  {
    const std::lock_guard lock(mutex_);
    ended_.at(number).is_removed = true;
  }
  // Before the next one goes to the engine: only the last few can come back with the power.
  ARROW_RETURN_NOT_OK(disk_.SyncDirectory(directory_));
  const std::lock_guard lock(mutex_);
  const auto found = ended_.find(number);
  ended_bytes_ -= found->second.bytes;
  ended_.erase(found);
  found_.erase(number);
  return Status::OK();
}

void WriteAhead::SetAside(uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = ended_.find(number);
  ended_bytes_ -= found->second.bytes;
  ended_.erase(found);
  ++counts_.damaged_segments;
}

bool WriteAhead::MayBeInEngine(uint64_t number) const {
  const std::lock_guard lock(mutex_);
  return found_.contains(number);
}

WriteAheadCounts WriteAhead::counts() const {
  const std::lock_guard lock(mutex_);
  WriteAheadCounts counts = counts_;
  counts.waiting = waiting_.size();
  counts.unflushed_segments = ended_.size();
  counts.unflushed_bytes = ended_bytes_;
  return counts;
}

}  // namespace levada::services::analytics
