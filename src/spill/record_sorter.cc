#include "spill/record_sorter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "base/quantity.h"

namespace levada::spill {
namespace {

// Less than this per run and the disk does nothing but seek.
constexpr int64_t kReadBytesMin = 64 << 10;
constexpr int64_t kReadBytesMax = 1 << 20;
constexpr int64_t kWriteBytes = 256 << 10;
constexpr int64_t kMemoryMax = std::numeric_limits<uint32_t>::max();
constexpr int64_t kRecordsPerCheck = 1 << 16;

// Of a record in a run: rank, size, bytes.
constexpr int64_t kHeaderBytes = 12;

bool Before(const SortRecord& a, const SortRecord& b) {
  return a.rank != b.rank ? a.rank < b.rank : a.bytes < b.bytes;
}

}  // namespace

class RecordSorter::RunWriter final {
 public:
  explicit RunWriter(ScratchFile& file) : file_(file) { buffer_.reserve(kWriteBytes); }

  Status Write(const SortRecord& record) {
    const auto size = static_cast<uint32_t>(record.bytes.size());
    const int64_t room = kWriteBytes - static_cast<int64_t>(buffer_.size());
    if (kHeaderBytes + int64_t{size} > room) ARROW_RETURN_NOT_OK(Flush());
    const size_t at = buffer_.size();
    buffer_.resize(at + kHeaderBytes + size);
    std::memcpy(buffer_.data() + at, &record.rank, 8);
    std::memcpy(buffer_.data() + at + 8, &size, 4);
    std::ranges::copy(record.bytes, buffer_.data() + at + kHeaderBytes);
    return Status::OK();
  }

  Status Flush() {
    ARROW_RETURN_NOT_OK(file_.Append(buffer_));
    buffer_.clear();
    return Status::OK();
  }

 private:
  ScratchFile& file_;
  std::vector<uint8_t> buffer_;
};

class RecordSorter::RunReader final {
 public:
  RunReader(Run run, int64_t buffer_bytes)
      : run_(std::move(run)), at_(run_.begin), buffer_(static_cast<size_t>(buffer_bytes)) {}

  // Moves on to the next record; false at the end of the run.
  Result<bool> Advance() {
    if (at_ + position_ == run_.end) return false;
    ARROW_RETURN_NOT_OK(Have(kHeaderBytes));
    uint32_t size = 0;
    std::memcpy(&record_.rank, buffer_.data() + position_, 8);
    std::memcpy(&size, buffer_.data() + position_ + 8, 4);
    ARROW_RETURN_NOT_OK(Have(kHeaderBytes + int64_t{size}));
    record_.bytes = {reinterpret_cast<const char*>(buffer_.data()) + position_ + kHeaderBytes,
                     size};
    position_ += kHeaderBytes + int64_t{size};
    return true;
  }
  const SortRecord& record() const { return record_; }

 private:
  // Makes `bytes` from position_ on present.
  Status Have(int64_t bytes) {
    if (filled_ - position_ >= bytes) return Status::OK();
    const int64_t kept = filled_ - position_;
    std::memmove(buffer_.data(), buffer_.data() + position_, static_cast<size_t>(kept));
    at_ += position_;
    position_ = 0;
    if (bytes > static_cast<int64_t>(buffer_.size())) buffer_.resize(static_cast<size_t>(bytes));
    filled_ = std::min(static_cast<int64_t>(buffer_.size()), run_.end - at_);
    const std::span<uint8_t> rest(buffer_.data() + kept, static_cast<size_t>(filled_ - kept));
    return run_.file->ReadAt(at_ + kept, rest);
  }

  const Run run_;
  int64_t at_;            // of the buffer's first byte in the file
  int64_t position_ = 0;  // in the buffer, of the next record
  int64_t filled_ = 0;
  std::vector<uint8_t> buffer_;
  SortRecord record_;
};

class RecordSorter::Merge final {
 public:
  static Result<std::unique_ptr<Merge>> Open(std::span<const Run> runs, int64_t memory_bytes) {
    auto merge = std::make_unique<Merge>();
    const int64_t each =
        std::clamp(memory_bytes / static_cast<int64_t>(runs.size()), kReadBytesMin, kReadBytesMax);
    for (const Run& run : runs) {
      merge->readers_.push_back(std::make_unique<RunReader>(run, each));
      ARROW_ASSIGN_OR_RAISE(const bool any, merge->readers_.back()->Advance());
      if (any) merge->heap_.push_back(merge->readers_.back().get());
    }
    std::ranges::make_heap(merge->heap_, Later);
    return merge;
  }

  Result<bool> Next(SortRecord* record) {
    if (taken_) {
      // Only now: what was given out lay in its buffer.
      ARROW_ASSIGN_OR_RAISE(const bool more, heap_.back()->Advance());
      if (more) {
        std::ranges::push_heap(heap_, Later);
      } else {
        heap_.pop_back();
      }
    }
    taken_ = !heap_.empty();
    if (!taken_) return false;
    std::ranges::pop_heap(heap_, Later);
    *record = heap_.back()->record();
    return true;
  }

