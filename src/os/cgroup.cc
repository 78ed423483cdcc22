#include "os/cgroup.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace levada::os {
namespace {

constexpr size_t kFileBytesMax = 64 * 1024;  // these files hold a line or two

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content(kFileBytesMax, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return content;
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// "max", "-1" and anything else that is no positive number: no limit.
std::optional<int64_t> Positive(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) return std::nullopt;
  return number;
}

std::optional<int64_t> NumberIn(const std::string& path) {
  const auto words = Words(Content(path));
  return words.empty() ? std::nullopt : Positive(words[0]);
}

template <typename T>
void Lower(std::optional<T>& limit, T value) {
  limit = limit ? std::min(*limit, value) : value;
}

void LowerProcessors(CgroupLimits& limits, std::optional<int64_t> quota,
                     std::optional<int64_t> period) {
  if (!quota || !period) return;
  Lower(limits.processors, static_cast<double>(*quota) / static_cast<double>(*period));
}

void ReadVersion2(const std::string& group, CgroupLimits& limits) {
  const auto cpu = Words(Content(group + "/cpu.max"));  // "150000 100000" or "max 100000"
  if (cpu.size() == 2) LowerProcessors(limits, Positive(cpu[0]), Positive(cpu[1]));
  if (const auto bytes = NumberIn(group + "/memory.max")) Lower(limits.memory_bytes, *bytes);
}

void ReadVersion1(const std::string& group, CgroupLimits& limits) {
  LowerProcessors(limits, NumberIn(group + "/cpu.cfs_quota_us"),
                  NumberIn(group + "/cpu.cfs_period_us"));
  if (const auto bytes = NumberIn(group + "/memory.limit_in_bytes")) {
    Lower(limits.memory_bytes, *bytes);
  }
}

// `path` and every group above it up to the mount. In a container the path may be the host's and
// not exist below our mount; then only the mount itself answers, which is the container's own
// group.
template <typename Read>
void ReadUpwards(const std::string& mount, std::string path, Read read, CgroupLimits& limits) {
  while (path.ends_with('/')) path.pop_back();
  while (!path.empty()) {
    read(mount + path, limits);
    path.resize(std::min(path.rfind('/'), path.size() - 1));
  }
  read(mount, limits);
}

}  // namespace

CgroupLimits ReadCgroupLimits(const std::string& root) {
  CgroupLimits limits;
  const std::string base = root + "/sys/fs/cgroup";
  std::istringstream groups(Content(root + "/proc/self/cgroup"));
  for (std::string line; std::getline(groups, line);) {  // "4:cpu,cpuacct:/a/b" or "0::/a/b"
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || second + 1 >= line.size() || line[second + 1] != '/')
      continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      ReadUpwards(base, path, ReadVersion2, limits);
      ReadUpwards(base + "/unified", path, ReadVersion2, limits);
      continue;
    }
    ReadUpwards(base + "/" + controllers, path, ReadVersion1, limits);
    std::istringstream names(controllers);
    for (std::string name; std::getline(names, name, ',');) {
      if (name != controllers) ReadUpwards(base + "/" + name, path, ReadVersion1, limits);
    }
  }
  return limits;
}

}  // namespace levada::os
