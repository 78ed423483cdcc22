#include "expressions/expression.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "expressions/binder.h"
#include "expressions/node.h"

namespace levada::expressions {
namespace {

class ColumnOperation final : public Operation {
 public:
  explicit ColumnOperation(int index) : index_(index) {}
  Result<Values> Evaluate(const Evaluation& evaluation) const override {
    return Values{evaluation.batch.column(index_), {}};
  }

 private:
  const int index_;
};

// NULL in place of what failed.
Result<std::shared_ptr<arrow::Array>> WithoutFailed(const std::shared_ptr<arrow::Array>& values,
                                                    const std::vector<RowFailure>& failures,
                                                    arrow::compute::ExecContext& exec) {
  if (failures.empty()) return values;
  const int64_t rows = values->length();
  ARROW_ASSIGN_OR_RAISE(auto bits, arrow::AllocateEmptyBitmap(rows, exec.memory_pool()));
  for (const RowFailure& failure : failures) {
    arrow::bit_util::SetBit(bits->mutable_data(), failure.row);
  }
  const auto failed = std::make_shared<arrow::BooleanArray>(rows, std::shared_ptr(std::move(bits)));
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum kept,
      arrow::compute::CallFunction(
          "if_else", {failed, arrow::Datum(arrow::MakeNullScalar(values->type())), values}, &exec));
  return kept.make_array();
}

}  // namespace

Result<Values> Node::Evaluate(const Evaluation& evaluation) const {
  if (constant != nullptr) return Values{constant, {}};
  if (!is_shared) return operation->Evaluate(evaluation);
  const auto known = evaluation.known.find(operation.get());
  if (known != evaluation.known.end()) return known->second;
  ARROW_ASSIGN_OR_RAISE(Values values, operation->Evaluate(evaluation));
  return evaluation.known.emplace(operation.get(), std::move(values)).first->second;
}

Node MakeColumn(int index, const arrow::Field& field, Range range) {
  Node node;
  node.type = field.type();
  node.nullable = field.nullable();
  node.range = range;
  node.operation = std::make_shared<ColumnOperation>(index);
  node.columns = {index};
  return node;
}

Node MakeConstant(std::shared_ptr<arrow::Scalar> value, Range range) {
  Node node;
  node.type = value->type;
  node.nullable = !value->is_valid;
  node.range = range;
  node.constant = std::move(value);
  return node;
}

std::vector<RowFailure> MergedFailures(std::vector<RowFailure> into,
                                       const std::vector<RowFailure>& from) {
  if (from.empty()) return into;
  const size_t middle = into.size();
  into.insert(into.end(), from.begin(), from.end());
  std::ranges::inplace_merge(into, into.begin() + static_cast<std::ptrdiff_t>(middle), {},
                             &RowFailure::row);
  const auto repeated = std::ranges::unique(into, {}, &RowFailure::row);
  into.erase(repeated.begin(), repeated.end());
  return into;
}

Expression::Expression(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
Expression::~Expression() = default;

const std::shared_ptr<arrow::DataType>& Expression::type() const { return root_->type; }
bool Expression::nullable() const { return root_->nullable; }
std::vector<int> Expression::columns() const { return root_->columns; }

Result<Evaluated> Expression::Evaluate(const arrow::RecordBatch& batch,
                                       arrow::MemoryPool* pool) const {
  arrow::compute::ExecContext exec(pool);
  exec.set_use_threads(false);
  std::map<const Operation*, Values> known;
  ARROW_ASSIGN_OR_RAISE(Values values, root_->Evaluate({batch, exec, known}));
  Evaluated evaluated;
  if (values.datum.is_scalar()) {
    ARROW_ASSIGN_OR_RAISE(evaluated.values, arrow::MakeArrayFromScalar(*values.datum.scalar(),
                                                                       batch.num_rows(), pool));
  } else {
    evaluated.values = values.datum.make_array();
  }
  ARROW_ASSIGN_OR_RAISE(evaluated.values, WithoutFailed(evaluated.values, values.failures, exec));
  evaluated.failures = std::move(values.failures);
  return evaluated;
}

Compiled Compile(std::string_view text, const arrow::Schema& input) {
  // Idempotent; without it the registry knows a fraction of the functions.
  if (const Status status = arrow::compute::Initialize(); !status.ok()) {
    return {nullptr, {{{0, text.size()}, status.message(), ""}}};
  }
  Parsed parsed = Parse(text);
  if (!parsed.syntax) return {nullptr, {std::move(parsed.problem)}};
  Binder binder(input);
  Binder::Bound root = binder.Bind(*parsed.syntax);
  if (!root) return {nullptr, binder.problems()};
  return {std::make_shared<Expression>(std::make_shared<const Node>(std::move(*root))), {}};
}

}  // namespace levada::expressions
