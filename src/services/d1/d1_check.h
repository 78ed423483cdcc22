#pragma once
// CheckD1: whether databases are whole while nobody has them open: every page of their files and
// every record of their histories is read, each of which has a checksum; with `is_scrub` the base
// images too.

#include <cstdint>
#include <functional>
#include <string>

#include "base/context.h"
#include "os/disk.h"
#include "services/core/findings.h"

namespace levada::services::d1 {

struct D1Checked {
  uint64_t databases = 0;
  uint64_t pages = 0;         ///< of their files
  uint64_t transactions = 0;  ///< of their histories
};

struct D1CheckOptions {
  std::string directory;
  bool is_scrub = false;
  KnownResources databases;
  /// Hears behind each database what was read so far. May be empty.
  std::function<void(const D1Checked&)> on_progress = {};
};

/// Changes nothing. Errors: kStopped; what is wrong is a finding.
Result<D1Checked> CheckD1(const Context& ctx, os::Disk& disk, const D1CheckOptions& options,
                          Findings& findings);

}  // namespace levada::services::d1
