#pragma once
// A segment: points on their way to the engine, batch behind batch in one file that is written once
// from its start to its end. Reading checks every byte, and tells the end that a loss of power
// leaves (a batch that was never acknowledged) from damage (one that was).

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "os/disk.h"
#include "services/analytics/segment_record.h"

namespace levada::services::analytics {

/// Where segments are below the directory of the service.
inline std::string LogOf(const std::string& directory) { return os::JoinPath(directory, "wal"); }
/// Whose tables of a server they are: a text of the data directory's own.
inline std::string OwnerFileOf(const std::string& directory) {
  return os::JoinPath(directory, "owner");
}
/// The file of a segment: "00000000000000000001.seg".
std::string NameOfSegment(uint64_t number);
/// nullopt where `file_name` is none of a segment.
std::optional<uint64_t> NumberOfSegment(std::string_view file_name);

/// One thread at a time. After an error nothing more is to be written to it.
class SegmentWriter final {
 public:
  /// Durable with its name.
  static Result<std::unique_ptr<SegmentWriter>> Create(os::Disk& disk, const std::string& path,
                                                       const SegmentIdentity& segment);
  /// One batch, durable when this returns. Precondition: no batch before it failed.
  Status Append(std::span<const Rows> rows);
  /// Writes that this is all; durable when this returns.
  Status End();

  uint64_t number() const { return place_.segment.number; }
  int64_t size_bytes() const { return place_.offset; }
  uint64_t row_count() const { return row_count_; }

 private:
  SegmentWriter(std::unique_ptr<os::WritableFile> file, const SegmentIdentity& segment)
      : file_(std::move(file)), place_{segment, 0} {}
  Status Write(std::string_view bytes);

  const std::unique_ptr<os::WritableFile> file_;
  BatchPlace place_;
  uint64_t sequence_ = 0;
  uint64_t row_count_ = 0;
};

struct SegmentContent {
  SegmentIdentity segment;
  std::vector<Rows> rows;  ///< in the order written
  bool is_ended = false;   ///< in order; else what was not acknowledged is left out
  int64_t valid_bytes = 0;
  uint64_t batches = 0;
  int64_t cut_bytes = 0;  ///< behind them, of a batch that is not whole
};

/// kStoreDamaged where something that was acknowledged is not what was written, or cannot be read
/// any more. Of a file that a
/// loss of power took before it had a head: no rows and 0 valid bytes.
Result<SegmentContent> ReadSegment(os::Disk& disk, const std::string& path, uint64_t number);

/// Reads a segment that may not have been ended, cuts off what was not acknowledged and ends it:
/// what it holds then is what it will always hold. Durable when this returns.
Result<SegmentContent> MendSegment(os::Disk& disk, const std::string& path, uint64_t number);

}  // namespace levada::services::analytics
