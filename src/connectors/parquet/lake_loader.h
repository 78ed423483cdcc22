#pragma once
// LakeLoader: the loader `parquet`. Turns options and a schema into decisions about files (Bind),
// tells what a dataset holds (Inspect, Inventory), and opens one run of it (Begin).

#include <memory>
#include <string>

#include "connectors/parquet/lake_options.h"
#include "elt/catalog.h"
#include "elt/stages.h"

namespace levada::parquet {

/// What `input` points to outlives the loader and everything it makes.
std::unique_ptr<elt::Loader> MakeLakeLoader(LakeOptions options, const elt::StageInput& input);

}  // namespace levada::parquet
