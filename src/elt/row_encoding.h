#pragma once
// The canonical form of a cell (docs/wire/hash.md), written column by column into rows. Part of
// RowHasher.

#include <arrow/array.h>

#include <cstdint>
#include <memory>

#include "base/fault.h"

namespace levada::elt {

/// Writes cells of one column. Indices count from the start of its array. Refers to the array:
/// dies before it. Thread-safe.
class CellEncoder {
 public:
  virtual ~CellEncoder() = default;
  /// Adds the encoded size of cells [begin, begin + count) to sizes[0..count).
  virtual void AddSizes(int64_t begin, int64_t count, uint64_t* sizes) const = 0;
  /// Writes the same cells at cursors[0..count) and moves each cursor behind its cell.
  virtual void Write(int64_t begin, int64_t count, uint8_t** cursors) const = 0;
};

/// kUnsupportedType for what has no canonical form; kValueRefused for a text, blob or list with
/// 2^32 bytes or elements.
Result<std::unique_ptr<CellEncoder>> MakeCellEncoder(const arrow::Array& array);

}  // namespace levada::elt