 private:
  static bool Later(const RunReader* a, const RunReader* b) {
    return Before(b->record(), a->record());
  }

  std::vector<std::unique_ptr<RunReader>> readers_;
  std::vector<RunReader*> heap_;
  bool taken_ = false;  // the last of heap_ was given out
};

RecordSorter::RecordSorter(ScratchSpace space, int64_t memory_bytes)
    : space_(std::move(space)),
      memory_bytes_(std::min(memory_bytes, kMemoryMax) / int64_t{sizeof(Slot)} *
                    int64_t{sizeof(Slot)}),
      bytes_begin_(memory_bytes_) {}

RecordSorter::~RecordSorter() = default;

std::string_view RecordSorter::BytesOf(const Slot& slot) const {
  return {reinterpret_cast<const char*>(buffer_.get()) + slot.begin, slot.size};
}

Status RecordSorter::Add(const SortRecord& record) {
  const auto size = static_cast<int64_t>(record.bytes.size());
  if (size + int64_t{sizeof(Slot)} > memory_bytes_) {
    return Fault(FaultCode::kBudgetTooSmall,
                 fmt::format("a key of {} does not fit into the {} there are to sort keys",
                             FormatBytes(size), FormatBytes(memory_bytes_)))
        .Help("give the stage more memory:");
  }
  if (buffer_ == nullptr) {
    buffer_ = std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(memory_bytes_));
  }
  if ((slots_ + 1) * int64_t{sizeof(Slot)} + size > bytes_begin_)
    ARROW_RETURN_NOT_OK(SpillBuffer());
  bytes_begin_ -= size;
  std::ranges::copy(record.bytes, buffer_.get() + bytes_begin_);
  const Slot slot{record.rank, static_cast<uint32_t>(bytes_begin_), static_cast<uint32_t>(size)};
  std::memcpy(buffer_.get() + slots_ * int64_t{sizeof(Slot)}, &slot, sizeof(Slot));
  ++slots_;
  return Status::OK();
}

void RecordSorter::SortBuffer() {
  const std::span<Slot> slots(reinterpret_cast<Slot*>(buffer_.get()), static_cast<size_t>(slots_));
  std::ranges::sort(slots, [this](const Slot& a, const Slot& b) {
    return a.rank != b.rank ? a.rank < b.rank : BytesOf(a) < BytesOf(b);
  });
}

Status RecordSorter::SpillBuffer() {
  SortBuffer();
  if (file_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(file_, ScratchFile::Create(space_));
  }
  const int64_t begin = file_->size();
  RunWriter writer(*file_);
  const auto* slots = reinterpret_cast<const Slot*>(buffer_.get());
  for (int64_t i = 0; i < slots_; ++i) {
    ARROW_RETURN_NOT_OK(writer.Write({slots[i].rank, BytesOf(slots[i])}));
  }
  ARROW_RETURN_NOT_OK(writer.Flush());
  runs_.push_back({file_, begin, file_->size()});
  slots_ = 0;
  bytes_begin_ = memory_bytes_;
  return Status::OK();
}

Status RecordSorter::MergeIntoOne(const Context& ctx, size_t first_runs) {
  ARROW_ASSIGN_OR_RAISE(auto merge, Merge::Open(std::span(runs_).first(first_runs), memory_bytes_));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ScratchFile> file, ScratchFile::Create(space_));
  RunWriter writer(*file);
  SortRecord record;
  for (int64_t count = 0;; ++count) {
    if (count % kRecordsPerCheck == 0) ARROW_RETURN_NOT_OK(ctx.Check());
    ARROW_ASSIGN_OR_RAISE(const bool any, merge->Next(&record));
    if (!any) break;
    ARROW_RETURN_NOT_OK(writer.Write(record));
  }
  ARROW_RETURN_NOT_OK(writer.Flush());
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<ptrdiff_t>(first_runs));
  runs_.push_back({file, 0, file->size()});
  return Status::OK();
}

Status RecordSorter::Sort(const Context& ctx) {
  if (runs_.empty()) {
    SortBuffer();
    return Status::OK();
  }
  if (slots_ > 0) ARROW_RETURN_NOT_OK(SpillBuffer());
  buffer_.reset();
  const auto at_once = static_cast<size_t>(std::max<int64_t>(2, memory_bytes_ / kReadBytesMin));
  while (runs_.size() > at_once) {
    // No more than it takes to come down to what can be read at once.
    ARROW_RETURN_NOT_OK(MergeIntoOne(ctx, std::min(at_once, runs_.size() - at_once + 1)));
  }
  ARROW_ASSIGN_OR_RAISE(merge_, Merge::Open(runs_, memory_bytes_));
  return Status::OK();
}

Result<bool> RecordSorter::Next(SortRecord* record) {
  if (merge_ != nullptr) return merge_->Next(record);
  if (next_slot_ == slots_) return false;
  const auto* slots = reinterpret_cast<const Slot*>(buffer_.get());
  *record = {slots[next_slot_].rank, BytesOf(slots[next_slot_])};
  ++next_slot_;
  return true;
}

}  // namespace levada::spill
