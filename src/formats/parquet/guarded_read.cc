#include "formats/parquet/guarded_read.h"

#include <arrow/util/io_util.h>

#include <algorithm>

namespace levada::parquet_format {

Fault NotReadable(const ReadFaults& faults, const std::string& why) {
  return Fault(faults.malformed, "not a readable Parquet file: " + why);
}

Status Classified(const ReadFaults& faults, const Status& status) {
  if (status.ok() || AttachedFault(status) != nullptr) return status;
  if (arrow::internal::ErrnoFromStatus(status) == 0) {
    return NotReadable(faults, status.message()).Because(status);
  }
  if (!faults.wraps_io) return status;
  return Fault(FaultCode::kTargetIo, "cannot read a Parquet file").Because(status);
}

int64_t BatchRows(const parquet::FileMetaData& metadata, const ReadOptions& options) {
  int64_t rows = std::max<int64_t>(options.batch_rows, 1);
  for (int i = 0; i < metadata.num_row_groups(); ++i) {
    const auto group = metadata.RowGroup(i);
    if (group->num_rows() <= 0 || group->total_byte_size() <= 0) continue;
    const double row_bytes =
        static_cast<double>(group->total_byte_size()) / static_cast<double>(group->num_rows());
    rows =
        std::min(rows, static_cast<int64_t>(static_cast<double>(options.batch_bytes) / row_bytes));
  }
  return std::max<int64_t>(rows, 1);
}

}  // namespace levada::parquet_format
