#pragma once
// Expression: a text of the grammar, bound to the columns of a schema and ready to be evaluated.
//
// Evaluating never fails for what a value is: a row without a result (an overflow, a division by
// zero, a text that is no number) is listed with its reason, and whoever evaluates says what
// becomes of it. A branch that is not taken is not evaluated: `case when n != 0 then 1 / n end` has
// no failures. Arrow's compute kernels do the work, column by column.

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "expressions/syntax.h"

namespace levada::expressions {

struct Node;

/// A row for which an expression has no value.
struct RowFailure {
  int64_t row = 0;               ///< of the batch, from 0
  const char* reason = nullptr;  ///< "division by zero"; static storage
  Range range;                   ///< of the part of the expression that failed
};

struct Evaluated {
  std::shared_ptr<arrow::Array> values;  ///< NULL where there is a failure
  std::vector<RowFailure> failures;      ///< by row; one for each
};

/// Immutable, thread-safe.
class Expression final {
 public:
  explicit Expression(std::shared_ptr<const Node> root);
  ~Expression();

  const std::shared_ptr<arrow::DataType>& type() const;
  bool nullable() const;
  /// The indices of the columns it reads, each once, ascending.
  std::vector<int> columns() const;

  /// Of each row of `batch`, which has the schema that the expression was compiled for.
  Result<Evaluated> Evaluate(const arrow::RecordBatch& batch, arrow::MemoryPool* pool) const;

 private:
  const std::shared_ptr<const Node> root_;
};

/// An expression, or all that is wrong with the text.
struct Compiled {
  std::shared_ptr<const Expression> expression;
  std::vector<Problem> problems;
};
Compiled Compile(std::string_view text, const arrow::Schema& input);

}  // namespace levada::expressions
