#pragma once
// The files of one run, found by their names: what a run with --replace replaces when the manifest
// that named them is lost or damaged. Recovery asks here and nobody else: while there is a
// manifest, only files that it names are ours to delete.

#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/parquet/lake_layout.h"
#include "connectors/parquet/lake_names.h"
#include "places/place.h"

namespace levada::parquet {

struct FoundFiles {
  std::vector<std::string> paths;  ///< data files and files of rejects, relative to the root
  int revision = -1;               ///< the highest that a file or a partition's record has
};

/// Looks through the whole dataset, but not where readers do not look. kForeignTarget when a file
/// with a name of this run lies in a directory that none of `layouts` makes: it may be somebody's
/// copy, so it is not deleted, and it may be rows of the run, so nothing is written beside it.
Result<FoundFiles> FindFilesOf(Context& ctx, places::Place& place, const LakeNames& names,
                               std::span<const LakeDirectories> layouts);

/// Every file that a reader of the dataset sees, whoever wrote it, by path.
Result<std::vector<std::string>> FindVisibleFiles(Context& ctx, places::Place& place);

}  // namespace levada::parquet
