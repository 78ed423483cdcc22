#include "app/analytics_server.h"

#include <sys/stat.h>

#include <string>
#include <utility>

namespace levada::app {
namespace {

constexpr int64_t kPasswordBytesMax = 4096;

Fault BadFile(const std::string& path, const std::string& why) {
  return Fault(FaultCode::kBadValue,
               "the file of the password of analytics, \"" + path + "\", " + why)
      .With("path", path);
}

Result<Secret> ReadPassword(os::Disk& disk, const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0) {
    return BadFile(path, "may be read by others").Help("chmod 600 " + path);
  }
  ARROW_ASSIGN_OR_RAISE(const auto text, os::ReadFile(disk, path, kPasswordBytesMax));
  if (!text) return BadFile(path, "is not there");
  std::string line = text->substr(0, text->find('\n'));
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return BadFile(path, "has no password in its first line");
  return Secret(std::move(line));
}

}  // namespace

Result<std::optional<services::analytics::ClickhouseOptions>> AnalyticsServerOf(
    const DaemonOptions& options, os::Disk& disk) {
  if (!options.analytics_server) return std::nullopt;
  services::analytics::ClickhouseOptions server;
  server.address = *options.analytics_server;
  if (!options.analytics_password_file.empty()) {
    ARROW_ASSIGN_OR_RAISE(server.password, ReadPassword(disk, options.analytics_password_file));
  } else {
    server.password = Secret(options.environment("LEVADA_ANALYTICS_PASSWORD").value_or(""));
  }
  return std::optional(std::move(server));
}

}  // namespace levada::app
