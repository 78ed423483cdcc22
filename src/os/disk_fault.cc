#include "os/disk_fault.h"

#include <fmt/format.h>

#include <cerrno>

namespace levada::os {
namespace {

FaultCode CodeOfErrno(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOTDIR:  // a file stands where a directory is needed
      return FaultCode::kTargetUnwritable;
    case ENOSPC:
    case EDQUOT:
      return FaultCode::kDiskFull;
    case ENOENT:
      return FaultCode::kTargetFileMissing;
    default:
      return FaultCode::kTargetIo;
  }
}

}  // namespace

Fault DiskFault(int error_number, std::string_view verb, const std::string& path) {
  return ErrnoFault(CodeOfErrno(error_number), error_number,
                    fmt::format("cannot {} \"{}\"", verb, path))
      .With("path", path);
}

}  // namespace levada::os
