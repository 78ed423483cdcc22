#pragma once
// CheckControl: whether the control database of a data directory that nobody has open is whole.

#include <map>
#include <optional>
#include <string>

#include "base/context.h"
#include "base/fault.h"
#include "os/disk.h"
#include "services/core/control.h"
#include "services/core/findings.h"

namespace levada::services {

struct ControlChecked {
  uint64_t accounts = 0;
  uint64_t tokens = 0;
  uint64_t audit_entries = 0;
  /// Of one kind: namespaces by their ids, others by their names. Without those of kBegunSettings.
  KnownResources Known(ResourceKind kind) const;
  /// By number; nullopt: they could not be read.
  std::optional<std::map<ResourceKind, std::map<uint64_t, std::string>>> resources;
};

/// Reads all of the file at `path` and changes nothing. Errors: kStopped; what is wrong with the
/// file is a finding.
Result<ControlChecked> CheckControl(const Context& ctx, const std::string& path,
                                    Findings& findings);

/// Whether the daemon would start with the master key at `key_path` on the database at `path`:
/// one that is not there, cannot be used, or opens none of the secrets in it, is damage of the
/// store that was looked at last. Changes nothing. Errors: kStopped.
Status CheckMasterKey(const Context& ctx, os::Disk& disk, const std::string& path,
                      const std::string& key_path, Findings& findings);

}  // namespace levada::services
