#pragma once
// FileSystemOf: the one door to files that are a source. Whoever lists or reads them does it
// through the arrow::fs::FileSystem that this gives, so that a new kind of place is added here and
// nowhere else. Targets have places/place.h, which can do what a target needs and no more.

#include <arrow/filesystem/type_fwd.h>

#include <memory>
#include <optional>
#include <string>

#include "base/fault.h"

namespace levada::places {

struct FileSystemPath {
  std::shared_ptr<arrow::fs::FileSystem> system;  ///< its calls are thread-safe
  std::string path;                               ///< in the words of `system`
};

/// The file system and the path in "dir", "/dir/*.csv", "file:///dir" (percent-encoding undone),
/// "file:dir" or "s3://bucket/dir/*.csv?region=...", whose parameters are those of Arrow's URLs and
/// whose keys come from where AWS's SDKs look for them. Nothing is opened, but the region of a
/// bucket may be asked for. kBadValue for an empty path, a host, or another scheme.
Result<FileSystemPath> FileSystemOf(const std::string& location);

/// The fault in what a file system of S3 says: kAuthFailed, kPermissionDenied, kTableNotFound (no
/// such bucket), kSourceUnreachable, kSourceBusy; nullopt for what is none of S3's.
std::optional<Fault> FaultOfS3(const Status& failure);

/// Before the process ends, when no file system is left: what S3's client has running.
void EndFileSystems();

}  // namespace levada::places
