#include "os/usage.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <sstream>

#include "os/process.h"

namespace levada::os {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

int64_t CountOpenFiles() {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir("/proc/self/fd"));
  if (directory == nullptr) return 0;
  int64_t count = 0;
  while (const dirent* entry = readdir(directory.get())) count += entry->d_name[0] != '.';
  return count - 1;  // the one that is read here
}

double Seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// proc(5): the fields behind the name, which may have blanks and parentheses in it.
void ReadStat(ProcessUsage& usage) {
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return;
  std::istringstream words(line.substr(name_end + 1));
  constexpr int kFirst = 3, kThreads = 20, kStart = 22, kVirtual = 23, kResident = 24;
  std::array<double, kResident + 1> fields{};
  std::string state;
  words >> state;
  for (int i = kFirst + 1; i <= kResident; ++i) words >> fields[static_cast<size_t>(i)];
  usage.threads = static_cast<int64_t>(fields[kThreads]);
  usage.virtual_bytes = static_cast<int64_t>(fields[kVirtual]);
  usage.resident_bytes = static_cast<int64_t>(fields[kResident]) * sysconf(_SC_PAGESIZE);
  // /proc/stat has the time of boot, but a service may be shown no more than /proc/self.
  usage.start_s = Seconds(CLOCK_REALTIME) - Seconds(CLOCK_BOOTTIME) +
                  fields[kStart] / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

ProcessUsage ReadProcessUsage() {
  ProcessUsage usage;
  ReadStat(usage);
  usage.cpu_s = static_cast<double>(CpuTimeNs()) / 1e9;
  usage.open_files = CountOpenFiles();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    usage.open_files_max = static_cast<int64_t>(limit.rlim_cur);
  }
  return usage;
}

std::optional<DiskSpace> ReadDiskSpace(const std::string& path) {
  struct statvfs disk{};
  if (statvfs(path.c_str(), &disk) != 0) return std::nullopt;
  const auto block = static_cast<int64_t>(disk.f_frsize);
  return DiskSpace{static_cast<int64_t>(disk.f_blocks) * block,
                   static_cast<int64_t>(disk.f_bavail) * block};
}

}  // namespace levada::os
