#pragma once
// RecordSorter: any number of records in order, in a fixed amount of memory.
//
// Records gather in one buffer; a full buffer is sorted and becomes a run in a scratch file; the
// runs are merged. What fits into the buffer never touches the disk.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "spill/scratch_file.h"

namespace levada::spill {

/// Sorted by `rank`, then by the bytes.
struct SortRecord {
  uint64_t rank = 0;
  std::string_view bytes;
};

/// Any number of Add, one Sort, any number of Next. One thread at a time.
class RecordSorter final {
 public:
  /// `memory_bytes`: of the buffer, all it takes; pages that are not used are not resident.
  RecordSorter(ScratchSpace space, int64_t memory_bytes);
  ~RecordSorter();

  /// kBudgetTooSmall for a record that does not fit into the buffer alone.
  Status Add(const SortRecord& record);
  Status Sort(const Context& ctx);
  /// False at the end. What `record` refers to lives until the next call.
  Result<bool> Next(SortRecord* record);

 private:
  struct Slot {
    uint64_t rank = 0;
    uint32_t begin = 0;  ///< of its bytes in the buffer
    uint32_t size = 0;
  };
  struct Run {
    std::shared_ptr<ScratchFile> file;
    int64_t begin = 0;
    int64_t end = 0;
  };
  class RunReader;
  class RunWriter;
  class Merge;

  std::string_view BytesOf(const Slot& slot) const;
  void SortBuffer();
  Status SpillBuffer();
  Status MergeIntoOne(const Context& ctx, size_t first_runs);

  const ScratchSpace space_;
  const int64_t memory_bytes_;
  /// Slots from the front, bytes from the back.
  std::unique_ptr<uint8_t[]> buffer_;
  int64_t slots_ = 0;
  int64_t bytes_begin_ = 0;
  int64_t next_slot_ = 0;
  std::shared_ptr<ScratchFile> file_;  ///< of all runs that buffers became: descriptors are few
  std::vector<Run> runs_;
  std::unique_ptr<Merge> merge_;
};

}  // namespace levada::spill
