#include "formats/parquet/dictionary.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace levada::parquet_format {
namespace {

/// Fibonacci hashing: spreads counters and round numbers over the upper bits.
template <typename Word>
uint64_t HashWord(Word value) {
  return static_cast<uint64_t>(value) * 0x9E3779B97F4A7C15u;
}

}  // namespace

template <typename Word>
bool WordDictionary<Word>::Insert(const Word* values, int64_t count, int64_t bytes_max,
                                  uint32_t* indices) {
  const size_t entries_max = static_cast<size_t>(bytes_max) / sizeof(Word);
  const Word* entries = entries_.data();
  for (int64_t i = 0; i < count; ++i) {
    const Word value = values[i];
    uint32_t* slot =
        table_.Find(HashWord(value), [=](uint32_t entry) { return entries[entry] == value; });
    if (*slot != SlotTable::kEmpty) {
      indices[i] = *slot;
      continue;
    }
    if (entries_.size() >= entries_max) return false;
    indices[i] = *slot = static_cast<uint32_t>(entries_.size());
    entries_.push_back(value);
    entries = entries_.data();
    if (table_.IsFull(entries_.size())) {
      table_.Grow(entries_.size(), [=](uint32_t entry) { return HashWord(entries[entry]); });
    }
  }
  return true;
}

template <typename Word>
void WordDictionary<Word>::Truncate(int64_t count) {
  entries_.resize(count);
  entries_.shrink_to_fit();
  table_.Clear();
}

template <typename Word>
void WordDictionary<Word>::Clear() {
  entries_.clear();
  entries_.shrink_to_fit();
  table_.Clear();
}

template class WordDictionary<uint32_t>;
template class WordDictionary<uint64_t>;

BytesDictionary::BytesDictionary(int fixed_width, arrow::MemoryPool* pool)
    : prefix_(fixed_width == 0 ? sizeof(uint32_t) : 0),
      table_(pool),
      entries_(arrow::stl::allocator<Entry>(pool)),
      plain_(arrow::stl::allocator<uint8_t>(pool)) {}

uint64_t BytesDictionary::HashOfLong(std::string_view value) {
  return XXH3_64bits(value.data(), value.size());
}

int64_t BytesDictionary::Add(std::string_view value, uint64_t hash, int64_t bytes_max) {
  if (plain_bytes() + prefix_ + static_cast<int64_t>(value.size()) > bytes_max) return -1;
  const auto index = static_cast<uint32_t>(count());
  *table_.Find(hash, [](uint32_t) { return false; }) = index;
  const auto size = static_cast<uint32_t>(value.size());
  const auto* prefix = reinterpret_cast<const uint8_t*>(&size);
  plain_.insert(plain_.end(), prefix, prefix + prefix_);
  entries_.push_back({hash, static_cast<uint32_t>(plain_.size()), size});
  plain_.insert(plain_.end(), value.begin(), value.end());
  if (table_.IsFull(entries_.size())) {
    table_.Grow(entries_.size(), [this](uint32_t entry) { return entries_[entry].hash; });
  }
  return index;
}

void BytesDictionary::Truncate(int64_t count) {
  entries_.resize(count, Entry{});
  entries_.shrink_to_fit();
  plain_.resize(count == 0 ? 0 : entries_.back().start + entries_.back().size);
  plain_.shrink_to_fit();
  table_.Clear();
}

void BytesDictionary::Clear() {
  entries_.clear();
  entries_.shrink_to_fit();
  plain_.clear();
  plain_.shrink_to_fit();
  table_.Clear();
}

}  // namespace levada::parquet_format
