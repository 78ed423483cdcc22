#pragma once
// How Spark takes the parts of nested columns. Internal.

#include <string>

#include "formats/parquet/schema_tree.h"
#include "readers/spark.h"

namespace levada::readers {

/// Of the repeated node in a list: whether it is the element itself, as older writers have it, or a
/// group around it.
bool IsListElement(const parquet_format::SchemaNode& repeated, const std::string& parent);

/// What of `node`, with its repetition, is read as `type`.
Reading ReadNode(const parquet_format::SchemaNode& node, const SparkType& type,
                 SparkVersion version);

/// A name that is there twice for who does not look at case; of the structs below, too.
std::optional<std::string> FindTwice(const SparkType& type);

}  // namespace levada::readers
