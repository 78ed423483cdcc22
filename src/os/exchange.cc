#include "os/exchange.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

#include "os/disk.h"
#include "os/disk_fault.h"

namespace levada::os {

Status Exchange(const std::string& a, const std::string& b) {
  if (renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) != 0) {
    return DiskFault(errno, "exchange", a).With("with", b);
  }
  return MakeSystemDisk()->SyncDirectory(ParentPath(a));
}

}  // namespace levada::os
