#pragma once
// Copies of histories, which are all there is of a database: its file is made of them again. What
// is in them does not change once it is written, apart from the last segment, which grows: so files
// are given a second name, and only that one is copied. Whoever commits, thins or prunes meanwhile
// is held up by nothing.

#include <cstdint>
#include <span>
#include <string>

#include "os/disk.h"

namespace levada::services::d1 {

/// `directory` as of Databases, of this daemon or of nobody. Below `into`, in a directory of the
/// same file system, each of the databases is as it was at some moment since this was called. False
/// when one of them has no files (it was deleted). Blocks.
Result<bool> CopyDatabases(os::Disk& disk, const std::string& directory,
                           std::span<const uint64_t> numbers, const std::string& into);

}  // namespace levada::services::d1
