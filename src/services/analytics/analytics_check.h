#pragma once
// CheckAnalytics: whether the points that wait for the engine are whole while nobody has them open:
// reads every segment to its end. What the engine has is not looked at: it checks its own parts
// when they are read.

#include <cstdint>
#include <string>

#include "base/context.h"
#include "base/fault.h"
#include "os/disk.h"
#include "services/core/findings.h"

namespace levada::services::analytics {

struct AnalyticsChecked {
  uint64_t points = 0;  ///< that wait
};

/// `directory` is that of the service; one that is not there holds nothing. Changes nothing.
/// Errors: kStopped; what is wrong with a segment is a finding.
Result<AnalyticsChecked> CheckAnalytics(const Context& ctx, os::Disk& disk,
                                        const std::string& directory,
                                        const KnownResources& datasets, Findings& findings);

}  // namespace levada::services::analytics
