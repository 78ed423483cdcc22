#pragma once
// The filter transformer: the rows for which a condition is true. Rows for which it is false or
// NULL are left out and counted as filtered.

#include <memory>

#include "elt/on_error.h"
#include "elt/options.h"
#include "elt/stages.h"

namespace levada::filter {

class FilterTransformer final : public elt::Transformer {
 public:
  /// `options` is the body of the stage.
  explicit FilterTransformer(elt::Options options) : options_(std::move(options)) {}

  /// kBadExpression, kUnknownColumn.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input,
                                                      const elt::RunInstance& run) const override;

 private:
  const elt::Options options_;
};

}  // namespace levada::filter
