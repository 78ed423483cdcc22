#pragma once
// The options of loader `parquet`, as written in a pipeline file and as the loader uses them.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "elt/catalog.h"
#include "elt/options.h"
#include "formats/parquet/encode_options.h"

namespace levada::parquet {

struct LakeOptions {
  std::string path;                       ///< local directory, relative to the working directory,
                                          ///< or an s3:// URL
  std::string layout;                     ///< template of directories, may be empty
  std::vector<std::string> partition_by;  ///< columns that become directories
  parquet_format::Profile profile = parquet_format::Profile::kSpark3;
  parquet_format::Codec codec = parquet_format::Codec::kZstd;
  std::optional<int> level;
  parquet_format::ValueEncoding encoding = parquet_format::ValueEncoding::kAuto;
  std::optional<int64_t> file_bytes;
  std::optional<int64_t> row_group_rows;
  std::optional<int64_t> row_group_bytes;
  std::optional<int64_t> page_bytes;
  parquet_format::DictionaryUse dictionary = parquet_format::DictionaryUse::kAuto;
  std::map<std::string, parquet_format::DictionaryUse> dictionary_of;  ///< by column
  bool statistics = true;
  int threads = 1;  ///< that encode, per slice
  /// As they were written, for errors that point at them; none where options were made in code.
  std::optional<elt::Options> written;
};

/// The whole body of `- parquet: { ... }`.
elt::OptionSpec LakeOptionSpec();

/// Every problem at once, with places.
Result<LakeOptions> ReadLakeOptions(const elt::Options& options, const elt::StageInput& input);

/// "./lake/orders", "file:///lake/orders?codec=snappy" -> {path, ...}; of an s3:// URL the
/// parameters that say where it is stay in the path.
Result<elt::WrittenOptions> LakeOptionsFromUrl(const std::string& url);

}  // namespace levada::parquet
