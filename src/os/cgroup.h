#pragma once
// What the control groups of this process allow it. Versions 1 and 2, and both at once (hybrid
// hosts).

#include <cstdint>
#include <optional>
#include <string>

namespace levada::os {

struct CgroupLimits {
  std::optional<double> processors;     ///< CPU quota over period: 1.5 is one and a half processors
  std::optional<int64_t> memory_bytes;  ///< hard limit
};

/// Reads <root>/proc/self/cgroup and, below <root>/sys/fs/cgroup, the limits of each group named
/// there and of all above it; the lowest counts. `root` is "" for the machine's own, another
/// directory in tests. A file that is absent, unreadable or strange limits nothing.
CgroupLimits ReadCgroupLimits(const std::string& root);

}  // namespace levada::os
