#pragma once
// EncodeOptions: every decision about the shape of a Parquet file that its bytes depend on.
//
// Made once, when a run is split (ChooseOptions), recorded with the Split as JSON and read back by
// every later attempt, so that the same rows give the same bytes tomorrow and on another host. What
// does not change the bytes (threads, pools) is not here: see EncodeEnvironment in file_encoder.h.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::parquet_format {

enum class Codec : uint8_t { kNone, kSnappy, kZstd, kLz4 };

/// The reader whose rules the file must satisfy. The README holds the type table.
enum class Profile : uint8_t {
  kSpark3,  ///< from 3.4 on, with PLAIN values earlier ones; also what every other reader accepts;
            ///< every column OPTIONAL
  kSpark4,  ///< writes what kSpark3 writes; kept apart because Spark 4 may be given more later
  kArrow,   ///< Arrow's natural types and nullability, for Arrow, DuckDB, Polars
};

/// How values are stored that are in no dictionary.
enum class ValueEncoding : uint8_t {
  kAuto,   ///< the smaller of PLAIN and the delta encoding that there is for integers and for texts
  kPlain,  ///< for readers without those: Spark before 3.4, Iceberg's own vectorized one
           ///< before 1.11
};

enum class DictionaryUse : uint8_t {
  kOff,
  kAuto,  ///< tried on the first chunk of each row group, dropped for the file where it does not
          ///< pay
  kOn,    ///< kept until it reaches dictionary_bytes; then the row group goes on in PLAIN
};

/// A *chunk* is the unit of encoding: the same rows of every column, one data page each. Chunks and
/// row groups end where these limits say, counted in rows and in bytes of the rows themselves,
/// never where a batch happens to end.
struct EncodeOptions {
  Profile profile = Profile::kSpark3;
  Codec codec = Codec::kZstd;
  int level = 1;  ///< zstd only, 1..22; 0 for the other codecs
  ValueEncoding encoding = ValueEncoding::kAuto;
  /// One per leaf column in depth-first order (LeafPaths); empty: kAuto for all.
  std::vector<DictionaryUse> dictionary;
  /// Minimum and maximum in the footer, per leaf column; empty: all. Null counts are always
  /// written.
  std::vector<bool> statistics;
  int64_t chunk_rows = 16 * 1024;
  int64_t chunk_bytes =
      8 << 20;  ///< PLAIN bytes of a chunk's rows over all columns; a chunk has at least one row
  int64_t row_group_rows = 1 << 20;
  int64_t row_group_bytes =
      8 << 20;  ///< encoded bytes held in memory before they are written; checked after each chunk
  int64_t dictionary_bytes = 1 << 20;  ///< PLAIN size of one dictionary
  int64_t file_bytes = 512 << 20;      ///< FileEncoder::ShouldRoll once this much is written
  int64_t file_column_chunks =
      20'000;  ///< the same for the footer, which grows about 1.8 KB per column chunk

  bool operator==(const EncodeOptions&) const = default;
};

/// The version that ToJson writes. Any other is refused: an older build must not continue a run it
/// would cut otherwise.
inline constexpr int kEncodeOptionsVersion = 3;

/// One JSON object on one line: equal options give equal text.
std::string ToJson(const EncodeOptions& options);
/// The inverse. Anything but exactly the keys of this version with values in range is
/// kManifestCorrupt.
Result<EncodeOptions> FromJson(std::string_view json);
/// kBadValue naming the option that is out of range; `leaf_count` is the number of leaf columns of
/// the schema.
Status CheckOptions(const EncodeOptions& options, int leaf_count);

std::string_view NameOf(Codec codec);             ///< "none", "snappy", "zstd", "lz4"
std::string_view NameOf(Profile profile);         ///< "spark-3", "spark-4", "arrow"
std::string_view NameOf(ValueEncoding encoding);  ///< "auto", "plain"
std::string_view NameOf(DictionaryUse use);       ///< "off", "auto", "on"
std::optional<Codec> FindCodec(std::string_view name);
std::optional<Profile> FindProfile(std::string_view name);
std::optional<ValueEncoding> FindValueEncoding(std::string_view name);

/// What the source knows about one leaf column at plan time (pg_stats, ClickHouse's uniq, nothing).
struct ColumnHint {
  double distinct_count = -1;  ///< over all rows of the table; -1 unknown
  double average_bytes =
      -1;  ///< of a non-null value; -1 unknown; only asked for variable-length columns
  double null_fraction = 0;
};

/// What the user wrote; whatever is absent is chosen.
struct EncodeOverrides {
  std::optional<Profile> profile;
  std::optional<Codec> codec;
  std::optional<int> level;
  std::optional<ValueEncoding> encoding;
  std::optional<int64_t> row_group_rows;
  std::optional<int64_t> row_group_bytes;
  std::optional<int64_t> file_bytes;
  std::map<std::string, bool> dictionary;  ///< by top-level column name
  std::map<std::string, bool> statistics;  ///< by top-level column name
};

/// Options for a table of `row_count` rows (-1 unknown) whose leaf columns are described by `hints`
/// (empty, or one per leaf). Dictionaries are off where the distinct values of a row group are too
/// many to pay, on where they are surely few, tried where unknown. Chunks and row groups are sized
/// so that a file under construction holds about chunk_bytes + row_group_bytes. kUnknownColumn for
/// an override of a column that is not there, kBadValue for a value out of range, and what
/// CheckSchema (file_schema.h) refuses.
Result<EncodeOptions> ChooseOptions(const arrow::Schema& schema,
                                    const std::vector<ColumnHint>& hints, int64_t row_count,
                                    const EncodeOverrides& overrides);

}  // namespace levada::parquet_format
