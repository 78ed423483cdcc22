#pragma once
// The generate consumer: rows that depend on the options alone. Partitions, slices and windows are
// ranges of row numbers, known without making a row.

#include <utility>
#include <vector>

#include "connectors/generate/generate_options.h"
#include "elt/stages.h"

namespace levada::generate {

class GenerateConsumer final : public elt::Consumer {
 public:
  explicit GenerateConsumer(ConsumerOptions options) : options_(std::move(options)) {}

  Result<elt::Source> Describe(Context& ctx) const override;
  /// kUnknownColumn, kImpossiblePlan or kBadWindow for a window whose column cannot have any.
  Result<std::vector<elt::Partition>> Split(Context& ctx, const elt::RunInstance& run,
                                            const elt::Source& source,
                                            const elt::SplitLimits& limits) const override;
  Result<std::unique_ptr<elt::PartitionReader>> Open(Context& ctx, const elt::RunInstance& run,
                                                     const elt::Partition& partition,
                                                     const elt::Source& source,
                                                     const elt::BatchLimits& limits) const override;

 private:
  const ConsumerOptions options_;
};

}  // namespace levada::generate
