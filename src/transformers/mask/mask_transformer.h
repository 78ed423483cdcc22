#pragma once
// The mask transformer: columns that must not be seen, hashed, redacted or cut.

#include <memory>

#include "elt/options.h"
#include "elt/stages.h"

namespace levada::mask {

class MaskTransformer final : public elt::Transformer {
 public:
  /// `options` is the body of the stage, checked by register.cc.
  explicit MaskTransformer(elt::Options options) : options_(std::move(options)) {}

  /// kUnknownColumn, kBadCast; kUnresolvedReference where the key cannot be read.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input,
                                                      const elt::RunInstance& run) const override;

 private:
  const elt::Options options_;
};

}  // namespace levada::mask
