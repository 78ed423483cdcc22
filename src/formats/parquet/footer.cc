#include "formats/parquet/footer.h"

#include <parquet/file_writer.h>

#include <map>

#include "formats/parquet/delta.h"

namespace levada::parquet_format {
namespace {

parquet::EncodedStatistics StatisticsOf(const ColumnChunkRecord& record,
                                        const parquet::ColumnDescriptor& column) {
  parquet::EncodedStatistics statistics;
  statistics.set_is_signed(column.sort_order() == parquet::SortOrder::SIGNED);
  statistics.set_null_count(record.null_count);
  if (record.has_bounds) {
    statistics.set_min(record.min);
    statistics.set_max(record.max);
  }
  return statistics;
}

void AddColumnChunk(const ColumnChunkRecord& record, parquet::ColumnChunkMetaDataBuilder* column) {
  constexpr int64_t kNoIndexPage = -1;
  column->SetStatistics(StatisticsOf(record, *column->descr()));
  std::map<parquet::Encoding::type, int32_t> dictionary_pages;
  std::map<parquet::Encoding::type, int32_t> data_pages;
  if (record.has_dictionary) dictionary_pages[parquet::Encoding::PLAIN] = 1;
  if (record.plain_pages > 0) data_pages[parquet::Encoding::PLAIN] = record.plain_pages;
  if (record.delta_pages > 0) {
    data_pages[*DeltaEncodingOf(column->descr()->physical_type())] = record.delta_pages;
  }
  if (record.indexed_pages > 0) {
    data_pages[parquet::Encoding::RLE_DICTIONARY] = record.indexed_pages;
  }
  column->Finish(record.num_values, record.dictionary_page_offset, kNoIndexPage,
                 record.data_page_offset, record.compressed_size, record.uncompressed_size,
                 record.has_dictionary, record.fell_back, dictionary_pages, data_pages);
}

}  // namespace

ColumnChunkRecord RecordOf(const parquet::ColumnChunkMetaDataBuilder& metadata,
                           const parquet::EncodedStatistics& statistics) {
  const auto written = parquet::ColumnChunkMetaData::Make(metadata.contents(), metadata.descr());
  ColumnChunkRecord record;
  record.num_values = written->num_values();
  if (written->has_dictionary_page()) {
    record.dictionary_page_offset = written->dictionary_page_offset();
  }
  record.data_page_offset = written->data_page_offset();
  record.compressed_size = written->total_compressed_size();
  record.uncompressed_size = written->total_uncompressed_size();
  for (const parquet::PageEncodingStats& pages : written->encoding_stats()) {
    if (pages.page_type == parquet::PageType::DICTIONARY_PAGE) continue;
    switch (pages.encoding) {
      case parquet::Encoding::PLAIN:
        record.plain_pages += pages.count;
        break;
      case parquet::Encoding::DELTA_BINARY_PACKED:
      case parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY:
        record.delta_pages += pages.count;
        break;
      default:
        record.indexed_pages += pages.count;
    }
  }
  record.null_count = statistics.null_count;
  record.has_bounds = statistics.has_min && statistics.has_max;
  if (record.has_bounds) {
    record.min = statistics.min();
    record.max = statistics.max();
  }
  return record;
}

void WriteFooter(const FileSchema& schema, std::span<const RowGroupRecord> row_groups,
                 const std::shared_ptr<parquet::WriterProperties>& properties,
                 const std::shared_ptr<const arrow::KeyValueMetadata>& key_values,
                 arrow::io::OutputStream* sink) {
  const auto file = parquet::FileMetaDataBuilder::Make(schema.descriptor.get(), properties);
  for (const RowGroupRecord& record : row_groups) {
    parquet::RowGroupMetaDataBuilder* row_group = file->AppendRowGroup();
    int64_t total = 0;
    for (const ColumnChunkRecord& column : record.columns) {
      AddColumnChunk(column, row_group->NextColumnChunk());
      total += column.written_bytes;
    }
    row_group->set_num_rows(record.rows);
    row_group->Finish(total);
  }
  parquet::WriteFileMetaData(*file->Finish(key_values), sink);
}

}  // namespace levada::parquet_format
