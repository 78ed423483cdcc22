#pragma once
// Node: one part of a bound expression. Its type is known, its columns are indices, what it means
// is an Operation. For the sources of this folder only.

#include <arrow/datum.h>
#include <arrow/scalar.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "expressions/expression.h"

namespace arrow::compute {
class ExecContext;
}

namespace levada::expressions {

/// What an operation gives: a column, or one value that stands for all rows.
struct Values {
  arrow::Datum datum;
  /// By row, each once. The datum's values of these rows mean nothing.
  std::vector<RowFailure> failures;
};

class Operation;

struct Evaluation {
  const arrow::RecordBatch& batch;
  arrow::compute::ExecContext& exec;
  std::map<const Operation*, Values>& known;  ///< what shared nodes have given
};

class Operation {
 public:
  virtual ~Operation() = default;
  virtual Result<Values> Evaluate(const Evaluation& evaluation) const = 0;
};

struct Node {
  std::shared_ptr<arrow::DataType> type;
  bool nullable = true;
  Range range;
  std::shared_ptr<arrow::Scalar> constant;  ///< the one value of a node that reads no column
  bool is_bare_text = false;                ///< 'a text' as written, which may stand for a date
  bool is_shared = false;                   ///< several operations work on it: it is evaluated once
  std::shared_ptr<const Operation> operation;  ///< null for a constant
  std::vector<int> columns;                    ///< that it reads, each once, ascending

  Result<Values> Evaluate(const Evaluation& evaluation) const;
};

/// What an operation works on.
using Arguments = std::vector<Node>;

Node MakeColumn(int index, const arrow::Field& field, Range range);
Node MakeConstant(std::shared_ptr<arrow::Scalar> value, Range range);

/// Both of nodes without failures of their own and of those of `from`, row by row the first.
std::vector<RowFailure> MergedFailures(std::vector<RowFailure> into,
                                       const std::vector<RowFailure>& from);

}  // namespace levada::expressions
