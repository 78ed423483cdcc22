#include "expressions/operations.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/api.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "conversions/column_cast.h"

namespace levada::expressions {
namespace {

using arrow::Datum;

/// A boolean column or value, row by row.
class Truth {
 public:
  explicit Truth(const Datum& datum) {
    if (datum.is_scalar()) {
      const auto& scalar = static_cast<const arrow::BooleanScalar&>(*datum.scalar());
      if (scalar.is_valid) constant_ = scalar.value;
    } else {
      array_ = std::static_pointer_cast<arrow::BooleanArray>(datum.make_array());
    }
  }
  bool Is(bool value, int64_t row) const {
    if (!array_) return constant_ == value;
    return array_->IsValid(row) && array_->Value(row) == value;
  }

 private:
  std::optional<bool> constant_;
  std::shared_ptr<arrow::BooleanArray> array_;
};

bool IsNullAt(const Datum& datum, int64_t row) {
  return datum.is_scalar() ? !datum.scalar()->is_valid : datum.array()->IsNull(row);
}

// Arrow says what went wrong in a sentence; a user needs the two words of it.
const char* ReasonOf(const Status& status) {
  const std::string& message = status.message();
  if (message.find("divide by zero") != std::string::npos) return "division by zero";
  for (const char* part : {"overflow", "not in range", "does not fit", "out of range"}) {
    if (message.find(part) != std::string::npos) return "overflow";
  }
  if (message.find("square root of negative") != std::string::npos)
    return "root of a negative number";
  if (message.find("logarithm of zero") != std::string::npos) return "logarithm of zero";
  if (message.find("logarithm of negative") != std::string::npos)
    return "logarithm of a negative number";
  return "no such value";
}

// Errors of values; everything else (memory, a missing function) is an error of the run.
bool IsOfValues(const Status& status) { return status.IsInvalid(); }

class Kernel final : public Operation {
 public:
  Kernel(std::string function, Arguments arguments, FunctionOptions options,
         std::shared_ptr<arrow::DataType> type, Range range)
      : function_(std::move(function)),
        arguments_(std::move(arguments)),
        options_(std::move(options)),
        type_(std::move(type)),
        range_(range) {}

  Result<Values> Evaluate(const Evaluation& evaluation) const override {
    std::vector<Datum> inputs;
    Values values;
    for (const Node& argument : arguments_) {
      ARROW_ASSIGN_OR_RAISE(Values input, argument.Evaluate(evaluation));
      inputs.push_back(std::move(input.datum));
      values.failures = MergedFailures(std::move(values.failures), input.failures);
    }
    Result<Datum> whole = Call(inputs, evaluation);
    if (whole.ok()) {
      values.datum = *std::move(whole);
      return values;
    }
    if (!IsOfValues(whole.status())) return whole.status();
    arrow::ArrayVector pieces;
    std::vector<RowFailure> failures;
    const int64_t rows = evaluation.batch.num_rows();
    ARROW_RETURN_NOT_OK(Halve(inputs, 0, rows, whole.status(), evaluation, pieces, failures));
    ARROW_ASSIGN_OR_RAISE(auto joined, arrow::Concatenate(pieces, evaluation.exec.memory_pool()));
    values.datum = std::move(joined);
    values.failures = MergedFailures(std::move(values.failures), failures);
    return values;
  }

 private:
  Result<Datum> Call(const std::vector<Datum>& inputs, const Evaluation& evaluation) const {
    return arrow::compute::CallFunction(function_, inputs, options_.get(), &evaluation.exec);
  }

  // The rows [begin, begin + count), for which the call failed with `status`.
  Status Halve(const std::vector<Datum>& inputs, int64_t begin, int64_t count, const Status& status,
               const Evaluation& evaluation, arrow::ArrayVector& pieces,
               std::vector<RowFailure>& failures) const {
    if (count == 1) {
      failures.push_back({begin, ReasonOf(status), range_});
      ARROW_ASSIGN_OR_RAISE(auto null,
                            arrow::MakeArrayOfNull(type_, 1, evaluation.exec.memory_pool()));
      pieces.push_back(std::move(null));
      return Status::OK();
    }
    for (const auto& [from, rows] :
         {std::pair{begin, count / 2}, std::pair{begin + count / 2, count - count / 2}}) {
      std::vector<Datum> slices;
      for (const Datum& input : inputs) {
        slices.push_back(input.is_array() ? Datum(input.array()->Slice(from, rows)) : input);
      }
      Result<Datum> part = Call(slices, evaluation);
      if (part.ok()) {
        pieces.push_back(part->make_array());
        continue;
      }
      if (!IsOfValues(part.status())) return part.status();
      ARROW_RETURN_NOT_OK(Halve(inputs, from, rows, part.status(), evaluation, pieces, failures));
    }
    return Status::OK();
  }

