#pragma once
// The files consumer: files of one format as one table.
//
// The set of files is fixed at Split, each with its size and time of change. An attempt reads these
// files and no others, and fails when one of them is not the same any more.

#include <memory>
#include <utility>
#include <vector>

#include "connectors/files/files_options.h"
#include "elt/stages.h"

namespace levada::files {

class FilesConsumer final : public elt::Consumer {
 public:
  explicit FilesConsumer(std::shared_ptr<const ConsumerOptions> options)
      : options_(std::move(options)) {}

  Result<elt::Source> Describe(Context& ctx) const override;
  Result<std::vector<elt::Partition>> Split(Context& ctx, const elt::RunInstance& run,
                                            const elt::Source& source,
                                            const elt::SplitLimits& limits) const override;
  Result<std::unique_ptr<elt::PartitionReader>> Open(Context& ctx, const elt::RunInstance& run,
                                                     const elt::Partition& partition,
                                                     const elt::Source& source,
                                                     const elt::BatchLimits& limits) const override;

 private:
  const std::shared_ptr<const ConsumerOptions> options_;
};

}  // namespace levada::files
