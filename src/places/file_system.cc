#include "places/file_system.h"

#include <arrow/filesystem/localfs.h>

#include <utility>

#include "base/url.h"
#include "places/local_place.h"

namespace levada::places {
namespace {

constexpr std::string_view kFileScheme = "file:";

/// "file:dir/x" and "file:/dir/x", which LocalPathOf does not know.
Result<std::string> PathOf(const std::string& location) {
  const std::string_view text = location;
  if (!text.starts_with(kFileScheme) || text.starts_with("file://")) return LocalPathOf(location);
  const auto decoded = PercentDecoded(text.substr(kFileScheme.size()));
  if (decoded && !decoded->empty()) return *decoded;
  return Fault(FaultCode::kBadValue, "\"" + location + "\" names no file")
      .Help("write file:PATH or a plain path; a \"%\" in a URL is written \"%25\"");
}

}  // namespace

Result<FileSystemPath> FileSystemOf(const std::string& location) {
  if (location.starts_with("s3://")) {
    return Fault(FaultCode::kBadValue, "\"" + location + "\": files in S3 are not read yet")
        .Help("copy them into a directory, and name that");
  }
  ARROW_ASSIGN_OR_RAISE(std::string path, PathOf(location));
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return FileSystemPath{std::make_shared<arrow::fs::LocalFileSystem>(), std::move(path)};
}

}  // namespace levada::places
