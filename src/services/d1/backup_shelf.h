#pragma once
// BackupShelf: where copies of databases are put, as D1 sees it: files by key in a bucket. D1 knows
// no object storage; whoever joins the services gives it one (src/app/r2_shelf.h).

#include <string>
#include <utility>
#include <vector>

#include "base/fault.h"

namespace levada::services::d1 {

/// What is kept beside a copy: names in lower case.
using BackupLabels = std::vector<std::pair<std::string, std::string>>;

/// All of it blocks, and is called on no thread that the shelf itself needs. Thread-safe. Errors
/// are in words for an operator: kBadValue for a bucket or a key that is not there.
class BackupShelf {
 public:
  virtual ~BackupShelf() = default;
  /// All keys that begin so.
  virtual Result<std::vector<std::string>> List(const std::string& bucket,
                                                const std::string& prefix) = 0;
  /// The file at `path`, whose SHA-256 is `sha256` in hex. On the disk when it returns, and nothing
  /// of it to be seen before.
  virtual Status Put(const std::string& bucket, const std::string& key, const BackupLabels& labels,
                     const std::string& path, const std::string& sha256) = 0;
  /// To a file at `path`, which is made anew and synced.
  virtual Result<BackupLabels> Fetch(const std::string& bucket, const std::string& key,
                                     const std::string& path) = 0;
  virtual Status Remove(const std::string& bucket, const std::string& key) = 0;
};

}  // namespace levada::services::d1
