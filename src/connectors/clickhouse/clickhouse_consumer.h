#pragma once
// The clickhouse consumer: a table, view or query of a ClickHouse server, read by its native
// protocol.
//
// Each partition is one query on a connection of its own. ClickHouse has no snapshot that several
// queries could share: each sees the parts that are there when it begins.

#include <memory>
#include <utility>
#include <vector>

#include "connectors/clickhouse/clickhouse_options.h"
#include "elt/stages.h"

namespace levada::clickhouse {

class ClickHouseConsumer final : public elt::Consumer {
 public:
  explicit ClickHouseConsumer(ConsumerOptions options)
      : options_(std::make_shared<const ConsumerOptions>(std::move(options))) {}

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

}  // namespace levada::clickhouse
