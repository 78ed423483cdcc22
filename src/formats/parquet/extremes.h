#pragma once
// Minimum and maximum of one column chunk, for the footer. Internal.
//
// The rules are the format's (parquet.thrift, ColumnOrder): integers and decimals by value,
// unsigned ones as such, bytes and text bytewise; a zero minimum is written as -0 and a zero
// maximum as +0. A chunk that holds a NaN gets no bounds: the format leaves NaN out of them, but to
// DuckDB and Spark it is the largest number, and they would pass over the chunk when asked for what
// is larger.

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "formats/parquet/leaf_plan.h"

namespace levada::parquet_format {

class Extremes {
 public:
  enum class Order : uint8_t { kSigned, kUnsigned, kFloating, kBytes, kBigEndianSigned };

  /// PLAIN encodings of the two (a BYTE_ARRAY without its length).
  struct Bounds {
    std::string min;
    std::string max;
  };

  explicit Extremes(Order order) : order_(order) {}
  static Order OrderOf(const LeafPlan& leaf);

  /// Integers of 4 or 8 bytes, or the bits of float and double.
  void AddWords(const uint32_t* values, int64_t count);
  void AddWords(const uint64_t* values, int64_t count);
  void AddBools(const uint8_t* bitmap, int64_t count);
  /// Bytes, text, and big-endian decimals. The bytes must stay until Settle.
  void AddBytes(std::string_view value);
  /// The first eight bytes as a number that compares as they do. The eight bytes at `data` must be
  /// readable.
  static uint64_t PrefixOf(const uint8_t* data, size_t length) {
    uint64_t word;
    std::memcpy(&word, data, sizeof(word));
    word = __builtin_bswap64(word);
    if (length >= sizeof(word)) return word;
    return length == 0 ? 0 : word & (~uint64_t{0} << (64 - 8 * length));
  }
  /// False when a value of this prefix (kBytes order) cannot change the extremes: spares most calls
  /// of AddBytes.
  bool MayMatter(uint64_t prefix) const { return prefix <= low_prefix_ || prefix >= high_prefix_; }
  /// Call before the bytes given to AddBytes go away.
  void Settle();

  /// Nothing when there was no value, a NaN, or the bytes are too long for a footer.
  std::optional<Bounds> Take();
  void Clear();

 private:
  bool Less(std::string_view a, std::string_view b) const;
  template <typename Word>
  void AddIntegers(const Word* values, int64_t count);
  template <typename Float, typename Word>
  void AddFloats(const Word* values, int64_t count);

  const Order order_;
  bool any_ = false;
  int width_ = 0;  ///< of the words
  int64_t min_ = 0;
  int64_t max_ = 0;
  double float_min_ = 0;
  double float_max_ = 0;
  bool nan_ = false;
  uint64_t low_prefix_ = UINT64_MAX;
  uint64_t high_prefix_ = 0;
  std::string_view low_;
  std::string_view high_;
  std::string low_kept_;
  std::string high_kept_;
};

}  // namespace levada::parquet_format
