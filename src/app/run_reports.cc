#include "app/run_reports.h"

#include <fmt/format.h>

#include <algorithm>

namespace levada::app {
namespace {

/// "2026-11-22T16:04:52.123456Z" -> "20261122T160452Z": sorts by time, no colons for other systems.
std::string FileTime(WallMicros micros) {
  std::string compact;
  for (const char c : FormatTimestamp(micros)) {
    if (c == '.') break;
    if (c != '-' && c != ':') compact += c;
  }
  return compact + "Z";
}

Status RemoveOldest(os::Disk& disk, const std::string& folder) {
  ARROW_ASSIGN_OR_RAISE(const auto entries, disk.List(folder));  // sorted, so oldest first
  std::vector<std::string> reports;
  for (const os::DirectoryEntry& entry : entries) {
    if (!entry.is_directory && entry.name.ends_with(".json")) reports.push_back(entry.name);
  }
  for (size_t i = 0; i + kReportsKept < reports.size(); ++i) {
    ARROW_RETURN_NOT_OK(disk.Remove(os::JoinPath(folder, reports[i])));
  }
  return Status::OK();
}

Status Write(os::Disk& disk, const std::string& folder, const std::string& path,
             const std::string& content) {
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(folder));
  ARROW_RETURN_NOT_OK(os::WriteFileDurably(disk, path, content));
  return RemoveOldest(disk, folder);
}

}  // namespace

Result<std::string> SaveReport(os::Disk& disk, const std::string& state_directory,
                               const elt::RunReport& report) {
  const std::string folder = os::JoinPath(os::JoinPath(state_directory, "runs"), report.pipeline);
  const std::string path =
      os::JoinPath(folder, fmt::format("{}-{}.json", FileTime(report.started_at), report.run_id));
  const Status written = Write(disk, folder, path, report.ToJson() + "\n");
  if (written.ok()) return path;
  return Fault(FaultCode::kLedgerUnusable, fmt::format("cannot write the report \"{}\"", path))
      .Help("give a writable directory with --state DIR; the data itself is published")
      .Because(written);
}

}  // namespace levada::app
