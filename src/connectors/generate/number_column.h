#pragma once
// Columns of numbers, times and switches. All of them begin as whole numbers: a decimal as its
// unscaled value, a time as its count of units, a float as a decimal that is divided once. So no
// result depends on how a compiler or a library rounds.

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "connectors/generate/column.h"
#include "connectors/generate/counter_random.h"
#include "connectors/generate/null_rule.h"

namespace levada::generate {

/// The whole numbers of a column.
class Numbers {
 public:
  virtual ~Numbers() = default;
  /// Those of out.size() rows from `first_row` on.
  virtual void Fill(int64_t first_row, std::span<int64_t> out) const = 0;
};

/// Numbers by a function of the row, `int64_t operator()(int64_t row) const`.
template <typename At>
class RowNumbers final : public Numbers {
 public:
  explicit RowNumbers(At at) : at_(std::move(at)) {}
  void Fill(int64_t first_row, std::span<int64_t> out) const override {
    for (int64_t& number : out) number = at_(first_row++);
  }

 private:
  const At at_;
};

template <typename At>
std::unique_ptr<Numbers> NumbersBy(At at) {
  return std::make_unique<RowNumbers<At>>(std::move(at));
}

/// start, start + step, ...
struct Sequence {
  int64_t start = 0;
  int64_t step = 1;
  int64_t operator()(int64_t row) const {
    return static_cast<int64_t>(static_cast<uint64_t>(start) +
                                static_cast<uint64_t>(row) * static_cast<uint64_t>(step));
  }
};

/// Any of `count` numbers from `least` on, each as likely; with `count` 0 any at all.
struct Uniform {
  uint64_t key = 0;
  int64_t least = 0;
  uint64_t count = 0;
  int64_t operator()(int64_t row) const {
    return static_cast<int64_t>(static_cast<uint64_t>(least) + Below(WordAt(key, row), count));
  }
};

/// least to greatest, both included.
inline Uniform UniformBetween(uint64_t key, int64_t least, int64_t greatest) {
  return {key, least, static_cast<uint64_t>(greatest) - static_cast<uint64_t>(least) + 1};
}

/// One of `values`, each as likely.
struct Choice {
  uint64_t key = 0;
  std::vector<int64_t> values;
  int64_t operator()(int64_t row) const { return values[Below(WordAt(key, row), values.size())]; }
};

struct NumberColumnParts {
  std::shared_ptr<arrow::Field> field;
  std::unique_ptr<Numbers> numbers = {};
  NullRule nulls = {};
  double distinct = kAllDistinct;
  std::optional<Rise> rise = {};
  int float_scale = 0;  ///< of a float: its numbers are divided by 10^float_scale, 0 to 15
};

/// Types: bool (whether a number is odd), integers, float32, float64, decimals up to 38 digits,
/// date, time, timestamp. Precondition: the numbers are in the type's range.
std::unique_ptr<Column> MakeNumberColumn(NumberColumnParts parts);

}  // namespace levada::generate
