#include "os/process.h"

#include <limits.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <memory>
#include <sstream>

#include "os/cgroup.h"

namespace levada::os {
namespace {

constexpr int kProcessorsMax = 8192;  // the kernel's own largest NR_CPUS

struct FreeProcessorSet {
  void operator()(cpu_set_t* set) const { CPU_FREE(set); }
};

int ProcessorsByAffinity() {
  const size_t size = CPU_ALLOC_SIZE(kProcessorsMax);
  const std::unique_ptr<cpu_set_t, FreeProcessorSet> set(CPU_ALLOC(kProcessorsMax));
  if (set != nullptr && sched_getaffinity(0, size, set.get()) == 0) {
    return CPU_COUNT_S(size, set.get());
  }
  return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

}  // namespace

ResidentMemory ReadResidentMemory() {
  ResidentMemory memory;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {  // "VmRSS:\t   12345 kB"
    std::istringstream words(line);
    std::string name;
    int64_t kib = 0;
    if (!(words >> name >> kib)) continue;
    if (name == "VmRSS:") memory.now_bytes = kib * 1024;
    if (name == "VmHWM:") memory.peak_bytes = kib * 1024;
  }
  return memory;
}

int ProcessorCount() {
  int count = ProcessorsByAffinity();
  if (const auto quota = ReadCgroupLimits("").processors) {
    count = static_cast<int>(std::min(std::ceil(*quota), static_cast<double>(count)));
  }
  return std::max(count, 1);
}

int64_t MemoryLimitBytes() {
  const int64_t machine = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  return std::min(machine, ReadCgroupLimits("").memory_bytes.value_or(machine));
}

int64_t CpuTimeNs() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void RaiseOpenFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

std::string ProgramPath() {
  std::array<char, 4096> path;
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  return size > 0 ? std::string(path.data(), static_cast<size_t>(size)) : std::string();
}

int64_t ProcessId() { return getpid(); }

}  // namespace levada::os
