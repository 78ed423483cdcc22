#pragma once
// ReadBack: the staged files of one receipt as the stream of rows that Load was given.

#include <memory>

#include "base/context.h"
#include "connectors/parquet/lake_layout.h"
#include "elt/run.h"
#include "elt/stages.h"
#include "places/place.h"

namespace levada::parquet {

/// Rows in the order written, file after file; columns that became directories are made from the
/// directories' names again. `schema` is that of Load's stream. Columns and rows are those of the
/// files, so a difference from what was loaded shows.
Result<std::unique_ptr<elt::BatchStream>> ReadStagedFiles(Context& ctx,
                                                          std::shared_ptr<places::Place> place,
                                                          const LakeLayout& layout,
                                                          elt::SchemaPtr schema,
                                                          const elt::Receipt& receipt);

}  // namespace levada::parquet
