#pragma once
// The rows of a range as a stream of batches.

#include <memory>

#include "connectors/generate/generated_table.h"
#include "connectors/generate/row_range.h"
#include "elt/stages.h"

namespace levada::generate {

/// `range` is inside the table. Batches are as large as `limits` allow, at least one row.
std::unique_ptr<elt::BatchStream> MakeRowStream(const Context& ctx,
                                                std::shared_ptr<const GeneratedTable> table,
                                                const RowRange& range,
                                                const elt::BatchLimits& limits);

}  // namespace levada::generate
