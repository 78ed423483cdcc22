#pragma once
// Convert: one column from one type to another, value by value where a value may fail.
//
// A conversion is exact or it fails: no digit is rounded, nothing overflows, no zone is guessed.
// What a text means is decided by elt/literal.h, everything else by Arrow's safe casts.

#include <arrow/array.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "elt/stages.h"

namespace levada::cast {

/// Why there is no conversion from `from` to `to`; empty when there is one. Decided by the types
/// alone.
std::string WhyNot(const arrow::DataType& from, const arrow::DataType& to);

struct Failure {
  int64_t row = 0;
  std::string reason;  ///< a few words; never the value
};

struct Converted {
  std::shared_ptr<arrow::Array> array;  ///< of `to`; NULL where a value failed
  std::vector<Failure> failures;        ///< by row
};

/// Precondition: WhyNot is empty for the types.
Result<Converted> Convert(const Context& ctx, const std::shared_ptr<arrow::Array>& column,
                          const std::shared_ptr<arrow::DataType>& to);

}  // namespace levada::cast
