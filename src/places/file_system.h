#pragma once
// FileSystemOf: the one door to files that are a source. Whoever lists or reads them does it
// through the arrow::fs::FileSystem that this gives, so that a new kind of place is added here and
// nowhere else. Targets have places/place.h, which can do what a target needs and no more.

#include <arrow/filesystem/type_fwd.h>

#include <memory>
#include <string>

#include "base/fault.h"

namespace levada::places {

struct FileSystemPath {
  std::shared_ptr<arrow::fs::FileSystem> system;  ///< its calls are thread-safe
  std::string path;                               ///< in the words of `system`
};

/// The file system and the path in "dir", "/dir/*.csv", "file:///dir" (percent-encoding undone) or
/// "file:dir". Nothing is opened. kBadValue for an empty path, a host, or another scheme.
Result<FileSystemPath> FileSystemOf(const std::string& location);

}  // namespace levada::places
