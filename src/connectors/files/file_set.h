#pragma once
// FileSet: the files that a path stands for at one moment, and what their directories say.

#include <arrow/filesystem/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/files/files_options.h"

namespace levada::files {

/// One file as it was when the set was made.
struct FileEntry {
  std::string path;
  int64_t size = 0;
  int64_t modified_ns = 0;  ///< since 1970
  bool operator==(const FileEntry&) const = default;
};

struct FileSet {
  std::shared_ptr<arrow::fs::FileSystem> system;
  std::vector<FileEntry> files;  ///< in the order of their paths, at least one
  Format format = Format::kParquet;
  std::vector<std::string> keys;  ///< of hive directories, from the outermost
  size_t skipped = 0;             ///< files of a directory whose names end otherwise
  size_t links = 0;               ///< directories that are symbolic links, which are not gone into
  int64_t bytes = 0;
};

/// Lists what `options` names, a directory at a time and only such as may hold files of it.
/// kTableNotFound where there is no file, kImpossiblePlan for too many files or directories and for
/// files of several formats, kStopped, kSchemaDrift for hive directories that not all files have.
Result<FileSet> FindFiles(const Context& ctx, const ConsumerOptions& options);

/// Whether `file` is still the one it was: kSourceFileChanged when it is another one, or gone.
Status CheckUnchanged(arrow::fs::FileSystem& system, const FileEntry& file);

/// The values of `keys` in the directories of `path`; nullopt stands for NULL, which Hive writes
/// __HIVE_DEFAULT_PARTITION__. kSchemaDrift where one is missing.
Result<std::vector<std::optional<std::string>>> HiveValues(const std::string& path,
                                                           const std::vector<std::string>& keys);

/// `failure` of reading `file`, by whose it is, with the file's name before it. A Fault of a
/// protocol is one of the file's format here.
Status InFile(const Status& failure, const std::string& file);

}  // namespace levada::files
