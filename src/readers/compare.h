#pragma once
// Whether a new file may stand beside the files of a dataset, for a reader of both: column by
// column, with the reason and the line to write where it may not. Pure functions over schemas; what
// is asked of Spark is in spark.h, and proved against Spark itself. Of the other readers the rules
// are those of their documents, fewer and coarser; the README lists what is looked at.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/parquet/schema_tree.h"

namespace levada::readers {

enum class Reader : uint8_t { kSpark3, kSpark4, kHive, kDuckDb, kIcebergReady };

std::string_view NameOf(
    Reader reader);  ///< "spark-3", "spark-4", "hive", "duckdb", "iceberg-ready"
std::optional<Reader> FindReader(std::string_view name);

struct ColumnVerdict {
  std::string name;
  std::string there;      ///< type in the dataset, in the reader's words; empty: it is not there
  std::string candidate;  ///< type in the new file; empty: it has none
  bool mergeable = true;  ///< both at once, under columns made of both
  bool readable = true;   ///< the new file under the columns of the dataset
  std::string why;        ///< unless both
  std::string fix;        ///< a line of a pipeline; empty where there is none
};

struct Verdict {
  std::vector<ColumnVerdict> columns;  ///< those of the dataset, then those that are new
  std::vector<std::string> problems;   ///< of a file as a whole
  std::vector<std::string> notes;      ///< what is no problem, and good to know

  bool mergeable() const;
  bool readable() const;
};

Verdict CompareSchemas(const parquet_format::SchemaTree& there,
                       const parquet_format::SchemaTree& candidate, Reader reader);

}  // namespace levada::readers
