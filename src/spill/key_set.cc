#include "spill/key_set.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace levada::spill {
namespace {

constexpr int64_t kBytesMax = std::numeric_limits<uint32_t>::max();

}  // namespace

KeySet::KeySet(int64_t memory_bytes)
    : slots_(std::bit_floor(static_cast<uint64_t>(memory_bytes) / 2 / sizeof(Slot))),
      bytes_max_(std::min(memory_bytes / 2, kBytesMax)),
      bytes_(std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(bytes_max_))) {}

KeySet::Slot& KeySet::Find(uint64_t hash, std::string_view key) {
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    Slot& slot = slots_[i];
    if (slot.size_plus_one == 0 || (slot.hash == hash && KeyOf(slot) == key)) return slot;
  }
}

std::optional<bool> KeySet::Insert(uint64_t hash, std::string_view key) {
  Slot& slot = Find(hash, key);
  if (slot.size_plus_one != 0) return false;
  const auto size = static_cast<int64_t>(key.size());
  // Three quarters full, and looking for what is not there becomes a walk.
  const bool is_full = (slots_used_ + 1) * 4 > static_cast<int64_t>(slots_.size()) * 3;
  if (is_full || bytes_used_ + size > bytes_max_) return std::nullopt;
  std::ranges::copy(key, bytes_.get() + bytes_used_);
  slot = {hash, static_cast<uint32_t>(bytes_used_), static_cast<uint32_t>(size) + 1};
  bytes_used_ += size;
  ++slots_used_;
  return true;
}

}  // namespace levada::spill
