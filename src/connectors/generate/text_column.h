#pragma once
// Columns of texts and bytes.

#include <cstdint>
#include <memory>
#include <utility>

#include "connectors/generate/column.h"
#include "connectors/generate/null_rule.h"

namespace levada::generate {

/// Bytes behind the longest value that a writer may spoil: copies of a fixed size are fast.
inline constexpr int64_t kTextSlackBytes = 32;

/// The values of a column.
class Texts {
 public:
  virtual ~Texts() = default;
  /// Writes those of `rows` rows from `first_row` on behind each other, nothing of rows that are
  /// NULL, and their ends to offsets[1] and so on; offsets[0] is 0. The place behind the last.
  virtual uint8_t* Fill(int64_t first_row, int64_t rows, const uint8_t* validity, int32_t* offsets,
                        uint8_t* out) const = 0;
};

/// Texts by a function of the row, `uint8_t* operator()(int64_t row, uint8_t* out) const`, which
/// gives the place behind what it wrote.
template <typename Write>
class RowTexts final : public Texts {
 public:
  explicit RowTexts(Write write) : write_(std::move(write)) {}
  uint8_t* Fill(int64_t first_row, int64_t rows, const uint8_t* validity, int32_t* offsets,
                uint8_t* out) const override {
    const uint8_t* const begin = out;
    for (int64_t i = 0; i < rows; ++i) {
      if (validity == nullptr || ((validity[i / 8] >> (i % 8)) & 1) != 0) {
        out = write_(first_row + i, out);
      }
      offsets[i + 1] = static_cast<int32_t>(out - begin);
    }
    return out;
  }

 private:
  const Write write_;
};

template <typename Write>
std::unique_ptr<Texts> TextsBy(Write write) {
  return std::make_unique<RowTexts<Write>>(std::move(write));
}

/// Texts and how long they are.
struct TextForm {
  std::unique_ptr<Texts> texts;
  double average_bytes = 0;
  int64_t bytes_max = 0;
  double distinct = kAllDistinct;
};

/// `field` is of type text or binary.
std::unique_ptr<Column> MakeTextColumn(std::shared_ptr<arrow::Field> field, TextForm form,
                                       const NullRule& nulls);

}  // namespace levada::generate
