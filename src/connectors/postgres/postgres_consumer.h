#pragma once
// PostgresConsumer: reads a table or query of PostgreSQL by binary COPY. README.md has the types,
// the options and the limits.

#include <memory>
#include <utility>
#include <vector>

#include "connectors/postgres/postgres_options.h"
#include "elt/catalog.h"
#include "elt/stages.h"

namespace levada::postgres {

/// The tables and partitioned tables that `options.tables` means and `options.exclude` does not, by
/// schema and name. Not those of the system, and no partitions: their parents have their rows.
Result<std::vector<elt::FoundTable>> FindTablesLike(Context& ctx, const ConsumerOptions& options);

class PostgresConsumer final : public elt::Consumer {
 public:
  explicit PostgresConsumer(ConsumerOptions options)
      : options_(std::make_shared<const ConsumerOptions>(std::move(options))) {}

  Result<elt::Source> Describe(Context& ctx) const override;
  Result<std::vector<elt::Partition>> Split(Context& ctx, const elt::RunInstance& run,
                                            const elt::Source& source,
                                            const elt::SplitLimits& limits) const override;
  Result<std::unique_ptr<elt::PartitionReader>> Open(Context& ctx, const elt::RunInstance& run,
                                                     const elt::Partition& partition,
                                                     const elt::Source& source,
                                                     const elt::BatchLimits& limits) const override;
  Result<elt::Mark> FindMark(Context& ctx, const elt::MarkRequest& request) const override;

 private:
  const std::shared_ptr<const ConsumerOptions> options_;
};

}  // namespace levada::postgres
