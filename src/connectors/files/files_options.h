#pragma once
// The options of consumer "files": their spec, and what a checked set of them means. Nothing here
// opens a file.

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/files/file_format.h"
#include "elt/catalog.h"
#include "elt/options.h"
#include "formats/csv/dialect.h"

namespace levada::files {

/// Most files of one run: each is a line of its record.
inline constexpr size_t kFilesMax = 100'000;
/// Most partitions of one run: each is files and a record.
inline constexpr size_t kPartitionsMax = 10'000;

/// `hive:`, whether directories such as country=DE are columns.
enum class Hive : uint8_t { kAuto, kYes, kNo };

/// `schema:`, what becomes of files whose columns are not those of the first.
enum class SchemaRule : uint8_t { kStrict, kUnion };

struct TypeOption {
  std::string column;
  std::shared_ptr<arrow::DataType> type;
  elt::Options where;  ///< for problems
};

struct CsvOptions {
  csv::Dialect dialect;
  csv::KnownDialect known;
  std::vector<std::string> null_values = {""};
  int32_t skip_rows = 0;
  std::vector<std::string> columns;  ///< names, instead of those in the file; may be empty
};

struct ConsumerOptions {
  elt::Options written;
  std::string path;
  std::optional<Format> format;
  std::vector<std::string> columns;  ///< empty: all
  std::vector<TypeOption> types;
  Hive hive = Hive::kAuto;
  SchemaRule schema = SchemaRule::kStrict;
  std::string file_column;  ///< empty: none
  CsvOptions csv;
  bool by_file = false;  ///< a partition for each file

  /// What `types` says of a column; nullptr: nothing.
  const TypeOption* Find(std::string_view column) const;
  /// `option` of what was written: for a fault that names a place in the pipeline file.
  Fault At(FaultCode code, const std::string& message, const std::string& help,
           std::string_view option) const;
};

elt::OptionSpec ConsumerSpec();

/// Every problem at once.
Result<std::shared_ptr<const ConsumerOptions>> ReadConsumerOptions(const elt::Options& options);

/// file:in/*.csv, file:///in?format=csv&hive=true
Result<elt::WrittenOptions> OptionsFromUrl(const std::string& url);

}  // namespace levada::files
