#pragma once
// The derive transformer: columns computed from the row, in place of a column of the same name or
// behind the others.

#include <memory>

#include "elt/options.h"
#include "elt/stages.h"

namespace levada::derive {

class DeriveTransformer final : public elt::Transformer {
 public:
  /// `options` is the body of the stage: a map from columns to expressions.
  explicit DeriveTransformer(elt::Options options) : options_(std::move(options)) {}

  /// kBadExpression, kUnknownColumn, kDuplicateColumn. Every expression sees the columns as they
  /// reach the stage, so that two columns can change places.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input,
                                                      const elt::RunInstance& run) const override;

 private:
  const elt::Options options_;
};

}  // namespace levada::derive
