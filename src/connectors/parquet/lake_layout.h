#pragma once
// LakeLayout: where the files of one run go and how their bytes are shaped. Decided at plan time,
// recorded with the Split as `writer`, and read back by every later attempt.

#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "formats/parquet/encode_options.h"

namespace levada::parquet {

/// What it takes to find a run's files again, whichever build wrote them.
struct LakeDirectories {
  static constexpr int kVersion = 1;
  std::string directory;                  ///< "day=2026-01-01"; empty: the dataset's root
  std::vector<std::string> partition_by;  ///< columns that become directories, outermost first

  /// Of what LakeLayout::ToJson wrote. kManifestCorrupt for anything else.
  static Result<LakeDirectories> FromJson(std::string_view json);
};

struct LakeLayout : LakeDirectories {
  std::string created_by;  ///< "levada version 0.1.0"
  parquet_format::EncodeOptions encode;

  std::string ToJson() const;
  /// kManifestCorrupt for anything else, also for what a build of other encode options wrote.
  static Result<LakeLayout> FromJson(std::string_view json);
};

/// A path template that has been expanded for a run, as a directory inside the dataset: the values
/// of "key=value" parts escaped as Hive does. kBadLayout for absolute paths, "." and "..", parts
/// that readers pass over ("_x", ".x"), and parts of more than 200 bytes.
Result<std::string> DirectoryOf(std::string_view expanded);
/// The keys of the "key=value" parts of a directory.
std::vector<std::string> KeysOf(std::string_view directory);

}  // namespace levada::parquet