  const std::string function_;
  const Arguments arguments_;
  const FunctionOptions options_;
  const std::shared_ptr<arrow::DataType> type_;
  const Range range_;
};

class Conversion final : public Operation {
 public:
  Conversion(Node argument, std::unique_ptr<conversions::ColumnCast> cast, Range range)
      : argument_(std::move(argument)), cast_(std::move(cast)), range_(range) {}

  Result<Values> Evaluate(const Evaluation& evaluation) const override {
    ARROW_ASSIGN_OR_RAISE(Values values, argument_.Evaluate(evaluation));
    arrow::MemoryPool* pool = evaluation.exec.memory_pool();
    std::shared_ptr<arrow::Array> array;
    if (values.datum.is_scalar()) {
      const int64_t rows = evaluation.batch.num_rows();
      ARROW_ASSIGN_OR_RAISE(array, arrow::MakeArrayFromScalar(*values.datum.scalar(), rows, pool));
    } else {
      array = values.datum.make_array();
    }
    ARROW_ASSIGN_OR_RAISE(conversions::CastColumn converted, cast_->Convert(array, pool));
    std::vector<RowFailure> failures;
    for (const conversions::CastFailure& failure : converted.failures) {
      failures.push_back({failure.row, failure.reason, range_});
    }
    return Values{std::move(converted.values),
                  MergedFailures(std::move(values.failures), failures)};
  }

 private:
  const Node argument_;
  const std::unique_ptr<conversions::ColumnCast> cast_;
  const Range range_;
};

// Failures of rows for which `counts` says that the value is looked at.
template <typename Counts>
std::vector<RowFailure> Those(const std::vector<RowFailure>& failures, Counts counts) {
  std::vector<RowFailure> kept;
  std::ranges::copy_if(failures, std::back_inserter(kept),
                       [&](const RowFailure& failure) { return counts(failure.row); });
  return kept;
}

class Logic final : public Operation {
 public:
  Logic(bool is_and, Node left, Node right)
      : is_and_(is_and), left_(std::move(left)), right_(std::move(right)) {}

  Result<Values> Evaluate(const Evaluation& evaluation) const override {
    ARROW_ASSIGN_OR_RAISE(Values left, left_.Evaluate(evaluation));
    ARROW_ASSIGN_OR_RAISE(Values right, right_.Evaluate(evaluation));
    const Truth truth(left.datum);
    const auto counts = [&](int64_t row) { return !truth.Is(!is_and_, row); };
    Values values;
    values.failures = MergedFailures(std::move(left.failures), Those(right.failures, counts));
    ARROW_ASSIGN_OR_RAISE(
        values.datum, arrow::compute::CallFunction(is_and_ ? "and_kleene" : "or_kleene",
                                                   {left.datum, right.datum}, &evaluation.exec));
    return values;
  }

 private:
  const bool is_and_;
  const Node left_, right_;
};

class Case final : public Operation {
 public:
  explicit Case(Arguments arguments) : arguments_(std::move(arguments)) {}

  Result<Values> Evaluate(const Evaluation& evaluation) const override {
    const size_t branches = arguments_.size() / 2;
    std::vector<Datum> conditions, choices;
    std::vector<Truth> truths;
    const auto is_open = [&](int64_t row) {
      return std::ranges::none_of(truths, [&](const Truth& truth) { return truth.Is(true, row); });
    };
    Values values;
    for (size_t i = 0; i <= branches; ++i) {
      Values condition, choice;
      std::optional<Truth> truth;
      if (i < branches) {
        ARROW_ASSIGN_OR_RAISE(condition, arguments_[2 * i].Evaluate(evaluation));
        truth.emplace(condition.datum);
        values.failures =
            MergedFailures(std::move(values.failures), Those(condition.failures, is_open));
      }
      ARROW_ASSIGN_OR_RAISE(choice,
                            arguments_[i < branches ? 2 * i + 1 : 2 * i].Evaluate(evaluation));
      const auto counts = [&](int64_t row) {
        return is_open(row) && (!truth || truth->Is(true, row));
      };
      values.failures = MergedFailures(std::move(values.failures), Those(choice.failures, counts));
      if (i < branches) {
        truths.push_back(std::move(*truth));
        conditions.push_back(std::move(condition.datum));
      }
      choices.push_back(std::move(choice.datum));
    }
    std::vector<std::string> names;
    for (size_t i = 0; i < branches; ++i) names.push_back(std::to_string(i));
    const arrow::compute::MakeStructOptions options(std::move(names));
    ARROW_ASSIGN_OR_RAISE(Datum cases, arrow::compute::CallFunction("make_struct", conditions,
                                                                    &options, &evaluation.exec));
    choices.insert(choices.begin(), std::move(cases));
    ARROW_ASSIGN_OR_RAISE(values.datum,
                          arrow::compute::CallFunction("case_when", choices, &evaluation.exec));
    return values;
  }

