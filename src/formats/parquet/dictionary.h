#pragma once
// The dictionaries of one column chunk: value -> index in order of first occurrence, so that they
// depend on the rows alone. Entries are kept in PLAIN encoding, which is what the dictionary page
// holds. Internal.

#include <arrow/memory_pool.h>
#include <arrow/stl_allocator.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace levada::parquet_format {

template <typename T>
using PoolVector = std::vector<T, arrow::stl::allocator<T>>;

/// Open addressing over 32-bit entry numbers, at most half full; the entries live with whoever uses
/// it.
class SlotTable {
 public:
  static constexpr uint32_t kEmpty = UINT32_MAX;

  explicit SlotTable(arrow::MemoryPool* pool) : slots_(arrow::stl::allocator<uint32_t>(pool)) {
    Resize(kSlotsMin);
  }

  /// The slot of the entry for which `equal(entry)` holds, or the empty slot where it belongs.
  template <typename Equal>
  uint32_t* Find(uint64_t hash, Equal equal) {
    size_t at = hash >> shift_;
    while (slots_[at] != kEmpty && !equal(slots_[at])) at = (at + 1) & (slots_.size() - 1);
    return &slots_[at];
  }
  /// Whether one more than `entries` needs Grow.
  bool IsFull(size_t entries) const { return entries * 2 >= slots_.size(); }
  template <typename HashOf>
  void Grow(size_t entries, HashOf hash_of) {
    Resize(slots_.size() * 2);
    for (uint32_t entry = 0; entry < entries; ++entry) {
      *Find(hash_of(entry), [](uint32_t) { return false; }) = entry;
    }
  }
  /// Empties it, and gives back its memory: hundreds of files may be under construction at once.
  void Clear() {
    if (slots_.size() > kSlotsMin) PoolVector<uint32_t>(slots_.get_allocator()).swap(slots_);
    Resize(kSlotsMin);
  }

 private:
  static constexpr size_t kSlotsMin = 256;

  void Resize(size_t size) {
    slots_.assign(size, kEmpty);
    shift_ = 64 - std::countr_zero(size);
  }

  PoolVector<uint32_t> slots_;
  int shift_ = 0;  ///< the upper bits of a hash are the good ones
};

/// Of 4- or 8-byte values, compared by their bits.
template <typename Word>
class WordDictionary {
 public:
  explicit WordDictionary(arrow::MemoryPool* pool)
      : table_(pool), entries_(arrow::stl::allocator<Word>(pool)) {}

  /// Writes the index of each value. False once the entries would pass `bytes_max`; those added by
  /// then stay until Truncate.
  bool Insert(const Word* values, int64_t count, int64_t bytes_max, uint32_t* indices);
  /// Forgets all entries after the first `count` for good: nothing can be inserted until Clear.
  void Truncate(int64_t count);
  void Clear();

  int64_t count() const { return static_cast<int64_t>(entries_.size()); }
  int64_t plain_bytes() const { return count() * static_cast<int64_t>(sizeof(Word)); }
  const Word* entries() const { return entries_.data(); }

 private:
  SlotTable table_;
  PoolVector<Word> entries_;
};

/// Of byte strings. A BYTE_ARRAY's entry is its 4-byte length and its bytes, a
/// FIXED_LEN_BYTE_ARRAY's its bytes.
class BytesDictionary {
 public:
  /// `fixed_width` 0: BYTE_ARRAY.
  BytesDictionary(int fixed_width, arrow::MemoryPool* pool);

  /// The index of `value`, or -1 when a new entry would pass `bytes_max`.
  int64_t Insert(std::string_view value, int64_t bytes_max) {
    const bool is_short = value.size() <= sizeof(uint64_t);
    const uint64_t hash = is_short ? HashOfShort(value) : HashOfLong(value);
    const uint32_t* slot = table_.Find(hash, [&](uint32_t index) {
      const Entry& entry = entries_[index];
      if (entry.hash != hash || entry.size != value.size()) return false;
      return is_short || std::memcmp(plain_.data() + entry.start, value.data(), value.size()) == 0;
    });
    return *slot != SlotTable::kEmpty ? *slot : Add(value, hash, bytes_max);
  }
  /// As WordDictionary's.
  void Truncate(int64_t count);
  void Clear();

  int64_t count() const { return static_cast<int64_t>(entries_.size()); }
  int64_t plain_bytes() const { return static_cast<int64_t>(plain_.size()); }
  const uint8_t* plain() const { return plain_.data(); }
  std::string_view entry(int64_t index) const {
    return {reinterpret_cast<const char*>(plain_.data()) + entries_[index].start,
            entries_[index].size};
  }

 private:
  struct Entry {
    uint64_t hash;
    uint32_t start;  ///< of its bytes in plain_; dictionary_bytes is below 2^32
    uint32_t size;
  };

  /// Of up to eight bytes; with the size it tells the value, because an odd multiplication loses
  /// nothing.
  static uint64_t HashOfShort(std::string_view value) {
    auto load32 = [](const char* data) {
      uint32_t word;
      std::memcpy(&word, data, sizeof(word));
      return static_cast<uint64_t>(word);
    };
    auto byte = [&](size_t at) {
      return static_cast<uint64_t>(static_cast<uint8_t>(value[at])) << (8 * at);
    };
    const size_t size = value.size();
    uint64_t word = 0;
    if (size >= 4) {
      word = load32(value.data()) | load32(value.data() + size - 4) << (8 * (size - 4));
    } else if (size > 0) {
      word = byte(0) | byte(size / 2) | byte(size - 1);
    }
    return word * 0x9E3779B97F4A7C15u;
  }
  static uint64_t HashOfLong(std::string_view value);
  int64_t Add(std::string_view value, uint64_t hash, int64_t bytes_max);

  const uint32_t prefix_;
  SlotTable table_;
  PoolVector<Entry> entries_;
  PoolVector<uint8_t> plain_;
};

}  // namespace levada::parquet_format
