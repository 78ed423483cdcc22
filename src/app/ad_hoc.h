#pragma once
// The pipeline of `levada run URL PATH`, written as the file a person would have written.

#include <string>

#include "app/command_line.h"
#include "elt/catalog.h"
#include "os/disk.h"

namespace levada::app {

/// The text of the file. kBadCommandLine for a scheme that no consumer reads.
Result<std::string> WriteAdHoc(const elt::Catalog& catalog, const AdHocPipeline& ad_hoc);

/// Writes `text` to ad_hoc.save. kBadCommandLine when another file is there, or when the URL holds
/// a password, which has no place in a file.
Status SaveAdHoc(os::Disk& disk, const AdHocPipeline& ad_hoc, const std::string& text);

}  // namespace levada::app
