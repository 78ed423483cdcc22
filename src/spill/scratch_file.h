#pragma once
// ScratchFile: where a stage puts what does not fit into its memory. The file has no name: it is
// gone with the object, and with the process however that ends.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/fault.h"
#include "elt/catalog.h"
#include "os/disk.h"

namespace levada::spill {

/// Where scratch files are made. What it points to outlives every file.
struct ScratchSpace {
  os::Disk* disk = nullptr;
  Random* random = nullptr;
  std::string directory;
};

/// In $TMPDIR, or /var/tmp: /tmp is memory on many machines, and memory is what is lacking.
ScratchSpace ScratchSpaceOf(const elt::StageInput& input);

/// One thread at a time.
class ScratchFile final {
 public:
  /// The faults of Disk, with help that says how another place is chosen; so of Append.
  static Result<std::unique_ptr<ScratchFile>> Create(const ScratchSpace& space);

  Status Append(std::span<const uint8_t> bytes);
  /// Fills `out` from `offset`; kTargetIo where the file ends before.
  Status ReadAt(int64_t offset, std::span<uint8_t> out) const;
  int64_t size() const { return size_; }

 private:
  ScratchFile(std::unique_ptr<os::WritableFile> writer, std::unique_ptr<os::ReadableFile> reader,
              std::string path);

  const std::unique_ptr<os::WritableFile> writer_;
  const std::unique_ptr<os::ReadableFile> reader_;
  const std::string path_;
  int64_t size_ = 0;
};

}  // namespace levada::spill
