#pragma once
// The dedupe transformer: of the rows of a partition that have the same key, one goes on.

#include <memory>

#include "elt/options.h"
#include "elt/stages.h"
#include "spill/scratch_file.h"

namespace levada::dedupe {

class DedupeTransformer final : public elt::Transformer {
 public:
  /// `options` is the body of the stage.
  DedupeTransformer(elt::Options options, spill::ScratchSpace space)
      : options_(std::move(options)), space_(std::move(space)) {}

  /// kUnknownColumn, kDuplicateColumn, kBadValue for an `order:` of a type that has none.
  Result<std::unique_ptr<elt::BoundTransformer>> Bind(const elt::SchemaPtr& input,
                                                      const elt::RunInstance& run) const override;
  bool sees_whole_partition() const override { return true; }

 private:
  const elt::Options options_;
  const spill::ScratchSpace space_;
};

}  // namespace levada::dedupe
