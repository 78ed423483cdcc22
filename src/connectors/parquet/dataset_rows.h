#pragma once
// Rows of a whole dataset, whoever wrote it, in the order of its files.

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "elt/stream.h"
#include "places/place.h"

namespace levada::parquet {

/// Of a dataset of ours the files that its manifests name; else every *.parquet that a reader would
/// see. Directories "name=value" are columns of text behind the others, where the file has none of
/// that name. kTargetFileMissing where there is no file; the stream fails with kSchemaDrift at a
/// file that has other columns than the first one.
Result<std::unique_ptr<elt::BatchStream>> OpenDataset(Context& ctx,
                                                      std::shared_ptr<places::Place> place);

/// The files that OpenDataset reads, relative to the place.
Result<std::vector<std::string>> FilesOfDataset(Context& ctx, places::Place& place);

}  // namespace levada::parquet
