#pragma once
// The sqlite consumer: a table, view or query of one SQLite file as one partition and one slice.
//
// Each attempt reads under one read transaction, so it sees one state of the database whatever
// others write meanwhile. The file is opened to be read only.

#include <memory>
#include <vector>

#include "elt/options.h"
#include "elt/stages.h"

namespace levada::sqlite {

class SqliteConsumer final : public elt::Consumer {
 public:
  /// `options` as register.cc specifies and checks them.
  explicit SqliteConsumer(elt::Options options) : options_(std::move(options)) {}

  Result<elt::Source> Describe(Context& ctx) const override;
  Result<std::vector<elt::Partition>> Split(Context& ctx, const elt::RunInstance& run,
                                            const elt::Source& source,
                                            const elt::SplitLimits& limits) const override;
  Result<std::unique_ptr<elt::PartitionReader>> Open(Context& ctx, const elt::RunInstance& run,
                                                     const elt::Partition& partition,
                                                     const elt::Source& source,
                                                     const elt::BatchLimits& limits) const override;

 private:
  const elt::Options options_;
};

}  // namespace levada::sqlite
