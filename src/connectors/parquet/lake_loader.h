#pragma once
// LakeLoader: the loader `parquet`. Turns options and a schema into decisions about files (Bind),
// tells what a dataset holds (Inspect, Inventory), and opens one run of it (Begin).

#include <memory>
#include <string>

#include "connectors/parquet/lake_options.h"
#include "elt/catalog.h"
#include "elt/stages.h"
#include "places/place.h"

namespace levada::parquet {

/// Where a loader of `input` writes or reads. kBadValue for what names no place.
Result<std::shared_ptr<places::Place>> PlaceOf(const std::string& path,
                                               const elt::StageInput& input);

/// What `input` points to outlives the loader and everything it makes.
std::unique_ptr<elt::Loader> MakeLakeLoader(LakeOptions options,
                                            std::shared_ptr<places::Place> place,
                                            const elt::StageInput& input);

}  // namespace levada::parquet
