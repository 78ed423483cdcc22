#pragma once
// Table: the columns that all files of a run have together, and where each comes from.

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/files/file_set.h"
#include "connectors/files/files_options.h"
#include "connectors/files/open_file.h"
#include "elt/stages.h"

namespace levada::files {

struct TableColumn {
  enum class From : uint8_t { kFile, kDirectory, kPath };
  std::shared_ptr<arrow::Field> field;
  From from = From::kFile;
  int key = -1;  ///< kDirectory: which of the keys
};

struct Table {
  std::vector<TableColumn> columns;
  elt::SchemaPtr schema;
};

/// What was seen of a set of files at plan.
struct Inspection {
  Table table;
  std::vector<std::string> source_types;  ///< per column
  int64_t memory_bytes = 0;               ///< of reading the hungriest of them
  std::vector<std::string> notes;
};

/// How the text of these files is read: what the options leave open is guessed from the first one
/// that is not empty.
Result<TextRules> RulesFor(const Context& ctx, const ConsumerOptions& options, const FileSet& set);

/// Looks at the files: at all under `schema: union`, else at kInspectedMax of them, for the others
/// are compared when they are read. kSchemaDrift names a file and a column; kColumnNotFound,
/// kUnsupportedType, kDuplicateColumn, kBadCast, and what reading their beginnings finds.
Result<Inspection> Inspect(const Context& ctx, const ConsumerOptions& options, const FileSet& set,
                           const TextRules& rules);
inline constexpr size_t kInspectedMax = 100;

/// The table of a schema that Inspect made, for files with these keys.
Table TableOf(const ConsumerOptions& options, const elt::SchemaPtr& schema,
              const std::vector<std::string>& keys);

/// The type that values have once dictionaries are undone.
std::shared_ptr<arrow::DataType> Decoded(const std::shared_ptr<arrow::DataType>& type);

}  // namespace levada::files
