#pragma once
// How each leaf column of a schema is stored: decided once per file from the schema alone. Internal
// to this folder.

#include <arrow/type.h>
#include <parquet/schema.h>

#include <memory>
#include <string>
#include <vector>

#include "formats/parquet/encode_options.h"

namespace levada::parquet_format {

/// One step on the way from a top-level column to a leaf.
struct PathNode {
  enum class Kind : uint8_t { kStruct, kList, kLargeList, kLeaf };  // a map is a list of structs
  Kind kind = Kind::kLeaf;
  bool nullable = true;
  int child = 0;  ///< which child of a struct comes next
};

struct LeafPlan {
  int column = 0;               ///< top-level column
  std::string path;             ///< for messages: "tags.element"
  std::vector<PathNode> nodes;  ///< the last one is the leaf
  std::shared_ptr<arrow::DataType> type;
  const parquet::ColumnDescriptor* descriptor = nullptr;  ///< owned by FileSchema::descriptor
  parquet::Type::type physical = parquet::Type::INT32;
  int fixed_width = 0;  ///< bytes of a FIXED_LEN_BYTE_ARRAY

  bool flat() const { return nodes.size() == 1; }
};

struct FileSchema {
  std::unique_ptr<parquet::SchemaDescriptor> descriptor;
  std::vector<LeafPlan> leaves;
};

/// What CheckSchema refuses is refused here too.
Result<FileSchema> PlanFileSchema(const arrow::Schema& schema, Profile profile);

}  // namespace levada::parquet_format
