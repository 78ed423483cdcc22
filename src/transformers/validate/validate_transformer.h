#pragma once
// The validate transformer: what must hold of rows, and what becomes of those of which it does not.

#include <memory>
#include <optional>
#include <utility>

#include "elt/options.h"
#include "elt/stages.h"
#include "spill/scratch_file.h"

namespace levada::validate {

class ValidateTransformer final : public elt::Transformer {
 public:
  /// `options` is the body of the stage.
  ValidateTransformer(elt::Options options, std::optional<elt::RowCountRule> row_count_rule,
                      spill::ScratchSpace space)
      : options_(std::move(options)),
        row_count_rule_(std::move(row_count_rule)),
        space_(std::move(space)) {}

  /// kUnknownColumn, kBadExpression, kBadValue, kImpossiblePlan.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input,
                                                      const elt::RunInstance& run) const override;
  /// Only `unique` compares rows.
  bool sees_whole_partition() const override;
  std::optional<elt::RowCountRule> row_count_rule() const override { return row_count_rule_; }

 private:
  const elt::Options options_;
  const std::optional<elt::RowCountRule> row_count_rule_;
  const spill::ScratchSpace space_;
};

}  // namespace levada::validate
