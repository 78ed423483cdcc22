#pragma once
// A copy of a database as a file: the image of a point, each page with its checksum. What is known
// of it by reading it to its end.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/context.h"
#include "os/disk.h"

namespace levada::services::d1 {

struct CopyRead {
  std::string sha256;  ///< in hex
  int64_t bytes = 0;
  uint32_t page_count = 0;
  bool is_of_d1 = false;  ///< as every database of ours begins, without regard to its content
  std::optional<int64_t> damaged_page;  ///< the first one, from 1; a part of one is one
};
/// kStopped when `is_stopping`.
Result<CopyRead> ReadCopy(os::Disk& disk, const std::string& path,
                          const std::function<bool()>& is_stopping);

/// What SQLite's own check says of the file. kStoreDamaged with its words.
Status CheckIntegrityOfCopy(const Context& ctx, const std::string& path);

}  // namespace levada::services::d1
