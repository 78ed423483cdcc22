#pragma once
// Cells: values of columns as people write them, and back.

#include <arrow/array.h>
#include <arrow/memory_pool.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fault.h"

namespace levada::app {

/// A value as text; nothing stands for NULL.
using Cell = std::optional<std::string>;

/// For people: NULL, and "" for an empty text.
std::string Shown(const Cell& cell);

/// Of each row, exactly: as a cast to text gives it, or, of lists and structs, JSON.
Result<std::vector<Cell>> CellsOf(const std::shared_ptr<arrow::Array>& values,
                                  arrow::MemoryPool* pool);

/// A column of `type` whose values are `cells`, converted as by a cast from text.
struct ParsedCells {
  std::shared_ptr<arrow::Array> values;              ///< NULL where there is a problem
  std::vector<std::optional<std::string>> problems;  ///< per row, why it is no value of the type
};
/// kBadCast where text has no conversion to `type`.
Result<ParsedCells> ParseCells(const std::vector<Cell>& cells,
                               const std::shared_ptr<arrow::DataType>& type,
                               arrow::MemoryPool* pool);

}  // namespace levada::app
