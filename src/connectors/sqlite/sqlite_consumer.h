#pragma once
// The sqlite consumer: a table, view or query of SQLite files.
//
// Each attempt at a partition reads under read transactions that see one state of the files,
// whatever others write meanwhile (db/sqlite/snapshot.h). The files are opened to be read only.

#include <memory>
#include <utility>
#include <vector>

#include "connectors/sqlite/sqlite_options.h"
#include "elt/stages.h"

namespace levada::sqlite {

class SqliteConsumer final : public elt::Consumer {
 public:
  explicit SqliteConsumer(std::shared_ptr<const ConsumerOptions> options)
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

}  // namespace levada::sqlite
