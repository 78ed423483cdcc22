#include "transformers/validate/row_rules.h"

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "expressions/expression_option.h"

namespace levada::validate {
namespace {

struct Breach {
  int64_t row = 0;
  std::string reason;
};

// The rows that break `rule`, ascending.
Result<std::vector<Breach>> BreachesOf(const RowRule& rule, const Context& ctx,
                                       const elt::BatchPtr& batch) {
  ARROW_ASSIGN_OR_RAISE(const expressions::Evaluated evaluated,
                        rule.condition->Evaluate(*batch, ctx.pool));
  std::vector<Breach> breaches;
  for (const expressions::RowFailure& failure : evaluated.failures) {
    breaches.push_back({failure.row, expressions::FailureText(rule.text, failure)});
  }
  const auto& holds = static_cast<const arrow::BooleanArray&>(*evaluated.values);
  if (holds.false_count() == 0) return breaches;
  for (int64_t row = 0; row < holds.length(); ++row) {
    if (holds.IsValid(row) && !holds.Value(row)) breaches.push_back({row, rule.what});
  }
  std::ranges::sort(breaches, {}, &Breach::row);
  return breaches;
}

Status Failed(const RowRule& rule, const Breach& breach) {
  const std::string row = std::to_string(breach.row + 1);
  Fault fault(FaultCode::kValidationFailed,
              "validate: " + breach.reason + " (row " + row + " of its batch)");
  fault.With("batch_row", row).With("reason", breach.reason);
  fault.Help(
      rule.column < 0
          ? "correct the data, or say what such rows get, on_error: discard_row | quarantine"
          : "correct the data, or say what such rows get, on_error: discard_value | discard_row | "
            "quarantine");
  return fault;
}

// `values` with NULL in those rows.
Result<std::shared_ptr<arrow::Array>> WithNulls(const std::shared_ptr<arrow::Array>& values,
                                                const std::vector<bool>& nulls,
                                                arrow::MemoryPool* pool) {
  arrow::BooleanBuilder mask(pool);
  ARROW_RETURN_NOT_OK(mask.AppendValues(nulls));
  ARROW_ASSIGN_OR_RAISE(auto is_null, mask.Finish());
  arrow::compute::ExecContext exec(pool);
  exec.set_use_threads(false);
  ARROW_ASSIGN_OR_RAISE(
      const arrow::Datum kept,
      arrow::compute::CallFunction(
          "if_else", {is_null, arrow::MakeNullScalar(values->type()), values}, &exec));
  return kept.make_array();
}

}  // namespace

Result<elt::Mapped> RowRules::Apply(Context& ctx, const elt::BatchPtr& batch,
                                    elt::RejectBuffer& rejects) const {
  elt::RowFates fates;
  std::map<int, std::vector<bool>> discarded;  // by column
  std::optional<std::pair<int64_t, Status>> first_failure;
  for (const RowRule& rule : rules_) {
    ARROW_ASSIGN_OR_RAISE(const std::vector<Breach> breaches, BreachesOf(rule, ctx, batch));
    if (breaches.empty()) continue;
    if (rule.on_error == elt::OnError::kFail) {
      if (!first_failure || breaches.front().row < first_failure->first) {
        first_failure = {breaches.front().row, Failed(rule, breaches.front())};
      }
      continue;
    }
    const std::string column = rule.column < 0 ? "" : input_->field(rule.column)->name();
    for (const Breach& breach : breaches) {
      if (rule.on_error == elt::OnError::kDiscardValue) {
        auto& rows = discarded[rule.column];
        rows.resize(static_cast<size_t>(batch->num_rows()));
        auto is_discarded = rows[static_cast<size_t>(breach.row)];
        if (is_discarded) continue;  // by another rule
        is_discarded = true;
      }
      fates.Add(breach.row, rule.on_error, column, breach.reason);
    }
  }
  if (first_failure) return first_failure->second;
  arrow::ArrayVector arrays = batch->columns();
  for (const auto& [column, rows] : discarded) {
    auto& values = arrays[static_cast<size_t>(column)];
    ARROW_ASSIGN_OR_RAISE(values, WithNulls(values, rows, ctx.pool));
  }
  auto whole = arrow::RecordBatch::Make(output_, batch->num_rows(), std::move(arrays));
  return fates.Apply("validate", batch, std::move(whole), rejects, ctx.pool);
}

}  // namespace levada::validate
