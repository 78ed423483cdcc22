#pragma once
// RowKeys: some columns of a batch as one text of bytes for each row, so that equal keys are equal
// bytes. And texts of bytes in the order of the values of one column.

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fault.h"

namespace levada::spill {

/// In the canonical form of docs/wire/hash.md, of which no key begins another. Refers to nothing.
class RowKeys final {
 public:
  /// The faults of CellEncoder.
  static Result<RowKeys> Of(const arrow::RecordBatch& batch, std::span<const int> columns);

  std::string_view operator[](int64_t row) const {
    const auto i = static_cast<size_t>(row);
    return std::string_view(bytes_).substr(ends_[i], ends_[i + 1] - ends_[i]);
  }
  uint64_t Hash(int64_t row) const;
  /// 128 bits, low half first: two keys with the same are not seen by chance.
  std::pair<uint64_t, uint64_t> Fingerprint(int64_t row) const;

 private:
  std::string bytes_;
  std::vector<size_t> ends_ = {0};  ///< of the key before, then of each
};

/// Whether rows can be put into order by a column of this type.
bool HasOrder(const arrow::DataType& type);

/// Appends the value at `row` so that memcmp of two is the order of the values: NULL first, then by
/// size, texts by their bytes, NaN last. No such text begins another. kInternal for a type without
/// an order.
Status AppendOrdered(const arrow::Array& values, int64_t row, std::string& bytes);

}  // namespace levada::spill