 private:
  const Arguments arguments_;
};

class Coalesce final : public Operation {
 public:
  explicit Coalesce(Arguments arguments) : arguments_(std::move(arguments)) {}

  Result<Values> Evaluate(const Evaluation& evaluation) const override {
    Values values;
    std::vector<Datum> inputs;
    for (const Node& argument : arguments_) {
      ARROW_ASSIGN_OR_RAISE(Values input, argument.Evaluate(evaluation));
      const auto counts = [&](int64_t row) {
        return std::ranges::all_of(inputs, [&](const Datum& d) { return IsNullAt(d, row); });
      };
      values.failures = MergedFailures(std::move(values.failures), Those(input.failures, counts));
      inputs.push_back(std::move(input.datum));
    }
    ARROW_ASSIGN_OR_RAISE(values.datum,
                          arrow::compute::CallFunction("coalesce", inputs, &evaluation.exec));
    return values;
  }

 private:
  const Arguments arguments_;
};

class Between final : public Operation {
 public:
  Between(Node value, Node low, Node high)
      : value_(std::move(value)), low_(std::move(low)), high_(std::move(high)) {}

  Result<Values> Evaluate(const Evaluation& evaluation) const override {
    ARROW_ASSIGN_OR_RAISE(Values value, value_.Evaluate(evaluation));
    ARROW_ASSIGN_OR_RAISE(Values low, low_.Evaluate(evaluation));
    ARROW_ASSIGN_OR_RAISE(Values high, high_.Evaluate(evaluation));
    auto* exec = &evaluation.exec;
    ARROW_ASSIGN_OR_RAISE(
        Datum from, arrow::compute::CallFunction("greater_equal", {value.datum, low.datum}, exec));
    ARROW_ASSIGN_OR_RAISE(
        Datum to, arrow::compute::CallFunction("less_equal", {value.datum, high.datum}, exec));
    Values both;
    both.failures =
        MergedFailures(MergedFailures(std::move(value.failures), low.failures), high.failures);
    ARROW_ASSIGN_OR_RAISE(both.datum, arrow::compute::CallFunction("and_kleene", {from, to}, exec));
    return both;
  }

 private:
  const Node value_, low_, high_;
};

}  // namespace

std::shared_ptr<const Operation> MakeKernel(std::string function, Arguments arguments,
                                            FunctionOptions options,
                                            std::shared_ptr<arrow::DataType> type, Range range) {
  return std::make_shared<Kernel>(std::move(function), std::move(arguments), std::move(options),
                                  std::move(type), range);
}

Result<std::shared_ptr<const Operation>> MakeConversion(Node argument,
                                                        std::shared_ptr<arrow::DataType> type,
                                                        Range range) {
  conversions::CastTarget target;
  target.type = std::move(type);
  ARROW_ASSIGN_OR_RAISE(auto cast, conversions::MakeColumnCast(argument.type, target));
  return std::make_shared<Conversion>(std::move(argument), std::move(cast), range);
}

std::shared_ptr<const Operation> MakeLogic(bool is_and, Node left, Node right) {
  return std::make_shared<Logic>(is_and, std::move(left), std::move(right));
}

std::shared_ptr<const Operation> MakeCase(Arguments arguments) {
  return std::make_shared<Case>(std::move(arguments));
}

std::shared_ptr<const Operation> MakeCoalesce(Arguments arguments) {
  return std::make_shared<Coalesce>(std::move(arguments));
}

std::shared_ptr<const Operation> MakeBetween(Node value, Node low, Node high) {
  return std::make_shared<Between>(std::move(value), std::move(low), std::move(high));
}

}  // namespace levada::expressions
