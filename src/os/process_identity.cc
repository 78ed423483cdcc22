#include "os/process_identity.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>

namespace levada::os {
namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string LinkOf(const char* path) {
  std::array<char, 128> target = {};
  const ssize_t size = readlink(path, target.data(), target.size());
  return size <= 0 ? std::string() : std::string(target.data(), static_cast<size_t>(size));
}

// Of /proc/PID/stat. The name in parentheses may hold anything, so fields count from behind it: the
// state is the third of the file, the start time the 22nd.
struct ProcessStat {
  char state = 0;
  std::string start;
};
std::optional<ProcessStat> StatOf(std::string_view pid) {
  const std::string line = FirstLine(fmt::format("/proc/{}/stat", pid));
  const size_t name_end = line.rfind(')');
  if (name_end == line.npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  ProcessStat stat;
  std::string field;
  for (int number = 3; number <= 22 && fields >> field; ++number) {
    if (number == 3) stat.state = field.front();
    if (number == 22) stat.start = field;
  }
  if (stat.start.empty()) return std::nullopt;
  return stat;
}

std::string Machine() {
  const std::string boot = FirstLine("/proc/sys/kernel/random/boot_id");
  const std::string pids = LinkOf("/proc/self/ns/pid");
  if (boot.empty() || pids.empty()) return {};
  return fmt::format("{}/{}/", boot, pids);
}

}  // namespace

std::string ProcessIdentity() {
  const std::string machine = Machine();
  const std::string pid = std::to_string(getpid());
  const auto stat = StatOf(pid);
  if (machine.empty() || !stat) return {};
  return fmt::format("{}{}/{}", machine, pid, stat->start);
}

std::optional<bool> IsAlive(std::string_view identity) {
  const std::string machine = Machine();
  if (machine.empty() || !identity.starts_with(machine)) return std::nullopt;
  identity.remove_prefix(machine.size());
  const size_t slash = identity.find('/');
  const std::string_view pid = identity.substr(0, slash);
  const bool is_number = !pid.empty() && pid.find_first_not_of("0123456789") == pid.npos;
  if (slash == identity.npos || !is_number) return std::nullopt;
  const auto stat = StatOf(pid);
  if (!stat) {
    // Gone, or not shown to us: /proc may hide the processes of others, or no descriptor is left.
    pid_t number = 0;
    const auto parsed = std::from_chars(pid.data(), pid.data() + pid.size(), number);
    if (parsed.ec != std::errc() || number <= 0) return std::nullopt;
    if (kill(number, 0) != 0 && errno == ESRCH) return false;
    return std::nullopt;
  }
  // A zombie does nothing any more.
  return stat->start == identity.substr(slash + 1) && stat->state != 'Z' && stat->state != 'X';
}

}  // namespace levada::os
