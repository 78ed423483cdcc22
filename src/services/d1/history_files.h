#pragma once
// The files of a history and their names: segments, thinned segments, and base images. A name says
// the point that the file begins with ("<seq>-<epoch>-<ms>-<pages>.log"), in hex of a fixed width,
// so that a directory in order of names is in order of points.

#include <string>
#include <vector>

#include "os/disk.h"
#include "services/d1/point.h"

namespace levada::services::d1 {

enum class HistoryFileKind : uint8_t {
  kSegment,
  kThinned,  ///< a segment with one version of a page a second; always whole
  kBase,     ///< the database as it was at the point, each page with its checksum
};

struct HistoryFile {
  HistoryFileKind kind = HistoryFileKind::kSegment;
  Point point;  ///< of a base; of segments the one before their first transaction
  std::string path;
};

std::string HistoryPath(const std::string& directory, HistoryFileKind kind, const Point& point);

struct HistoryFiles {
  std::vector<HistoryFile> segments;  ///< of both kinds, in order, one a point
  std::vector<HistoryFile> bases;
  std::vector<std::string> leftovers;  ///< paths: unfinished files, segments that were thinned
};
/// What a directory has. Files of other names are nobody's.
Result<HistoryFiles> ListHistory(os::Disk& disk, const std::string& directory);

/// Where a history is, in the directory of its database.
inline constexpr const char* kHistoryDirectory = "history";

/// What unfinished files end with; their path is another's with this behind it.
constexpr const char* kUnfinished = ".tmp";

}  // namespace levada::services::d1
