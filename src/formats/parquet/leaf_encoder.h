#pragma once
// LeafEncoder: one leaf column of the row group under construction. Takes chunks, keeps the
// compressed data pages and the dictionary, hands them to Arrow's page writer when the row group
// ends. Internal.
//
// Why not Arrow's own column writer: it spends 0.45 us of the 0.6 us that a lineitem row costs on
// levels, statistics and dictionaries (README, "Measured"). Everything of the file format that is
// not values stays Arrow's: page headers, compression, metadata, footer.

#include <arrow/buffer.h>
#include <arrow/buffer_builder.h>
#include <arrow/util/compression.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/types.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/fault.h"
#include "formats/parquet/delta.h"
#include "formats/parquet/dictionary.h"
#include "formats/parquet/encode_options.h"
#include "formats/parquet/extremes.h"
#include "formats/parquet/footer.h"
#include "formats/parquet/leaf_plan.h"
#include "formats/parquet/levels.h"

namespace levada::parquet_format {

/// The memory of one encoding thread, reused from page to page.
struct EncodeScratch {
  explicit EncodeScratch(arrow::MemoryPool* pool)
      : levels(pool), page(pool), words(pool), indices(pool), delta(pool), compressed(pool) {}

  LeafChunk chunk;
  arrow::BufferBuilder levels;
  arrow::BufferBuilder page;
  arrow::BufferBuilder words;
  arrow::BufferBuilder indices;
  DeltaEncoder delta;
  arrow::BufferBuilder compressed;
  std::unique_ptr<arrow::util::Codec> codec;  ///< null: uncompressed
};

/// What has been chosen of a column for the rest of its file.
struct LeafChoices {
  DictionaryUse dictionary = DictionaryUse::kAuto;
  /// Of a BYTE_ARRAY column's values that are in no dictionary. Chosen by the first values that are
  /// written without one, or tried to.
  std::optional<parquet::Encoding::type> bytes;
};

class LeafEncoder {
 public:
  /// `choices` made so far, which may be less than `options` leave open.
  LeafEncoder(const LeafPlan& leaf, const EncodeOptions& options, int leaf_index,
              const LeafChoices& choices, arrow::MemoryPool* pool);
  LeafEncoder(const LeafEncoder&) = delete;
  LeafEncoder& operator=(const LeafEncoder&) = delete;

  /// Adds one data page. Any thread, one call at a time.
  Status EncodeChunk(std::span<const ColumnSlice> slices, EncodeScratch* scratch);

  /// What the row group holds of this column so far: compressed pages and the dictionary. Follows
  /// from the rows alone.
  int64_t encoded_bytes() const { return page_bytes_ + DictionaryBytes(); }

  /// About what this object takes in memory, the tables of the dictionaries included. Follows from
  /// the rows alone.
  int64_t held_bytes() const;

  const LeafChoices& choices() const { return choices_; }

  /// Writes the column chunk and begins the next row group.
  Result<ColumnChunkRecord> Flush(const std::shared_ptr<arrow::io::OutputStream>& sink,
                                  const std::shared_ptr<parquet::WriterProperties>& properties);

 private:
  struct Page {
    std::shared_ptr<arrow::Buffer> bytes;
    int32_t level_count;
    parquet::Encoding::type encoding;
    int64_t uncompressed_size;
  };

  bool UsesBytes() const { return leaf_.physical == parquet::Type::BYTE_ARRAY; }
  bool UsesFixed() const { return leaf_.physical == parquet::Type::FIXED_LEN_BYTE_ARRAY; }
  int64_t DictionaryBytes() const;
  int64_t DictionaryCount() const;

  /// The physical words of the chunk, in place or gathered into scratch.
  template <typename Word>
  Result<const Word*> Words(EncodeScratch* scratch);
  Result<const uint8_t*> Fixed(EncodeScratch* scratch);

  /// Appends the values as dictionary indices; false, and nothing appended, when they do not fit
  /// the dictionary or -0 is among them. Spark asks dictionaries for a value by its bits: looking
  /// for 0 it would pass over a column chunk of -0.
  Result<bool> AppendIndices(EncodeScratch* scratch);
  Result<bool> InsertAll(EncodeScratch* scratch, uint32_t* indices);
  /// Among the entries from number `from` on.
  bool HoldsNegativeZero(int64_t from) const;
  /// Decides for the file whether a dictionary pays, by compressing the first values in both ways.
  /// Leaves the page with the better one, and returns which that is.
  Result<parquet::Encoding::type> TryDictionary(int64_t levels_end, EncodeScratch* scratch);
  void CloseDictionary(int64_t entries_kept);
  int64_t PlainSize(const EncodeScratch& scratch) const;

  /// Appends the values themselves, in the encoding returned: the smaller of PLAIN and
  /// DeltaEncodingOf their type, if that has one.
  Result<parquet::Encoding::type> AppendValues(EncodeScratch* scratch);
  /// Integers: both are compressed for the first such page of a row group, and again where the
  /// sizes before compression say that the other one has become smaller: a few rows out of order
  /// must not cost the row group its deltas.
  Result<parquet::Encoding::type> AppendIntegers(EncodeScratch* scratch);
  /// Bytes: both are compressed for the first such page of the file. What they are like does not
  /// change from page to page, and compressing them is most of what encoding them costs.
  Result<parquet::Encoding::type> AppendBytes(EncodeScratch* scratch);
  Status AppendBytesAs(parquet::Encoding::type encoding, EncodeScratch* scratch);
  /// Adds the values to the statistics too: whatever is chosen, this is tried first.
  Result<std::shared_ptr<arrow::Buffer>> Delta(EncodeScratch* scratch);
  Status AppendPlain(EncodeScratch* scratch);
  template <typename Word>
  Status AppendPlainWords(EncodeScratch* scratch);
  Status AppendPlainFixed(EncodeScratch* scratch);
  Status AppendPlainBools(EncodeScratch* scratch);

  /// The page from `begin` on, compressed where there is a codec; valid until the next call.
  Result<std::span<const uint8_t>> Compressed(std::span<const uint8_t> raw, EncodeScratch* scratch);
  std::span<const uint8_t> PlainDictionary() const;
  /// The size of the page's bytes from `begin` on, compressed.
  Result<int64_t> CompressedSize(int64_t begin, EncodeScratch* scratch);
  Status StorePage(int64_t padding, parquet::Encoding::type encoding, EncodeScratch* scratch);
  void AddDictionaryExtremes();
  parquet::EncodedStatistics Statistics();
  void BeginRowGroup();

  const LeafPlan& leaf_;
  const bool statistics_;
  const bool may_delta_;  ///< otherwise all that is in no dictionary is PLAIN
  const int64_t dictionary_bytes_max_;
  arrow::MemoryPool* const pool_;
  LeafChoices choices_;
  bool dictionary_open_;  ///< this chunk's values may go into the dictionary
  /// Of what is in no dictionary; absent until the row group has such a page.
  std::optional<parquet::Encoding::type> values_encoding_;
  double plain_share_ = 1;  ///< left by compression when both encodings were last compressed
  double delta_share_ = 1;

  WordDictionary<uint32_t> words32_;
  WordDictionary<uint64_t> words64_;
  BytesDictionary bytes_;
  Extremes extremes_;
  std::vector<Page> pages_;
  int64_t page_bytes_ = 0;
  int64_t null_count_ = 0;
  int64_t half_entries_ = 0;  ///< of the dictionary, after the first half of the last chunk
};

}  // namespace levada::parquet_format
