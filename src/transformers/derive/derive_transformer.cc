#include "transformers/derive/derive_transformer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "elt/on_error.h"
#include "elt/stage_problems.h"
#include "expressions/expression_option.h"

namespace levada::derive {
namespace {

struct BoundColumn {
  int index = 0;  ///< in the output
  std::string name;
  std::string text;
  std::shared_ptr<const expressions::Expression> expression;
  elt::OnError on_error = elt::OnError::kFail;
};

class BoundDerive final : public elt::BoundTransformer {
 public:
  BoundDerive(elt::SchemaPtr schema, std::vector<BoundColumn> columns)
      : schema_(std::move(schema)), columns_(std::move(columns)) {}

  const elt::SchemaPtr& schema() const override { return schema_; }

  Result<elt::Mapped> Map(Context& ctx, const elt::BatchPtr& batch,
                          elt::RejectBuffer& rejects) const override {
    arrow::ArrayVector arrays = batch->columns();
    arrays.resize(static_cast<size_t>(schema_->num_fields()));
    elt::RowFates fates;
    std::optional<std::pair<int64_t, Status>> first_failure;
    for (const BoundColumn& column : columns_) {
      ARROW_ASSIGN_OR_RAISE(expressions::Evaluated evaluated,
                            column.expression->Evaluate(*batch, ctx.pool));
      arrays[static_cast<size_t>(column.index)] = std::move(evaluated.values);
      for (const expressions::RowFailure& failure : evaluated.failures) {
        if (column.on_error == elt::OnError::kFail) {
          // Of several columns the one whose value comes first in the data, on every run alike.
          if (!first_failure || failure.row < first_failure->first) {
            first_failure = {failure.row, Failed(column, failure)};
          }
          break;
        }
        fates.Add(failure.row, column.on_error, column.name,
                  expressions::FailureText(column.text, failure));
      }
    }
    if (first_failure) return first_failure->second;
    auto whole = arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(arrays));
    return fates.Apply("derive", batch, std::move(whole), rejects, ctx.pool);
  }

 private:
  static Status Failed(const BoundColumn& column, const expressions::RowFailure& failure) {
    const std::string row = std::to_string(failure.row + 1);
    Fault fault(FaultCode::kExpressionFailed, "column \"" + column.name + "\": " +
                                                  expressions::FailureText(column.text, failure) +
                                                  " (row " + row + " of its batch)");
    fault.With("column", column.name).With("batch_row", row).With("reason", failure.reason);
    fault.Help(
        "guard it (case when ... then ... end), or say what such rows get, on_error: "
        "discard_value | discard_row | quarantine");
    return fault;
  }

  const elt::SchemaPtr schema_;
  const std::vector<BoundColumn> columns_;
};

}  // namespace

Result<std::unique_ptr<elt::BoundTransformer>> DeriveTransformer::Bind(
    const elt::SchemaPtr& input, const elt::RunInstance&) const {
  std::vector<Diagnostic> problems;
  arrow::FieldVector fields = input->fields();
  std::vector<BoundColumn> columns;
  for (const auto& [name, entry] : options_.Map("")) {
    BoundColumn column;
    column.name = name;
    column.text = entry.Text("expression");
    column.on_error = elt::OnErrorOf(entry);
    column.expression = expressions::CompileOption(entry, "expression", *input, problems);
    if (column.expression == nullptr) continue;
    const auto type = column.expression->type();
    if (type->id() == arrow::Type::NA) {
      problems.push_back(entry.ErrorAt("expression", FaultCode::kBadExpression,
                                       "null has no type of its own",
                                       "give it one: cast(null as text)"));
      continue;
    }
    const bool nullable =
        column.expression->nullable() || column.on_error == elt::OnError::kDiscardValue;
    const auto field = arrow::field(name, type, nullable);
    const int same = elt::FindIgnoringCase(fields, name);
    if (same < 0) {
      column.index = static_cast<int>(fields.size());
      fields.push_back(field);
    } else if (fields[same]->name() == name) {
      column.index = same;
      fields[same] = field;
    } else {
      Diagnostic problem = entry.ErrorAt(
          "", FaultCode::kDuplicateColumn,
          "two columns named \"" + name + "\": \"" + fields[same]->name() + "\" is there already",
          "names must differ in more than case");
      problem.span = options_.KeySpanOf(name);
      problems.push_back(std::move(problem));
      continue;
    }
    columns.push_back(std::move(column));
  }
  ARROW_RETURN_NOT_OK(elt::Refused("derive", std::move(problems)));
  return std::make_unique<BoundDerive>(
      std::make_shared<arrow::Schema>(std::move(fields), input->metadata()), std::move(columns));
}

}  // namespace levada::derive
