#include "services/analytics/analytics_check.h"

#include <set>

#include "services/analytics/segment.h"
#include "services/analytics/statements.h"

namespace levada::services::analytics {
namespace {

void CheckSegment(os::Disk& disk, const std::string& path, uint64_t number,
                  const KnownResources& datasets, AnalyticsChecked& checked, Findings& findings) {
  const auto content = ReadSegment(disk, path, number);
  if (!content.ok()) {
    findings.AddDamage("segment_damaged", path, FaultOf(content.status()).message());
    return;
  }
  std::set<uint64_t> strangers;
  for (const Insert& insert : InsertsOf(number, content->rows)) {
    const Status whole = InsertStatement("", insert).status();
    if (!whole.ok()) findings.AddDamage("rows_damaged", path, FaultOf(whole).message());
    if (datasets && !datasets->contains(insert.dataset)) strangers.insert(insert.dataset);
    checked.points += insert.count;
  }
  for (const uint64_t dataset : strangers) {
    findings.AddLeftover("points_of_no_dataset", path, "dataset " + std::to_string(dataset));
  }
}

}  // namespace

Result<AnalyticsChecked> CheckAnalytics(const Context& ctx, os::Disk& disk,
                                        const std::string& directory,
                                        const KnownResources& datasets, Findings& findings) {
  findings.Begin("analytics");
  AnalyticsChecked checked;
  const std::string log = LogOf(directory);
  const auto entries = disk.List(log);
  if (!entries.ok()) {
    if (CodeOf(entries.status()) == FaultCode::kTargetFileMissing) return checked;
    findings.AddDamage("log_unreadable", log, FaultOf(entries.status()).message());
    return checked;
  }
  for (const os::DirectoryEntry& entry : *entries) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    const auto number = NumberOfSegment(entry.name);
    if (!number || entry.is_directory) continue;
    CheckSegment(disk, os::JoinPath(log, entry.name), *number, datasets, checked, findings);
  }
  return checked;
}

}  // namespace levada::services::analytics
