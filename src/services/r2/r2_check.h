#pragma once
// CheckR2: whether objects are whole while nobody has them open: every record is read, and every
// file that one names is looked at; with `is_scrub` it is read to its end, which its checks need.

#include <cstdint>
#include <functional>
#include <string>

#include "base/context.h"
#include "base/fault.h"
#include "os/disk.h"
#include "services/core/findings.h"
#include "services/r2/object_index.h"

namespace levada::services::r2 {

struct R2Checked {
  uint64_t objects = 0;   ///< current versions
  uint64_t versions = 0;  ///< the others, delete markers too
  uint64_t uploads = 0;
  uint64_t parts = 0;
  uint64_t events = 0;      ///< messages that queues have not got yet
  uint64_t files = 0;       ///< of blobs, that records name
  uint64_t bytes_read = 0;  ///< of files, when scrubbed
  bool is_readable = true;  ///< false: the index cannot be opened, or not be walked to its end
};

struct R2CheckOptions {
  std::string directory;  ///< "index" and "blobs" are in it
  bool is_scrub = false;
  KnownResources buckets;
  /// Hears behind each record what was read so far. May be empty.
  std::function<void(const R2Checked&)> on_progress = {};
};

/// Changes nothing. Errors: kStopped; what is wrong is a finding.
Result<R2Checked> CheckR2(const Context& ctx, os::Disk& disk, const R2CheckOptions& options,
                          Findings& findings);

/// Of a key of the index, for people.
std::string WhereOf(const KnownResources& buckets, Family family, std::string_view store_key);

}  // namespace levada::services::r2
