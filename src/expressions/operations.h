#pragma once
// Operations: the few shapes of evaluation there are. Each takes nodes whose types already fit.

#include <memory>
#include <string>

#include "expressions/node.h"

namespace arrow::compute {
class FunctionOptions;
}

namespace levada::expressions {

using FunctionOptions = std::shared_ptr<const arrow::compute::FunctionOptions>;

/// A compute function over all rows. Where it fails, the rows that make it fail are found by
/// halving, so that one row's overflow costs the others nothing.
std::shared_ptr<const Operation> MakeKernel(std::string function, Arguments arguments,
                                            FunctionOptions options,
                                            std::shared_ptr<arrow::DataType> type, Range range);

/// The exact conversion of cast: to `type`.
Result<std::shared_ptr<const Operation>> MakeConversion(Node argument,
                                                        std::shared_ptr<arrow::DataType> type,
                                                        Range range);

/// and, or: a failure on the right counts only where the left does not decide.
std::shared_ptr<const Operation> MakeLogic(bool is_and, Node left, Node right);

/// Conditions and values in turn, and the value of the rows that meet none.
std::shared_ptr<const Operation> MakeCase(Arguments arguments);

/// The first that is not NULL.
std::shared_ptr<const Operation> MakeCoalesce(Arguments arguments);

/// low <= value and value <= high.
std::shared_ptr<const Operation> MakeBetween(Node value, Node low, Node high);

}  // namespace levada::expressions
