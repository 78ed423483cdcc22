#pragma once
// The select transformer: some of the columns, in an order of its own. No value is touched.

#include <memory>

#include "elt/options.h"
#include "elt/stages.h"

namespace levada::select {

class SelectTransformer final : public elt::Transformer {
 public:
  /// `options` is the body of the stage: `columns` or `except`, checked by register.cc.
  explicit SelectTransformer(elt::Options options) : options_(std::move(options)) {}

  /// kUnknownColumn for each name that reaches no column, kDuplicateColumn for one written twice,
  /// kBadValue where no column would be left.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input,
                                                      const elt::RunInstance& run) const override;

 private:
  const elt::Options options_;
};

}  // namespace levada::select
