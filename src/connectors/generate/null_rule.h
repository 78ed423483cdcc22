#pragma once
// NullRule: which rows of a column are NULL.

#include <arrow/buffer.h>

#include <cstdint>
#include <memory>

#include "base/fault.h"
#include "connectors/generate/counter_random.h"

namespace levada::generate {

class NullRule final {
 public:
  static constexpr int64_t kBillion = 1'000'000'000;

  /// No row is.
  NullRule() = default;
  /// Of a billion rows about so many, 0 to kBillion; `key` of its own.
  NullRule(uint64_t key, int64_t billionths)
      : key_(key),
        threshold_(static_cast<uint64_t>((static_cast<unsigned __int128>(billionths) << 63) /
                                         static_cast<unsigned __int128>(kBillion))),
        fraction_(static_cast<double>(billionths) / static_cast<double>(kBillion)) {}

  bool any() const { return threshold_ > 0; }
  double fraction() const { return fraction_; }
  bool IsNull(int64_t row) const { return (WordAt(key_, row) >> 1) < threshold_; }

  /// A validity bitmap; none where no row can be NULL.
  struct Validity {
    std::shared_ptr<arrow::Buffer> bits;
    int64_t null_count = 0;
  };
  Result<Validity> Make(int64_t first_row, int64_t rows, arrow::MemoryPool* pool) const;

 private:
  uint64_t key_ = 0;
  uint64_t threshold_ = 0;  ///< of 2^63
  double fraction_ = 0;
};

}  // namespace levada::generate
