#pragma once
// Random words as a function of a key and a row number: splitmix64 (Steele, Lea and Flood, "Fast
// splittable pseudorandom number generators", 2014) with the row as its counter. Any row can be
// made alone, and in whole numbers only, so that every build makes the same. Not for secrets.

#include <cstdint>
#include <string_view>

namespace levada::generate {

/// 2^64 divided by the golden ratio, odd.
inline constexpr uint64_t kGamma = 0x9E3779B97F4A7C15;

/// A bijection in which every bit of the result depends on every bit of `word`.
constexpr uint64_t Mix(uint64_t word) {
  word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
  word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
  return word ^ (word >> 31);
}

/// The key of what is called `name` under `seed`: FNV-1a over the name. So a column keeps its
/// values when others come before it.
constexpr uint64_t KeyOf(uint64_t seed, std::string_view name) {
  uint64_t hash = 0xCBF29CE484222325 ^ Mix(seed + kGamma);
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return Mix(hash);
}

/// The word of `row`.
constexpr uint64_t WordAt(uint64_t key, int64_t row) {
  return Mix(key + (static_cast<uint64_t>(row) + 1) * kGamma);
}

/// `word` as one of 0 to `count` - 1; with `count` 0 as one of all. The bias is count / 2^64.
constexpr uint64_t Below(uint64_t word, uint64_t count) {
  return count == 0 ? word
                    : static_cast<uint64_t>((static_cast<unsigned __int128>(word) * count) >> 64);
}

/// As many words of one row as a value needs.
class RowWords final {
 public:
  constexpr RowWords(uint64_t key, int64_t row) : state_(WordAt(key, row)) {}
  constexpr uint64_t Next() {
    state_ += kGamma;
    return Mix(state_);
  }

 private:
  uint64_t state_;
};

}  // namespace levada::generate
