#pragma once
// Rows of a CSV file, as text: RFC 4180 with a line of names. A field with nothing in it is NULL,
// "" is an empty text.

#include <string>
#include <vector>

#include "app/test_file.h"
#include "os/disk.h"

namespace levada::app {

/// kFileUnreadable; kBadValue for what is no CSV, or larger than 16 MiB.
Result<std::vector<WrittenRow>> ReadCsvRows(os::Disk& disk, const std::string& path);

}  // namespace levada::app
