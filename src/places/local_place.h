#pragma once
// LocalPlace: a dataset in a directory of the local file system.
//
// A staged file lies beside its final name, so that publishing is one rename and never a copy. A
// lock is flock on the file that also holds its text, written in place: a rename would give the
// name to a file that nobody has locked.

#include <memory>
#include <string>

#include "os/disk.h"
#include "places/place.h"

namespace levada::places {

/// `root` need not exist yet; it is created by the first thing written. `disk` outlives the Place
/// and whatever it gave out.
std::unique_ptr<Place> MakeLocalPlace(os::Disk& disk, std::string root);

/// The local path in "dir", "/dir" or "file:///dir" (percent-encoding undone). kBadValue for
/// another scheme, a host, or an empty path.
Result<std::string> LocalPathOf(const std::string& location);

}  // namespace levada::places
