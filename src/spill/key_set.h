#pragma once
// KeySet: which keys there were, in a fixed amount of memory.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::spill {

/// One thread at a time.
class KeySet final {
 public:
  /// `memory_bytes`: half for a table that is filled in random order, half for the keys' bytes.
  explicit KeySet(int64_t memory_bytes);

  /// True: it is new, and is there from now on. Nothing: it is new, and there is no room for it.
  std::optional<bool> Insert(uint64_t hash, std::string_view key);

  /// All of them, in no order, while `visit(hash, key)` is OK.
  template <typename Visit>
  Status ForEach(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.size_plus_one == 0) continue;
      ARROW_RETURN_NOT_OK(visit(slot.hash, KeyOf(slot)));
    }
    return Status::OK();
  }

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t begin = 0;
    uint32_t size_plus_one = 0;  ///< 0: an empty slot
  };

  std::string_view KeyOf(const Slot& slot) const {
    return {reinterpret_cast<const char*>(bytes_.get()) + slot.begin, slot.size_plus_one - 1};
  }
  /// Its slot, or the empty one that is its.
  Slot& Find(uint64_t hash, std::string_view key);

  std::vector<Slot> slots_;  ///< a power of two of them
  int64_t slots_used_ = 0;
  const int64_t bytes_max_;
  int64_t bytes_used_ = 0;
  std::unique_ptr<uint8_t[]> bytes_;
};

}  // namespace levada::spill
