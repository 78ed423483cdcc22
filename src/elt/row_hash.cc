#include "elt/row_hash.h"

#define XXH_INLINE_ALL  // rows are short: the call would cost as much as the hash
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>

#include "elt/row_encoding.h"

namespace levada::elt {
namespace {

// Rows are encoded in blocks that stay in the second-level cache.
constexpr int64_t kBlockRows = 512;
constexpr uint64_t kBlockBytes = 256 << 10;

/// Calls `take(bytes, size)` for each row of `batch` in order. `block` is scratch space.
template <typename Take>
Status ForEachRow(const arrow::RecordBatch& batch, std::vector<uint8_t>& block, Take&& take) {
  std::vector<std::unique_ptr<CellEncoder>> columns;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (int c = 0; c < batch.num_columns(); ++c) {
    arrays.push_back(batch.column(c));
    ARROW_ASSIGN_OR_RAISE(auto encoder, MakeCellEncoder(*arrays.back()));
    columns.push_back(std::move(encoder));
  }
  std::array<uint64_t, kBlockRows> sizes;
  std::array<uint8_t*, kBlockRows> cursors;
  for (int64_t begin = 0; begin < batch.num_rows();) {
    int64_t count = std::min(kBlockRows, batch.num_rows() - begin);
    std::fill_n(sizes.begin(), count, 0);
    for (const auto& column : columns) column->AddSizes(begin, count, sizes.data());
    uint64_t bytes = sizes[0];
    int64_t fitting = 1;
    while (fitting < count && bytes + sizes[fitting] <= kBlockBytes) bytes += sizes[fitting++];
    count = fitting;
    if (block.size() < bytes) block.resize(bytes);
    uint8_t* start = block.data();
    for (int64_t k = 0; k < count; ++k) cursors[k] = std::exchange(start, start + sizes[k]);
    for (const auto& column : columns) column->Write(begin, count, cursors.data());
    for (int64_t k = 0; k < count; ++k) take(cursors[k] - sizes[k], sizes[k]);
    begin += count;
  }
  return Status::OK();
}

}  // namespace

Status RowHasher::Update(const arrow::RecordBatch& batch) {
  uint64_t sum = 0;
  ARROW_RETURN_NOT_OK(ForEachRow(
      batch, block_, [&sum](const uint8_t* row, uint64_t size) { sum += XXH3_64bits(row, size); }));
  sum_ += sum;
  rows_ += batch.num_rows();
  return Status::OK();
}

std::string RowHasher::Hex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(16, '0');
  for (int i = 0; i < 16; ++i) hex[i] = kDigits[(sum_ >> (60 - 4 * i)) & 15];
  return hex;
}

Result<std::vector<std::string>> CanonicalRows(const arrow::RecordBatch& batch) {
  std::vector<std::string> rows;
  std::vector<uint8_t> block;
  ARROW_RETURN_NOT_OK(ForEachRow(batch, block, [&rows](const uint8_t* row, uint64_t size) {
    rows.emplace_back(reinterpret_cast<const char*>(row), size);
  }));
  return rows;
}

}  // namespace levada::elt
