#pragma once
// Expressions as options of a stage: what is wrong with one is shown in the pipeline file, at the
// very words.

#include <memory>
#include <string_view>
#include <vector>

#include "elt/options.h"
#include "expressions/expression.h"

namespace levada::expressions {

/// What the text of option `name` (or, with "", of `options` itself) says by the columns of
/// `input`. Nothing, with everything that is wrong in `problems`, where it cannot be understood.
std::shared_ptr<const Expression> CompileOption(const elt::Options& options, std::string_view name,
                                                const arrow::Schema& input,
                                                std::vector<Diagnostic>& problems);
/// The same as far as no column needs to be known: for the time before a source was asked.
void CheckOption(const elt::Options& options, std::string_view name,
                 std::vector<Diagnostic>& problems);

/// "amount / n: division by zero": the failed part of `text`, cut to a line, and the reason.
std::string FailureText(std::string_view text, const RowFailure& failure);

}  // namespace levada::expressions
