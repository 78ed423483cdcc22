#pragma once
// What Spark reads of Parquet files, by its rules, without Spark: the types of the columns, how the
// schemas of two files merge (`mergeSchema=true`), and what becomes of a file's values under
// columns that are not its own, which is how Spark reads every file of a dataset but the one that
// it took the columns from. With Spark's default settings (columns match whatever their case,
// vectorized reader). Pure functions; testdata/spark_verdicts.json holds what Spark itself said.

#include <optional>
#include <string>
#include <vector>

#include "formats/parquet/schema_tree.h"
#include "readers/spark_type.h"

namespace levada::readers {

enum class SparkVersion : uint8_t { k3, k4 };  ///< as 3.5 and as 4.x do

struct SparkColumn {
  std::string name;
  std::optional<SparkType> type;  ///< none: Spark refuses the file because of this column
  std::string refused;            ///< then why, for people
};

/// The columns as Spark infers them, or as the row metadata of the file says.
struct SparkSchema {
  std::vector<SparkColumn> columns;
  bool from_metadata = false;
  std::string refused;  ///< of the file as a whole: names that are there twice

  bool is_readable() const;
  /// Each column has one. Two files may merge of which one, alone, is refused for its names.
  bool has_types() const;
  /// Precondition: has_types().
  SparkType AsStruct() const;
};

SparkSchema InferSparkSchema(const parquet_format::SchemaTree& file, SparkVersion version);

/// What two structs become under mergeSchema. On failure `type` is none and `column` and `why` name
/// the first column of the second that does not fit.
struct SparkMerge {
  std::optional<SparkType> type;
  std::string column;
  std::string why;
};
/// Names match whatever their case; within structs only to Spark 4.
SparkMerge MergeSparkTypes(const SparkType& first, const SparkType& second, SparkVersion version);

/// How values come back.
enum class Reading : uint8_t {
  kSame,   ///< as they are in the file
  kOther,  ///< without an error, and not as they are: cut, moved by hours, of another meaning
  kError,
};
struct ColumnReading {
  std::string name;
  Reading reading = Reading::kSame;
  std::string why;  ///< unless kSame, for people
};

/// Per column of `columns`, a struct: what Spark reads from the file. A column that the file has
/// not is NULL, which is kSame.
std::vector<ColumnReading> ReadUnder(const parquet_format::SchemaTree& file,
                                     const SparkType& columns, SparkVersion version);
/// The worst of them.
Reading WorstOf(const std::vector<ColumnReading>& readings);

}  // namespace levada::readers
