#pragma once
// PartitionBounds: which files a partition has, as they were at Split, and how they are read. Data,
// recorded in the target, from which everything at Open is made again: a file that came later, or
// another guess of how they are written, changes nothing.

#include <string>
#include <vector>

#include "connectors/files/file_set.h"
#include "formats/csv/dialect.h"

namespace levada::files {

struct PartitionBounds {
  Format format = Format::kParquet;
  csv::Dialect dialect;           ///< of kCsv
  std::vector<std::string> keys;  ///< of hive directories
  std::vector<FileEntry> files;

  bool operator==(const PartitionBounds&) const = default;
  std::string ToJson() const;
  /// kManifestCorrupt for anything that ToJson does not write.
  static Result<PartitionBounds> FromJson(const std::string& json);
};

}  // namespace levada::files
