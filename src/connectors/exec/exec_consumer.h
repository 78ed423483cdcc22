#pragma once
// The exec consumer: rows that a program of the user's writes to its standard output, as one slice
// of each of as many partitions as the pipeline says. What the rows are is up to the program; that
// they are what it announced, whole and of their window is checked here.

#include <memory>
#include <vector>

#include "elt/stages.h"
#include "programs/program_options.h"

namespace levada::exec {

class ExecConsumer final : public elt::Consumer {
 public:
  ExecConsumer(programs::ProgramOptions options, int partitions)
      : options_(std::move(options)), partitions_(partitions) {}

  Result<elt::Source> Describe(Context& ctx) const override;
  Result<std::vector<elt::Partition>> Split(Context& ctx, const elt::RunInstance& run,
                                            const elt::Source& source,
                                            const elt::SplitLimits& limits) const override;
  Result<std::unique_ptr<elt::PartitionReader>> Open(Context& ctx, const elt::RunInstance& run,
                                                     const elt::Partition& partition,
                                                     const elt::Source& source,
                                                     const elt::BatchLimits& limits) const override;

 private:
  const programs::ProgramOptions options_;
  const int partitions_;
};

}  // namespace levada::exec
