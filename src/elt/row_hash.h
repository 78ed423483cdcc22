#pragma once
// RowHasher: the hash of a stream of rows that `verify: readback` compares.
//
// Each row is written in one canonical form (docs/wire/hash.md), hashed with XXH3-64, and the
// hashes are added modulo 2^64. So the result does not depend on where batches are cut, on the
// order of rows, or on how Arrow lays values out: string, large_string, string_view and
// dictionaries of them agree, as do decimals of every width, integers of every width and timestamps
// of every unit. NULL differs from an empty value. It guards against mistakes, not against an
// attacker.

#include <arrow/record_batch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/fault.h"

namespace levada::elt {

/// One thread at a time. Keeps one block of encoded rows: 256 KiB, or the largest row.
class RowHasher final {
 public:
  /// kUnsupportedType for unions, run-end encoded columns and types nested deeper than 32; the
  /// batch is then not counted at all. kValueRefused for a value of 4 GiB or more.
  Status Update(const arrow::RecordBatch& batch);

  int64_t rows() const { return rows_; }
  uint64_t sum() const { return sum_; }
  /// 16 lower-case hex digits of sum(); "0000000000000000" without rows.
  std::string Hex() const;

 private:
  uint64_t sum_ = 0;
  int64_t rows_ = 0;
  std::vector<uint8_t> block_;
};

/// The canonical form of each row of `batch`: what RowHasher hashes. For tests and for comparing
/// two rows whose hashes differ; slow.
Result<std::vector<std::string>> CanonicalRows(const arrow::RecordBatch& batch);

}  // namespace levada::elt
