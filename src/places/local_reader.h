#pragma once
// A file of os::Disk as Arrow's readers want it.

#include <arrow/io/interfaces.h>

#include <memory>
#include <string>

#include "os/disk.h"

namespace levada::places {

/// kTargetFileMissing when there is none. `disk` may go, the file stays readable.
Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenLocal(os::Disk& disk,
                                                               const std::string& full_path);

}  // namespace levada::places
