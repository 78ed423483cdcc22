#pragma once
// The rename transformer: other names for columns. Types, order and values stay as they are.

#include <memory>

#include "elt/options.h"
#include "elt/stages.h"

namespace levada::rename {

class RenameTransformer final : public elt::Transformer {
 public:
  /// `options` is the body of the stage: a map from old to new names, checked by register.cc.
  explicit RenameTransformer(elt::Options options) : options_(std::move(options)) {}

  /// Each entry must name a column (LV1013), and no two columns may end up with one name, ignoring
  /// case (LV1012). All entries take effect at once, so names can be swapped.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input,
                                                      const elt::RunInstance& run) const override;

 private:
  const elt::Options options_;
};

}  // namespace levada::rename
