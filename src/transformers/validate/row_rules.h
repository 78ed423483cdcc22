#pragma once
// RowRules: what `validate` asks of each row by itself.

#include <memory>
#include <string>
#include <vector>

#include "elt/on_error.h"
#include "elt/stages.h"
#include "expressions/expression.h"

namespace levada::validate {

/// A row breaks it where the condition is false. NULL breaks nothing.
struct RowRule {
  int column = -1;   ///< that it is about; -1: about the row
  std::string what;  ///< what is said of a row that breaks it: `column "amount": less than 0`
  std::string text;  ///< of the condition
  std::shared_ptr<const expressions::Expression> condition;
  elt::OnError on_error = elt::OnError::kFail;
};

/// The rules of one stage over batches of one schema. Immutable, thread-safe.
class RowRules final {
 public:
  /// `output` is the schema behind the stage: the same columns.
  RowRules(std::vector<RowRule> rules, elt::SchemaPtr input, elt::SchemaPtr output)
      : rules_(std::move(rules)), input_(std::move(input)), output_(std::move(output)) {}

  /// kValidationFailed for the first row, on every run the same, that breaks a rule which says so.
  Result<elt::Mapped> Apply(Context& ctx, const elt::BatchPtr& batch,
                            elt::RejectBuffer& rejects) const;

 private:
  const std::vector<RowRule> rules_;
  const elt::SchemaPtr input_;
  const elt::SchemaPtr output_;
};

}  // namespace levada::validate
