#pragma once
// What every reader of Parquet files does around Arrow's own: exceptions and statuses of its
// libraries become faults, and batches get a size. Internal to this folder.

#include <parquet/exception.h>
#include <parquet/metadata.h>

#include <cstdint>
#include <exception>
#include <new>
#include <string>

#include "base/fault.h"
#include "formats/parquet/file_reader.h"

namespace levada::parquet_format {

/// How the failures of a file are told.
struct ReadFaults {
  FaultCode malformed;  ///< of bytes that are no Parquet
  /// The file system's own errors become kTargetIo; without it they are handed on, for a caller who
  /// knows the file's name.
  bool wraps_io = true;
};

/// "not a readable Parquet file: WHY".
Fault NotReadable(const ReadFaults& faults, const std::string& why);
/// `status` by whose it is: a Fault stays, the file system's, or the file's own bytes.
Status Classified(const ReadFaults& faults, const Status& status);

/// Runs `body`, which returns a Result. Arrow's Parquet code throws, thrift and the standard
/// library below it too.
template <typename Body>
auto GuardedRead(const ReadFaults& faults, Body body) -> decltype(body()) {
  try {
    auto result = body();
    if (!result.ok()) return Classified(faults, result.status());
    return result;
  } catch (const parquet::ParquetStatusException& error) {
    return Classified(faults, error.status());
  } catch (const std::bad_alloc&) {
    return NotReadable(faults, "it asks for more memory than there is");
  } catch (const std::exception& error) {
    return NotReadable(faults, error.what());
  }
}

/// So that a batch of the widest row group takes about options.batch_bytes.
int64_t BatchRows(const parquet::FileMetaData& metadata, const ReadOptions& options);

}  // namespace levada::parquet_format
