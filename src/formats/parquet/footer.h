#pragma once
// What a footer will say of the row groups that are written: kept small until the file is closed,
// some 200 bytes for each column chunk where Arrow's builder takes 1.8 KB. A loader that writes
// hundreds of files side by side lives on the difference. Internal.

#include <arrow/io/type_fwd.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/fault.h"
#include "formats/parquet/leaf_plan.h"

namespace levada::parquet_format {

/// One column chunk as it lies in the file.
struct ColumnChunkRecord {
  int64_t num_values = 0;
  int64_t dictionary_page_offset = 0;  ///< 0: none
  int64_t data_page_offset = 0;
  int64_t compressed_size = 0;
  int64_t uncompressed_size = 0;
  int64_t written_bytes = 0;  ///< uncompressed, page headers included
  int32_t plain_pages = 0;
  int32_t delta_pages = 0;    ///< DeltaEncodingOf(its physical type)
  int32_t indexed_pages = 0;  ///< of dictionary indices
  int64_t null_count = 0;
  std::string min;  ///< both empty, or both there by has_bounds
  std::string max;
  bool has_bounds = false;
  bool has_dictionary = false;
  bool fell_back = false;  ///< began with a dictionary and went on without
};

struct RowGroupRecord {
  int64_t rows = 0;
  std::vector<ColumnChunkRecord> columns;
};

/// What the page writer told `metadata`, with the statistics beside it.
ColumnChunkRecord RecordOf(const parquet::ColumnChunkMetaDataBuilder& metadata,
                           const parquet::EncodedStatistics& statistics);

/// Writes the footer, and with it the end of the file. Throws what Arrow's Parquet throws.
void WriteFooter(const FileSchema& schema, std::span<const RowGroupRecord> row_groups,
                 const std::shared_ptr<parquet::WriterProperties>& properties,
                 const std::shared_ptr<const arrow::KeyValueMetadata>& key_values,
                 arrow::io::OutputStream* sink);

}  // namespace levada::parquet_format
