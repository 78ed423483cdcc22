#pragma once
// The pipeline of `levada run URL TARGET`, a directory or a URL, written as the file a person would
// have written.

#include <string>

#include "app/command_line.h"
#include "elt/catalog.h"
#include "os/disk.h"

namespace levada::app {

/// What a URL and a target say.
struct AdHocParts {
  std::string name;             ///< of the pipeline, after the directory or table
  std::string consumer;         ///< its kind
  elt::WrittenOptions options;  ///< values as YAML writes them
  std::string loader;           ///< its kind
  elt::WrittenOptions loader_options;
};
/// kBadCommandLine for a scheme that no consumer reads.
Result<AdHocParts> ReadAdHoc(const elt::Catalog& catalog, const AdHocPipeline& ad_hoc);

/// The text of the file; the faults of ReadAdHoc.
Result<std::string> WriteAdHoc(const elt::Catalog& catalog, const AdHocPipeline& ad_hoc);

/// Plain where YAML reads it back as the same text, else in double quotes.
std::string YamlText(const std::string& text);

/// Whether one of its URLs does.
bool HoldsPassword(const AdHocPipeline& ad_hoc);

/// Writes a new file. kBadCommandLine when another one is there.
Status SaveNewFile(os::Disk& disk, const std::string& path, const std::string& text);

/// Writes `text` to ad_hoc.save. kBadCommandLine when another file is there, or when the URL holds
/// a password, which has no place in a file.
Status SaveAdHoc(os::Disk& disk, const AdHocPipeline& ad_hoc, const std::string& text);

}  // namespace levada::app
