#include "transformers/filter/filter_transformer.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>

#include <string>
#include <utility>
#include <vector>

#include "elt/stage_problems.h"
#include "elt/type_name.h"
#include "expressions/expression_option.h"

namespace levada::filter {
namespace {

class BoundFilter final : public elt::BoundTransformer {
 public:
  BoundFilter(elt::SchemaPtr schema, std::shared_ptr<const expressions::Expression> condition,
              std::string text, elt::OnError on_error)
      : schema_(std::move(schema)),
        condition_(std::move(condition)),
        text_(std::move(text)),
        on_error_(on_error) {}

  const elt::SchemaPtr& schema() const override { return schema_; }

  Result<elt::Mapped> Map(Context& ctx, const elt::BatchPtr& batch,
                          elt::RejectBuffer& rejects) const override {
    ARROW_ASSIGN_OR_RAISE(expressions::Evaluated evaluated, condition_->Evaluate(*batch, ctx.pool));
    elt::RowFates fates;
    for (const expressions::RowFailure& failure : evaluated.failures) {
      if (on_error_ == elt::OnError::kFail) return Failed(failure);
      fates.Add(failure.row, on_error_, "", expressions::FailureText(text_, failure));
    }
    // What is kept aside is NULL in the mask, so it goes with the rest.
    elt::Mapped mapped;
    ARROW_ASSIGN_OR_RAISE(mapped.rejected, fates.PutAside("filter", batch, rejects));
    const auto& mask = static_cast<const arrow::BooleanArray&>(*evaluated.values);
    const int64_t kept = mask.true_count();
    mapped.filtered = batch->num_rows() - kept - mapped.rejected;
    if (kept == batch->num_rows()) {
      mapped.batch = batch;
    } else if (kept == 0) {
      mapped.batch = batch->Slice(0, 0);
    } else {
      arrow::compute::ExecContext exec(ctx.pool);
      exec.set_use_threads(false);
      ARROW_ASSIGN_OR_RAISE(
          arrow::Datum rows,
          arrow::compute::Filter(batch, evaluated.values,
                                 arrow::compute::FilterOptions(arrow::compute::FilterOptions::DROP),
                                 &exec));
      mapped.batch = rows.record_batch();
    }
    return mapped;
  }

 private:
  Status Failed(const expressions::RowFailure& failure) const {
    const std::string row = std::to_string(failure.row + 1);
    Fault fault(
        FaultCode::kExpressionFailed,
        "filter: " + expressions::FailureText(text_, failure) + " (row " + row + " of its batch)");
    fault.With("batch_row", row).With("reason", failure.reason);
    fault.Help(
        "guard it (case when ... then ... end), or say what such rows get, on_error: "
        "discard_row | quarantine");
    return fault;
  }

  const elt::SchemaPtr schema_;
  const std::shared_ptr<const expressions::Expression> condition_;
  const std::string text_;
  const elt::OnError on_error_;
};

}  // namespace

Result<std::unique_ptr<elt::BoundTransformer>> FilterTransformer::Bind(
    const elt::SchemaPtr& input, const elt::RunInstance&) const {
  std::vector<Diagnostic> problems;
  auto condition = expressions::CompileOption(options_, "where", *input, problems);
  if (condition && condition->type()->id() != arrow::Type::BOOL) {
    problems.push_back(
        options_.ErrorAt("where", FaultCode::kBadExpression,
                         "expected a condition, got " + elt::TypeName(*condition->type()),
                         "write x = 1, or x is not null"));
  }
  ARROW_RETURN_NOT_OK(elt::Refused("filter", std::move(problems)));
  return std::make_unique<BoundFilter>(input, std::move(condition), options_.Text("where"),
                                       elt::OnErrorOf(options_));
}

}  // namespace levada::filter
