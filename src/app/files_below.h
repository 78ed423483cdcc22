#pragma once
// The files that a command line means by a directory.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "os/disk.h"

namespace levada::app {

/// Below `directory`, in the order of their paths, those whose name `is_wanted`. Not below
/// directories whose name begins with "." or "_": there are records, state and data.
Status FindFilesBelow(os::Disk& disk, const std::string& directory,
                      const std::function<bool(std::string_view name)>& is_wanted,
                      std::vector<std::string>& files);

}  // namespace levada::app
