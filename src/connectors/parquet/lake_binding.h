#pragma once
// Bind of loader `parquet`: every decision about names and bytes, taken once from options, schema
// and the source's statistics.

#include <string>
#include <vector>

#include "connectors/parquet/lake_options.h"
#include "elt/stages.h"
#include "places/place.h"

namespace levada::parquet {

/// kBadLayout, kUnknownColumn and what the profile's rules refuse (formats/parquet/file_schema.h).
Result<elt::BoundTarget> BindLake(const LakeOptions& options, const places::Place& place,
                                  const std::string& created_by, const elt::SchemaPtr& schema,
                                  const std::vector<elt::ColumnHint>& hints,
                                  const elt::RunInstance& run);

}  // namespace levada::parquet
