#pragma once
// Hive's way of writing column values into directory names: "country=DE". Only the characters of
// Hive's own list are escaped, as %XX; other UTF-8 stays as it is. Spark reads and writes the same
// (ExternalCatalogUtils.escapePathName).

#include <arrow/scalar.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::parquet {

/// What stands for NULL.
inline constexpr std::string_view kHiveNull = "__HIVE_DEFAULT_PARTITION__";
/// Bytes of one directory's name; file systems allow 255, and object stores' tools less.
inline constexpr size_t kDirectoryNameBytesMax = 200;

/// Replaces control characters and "#%'*/:=?\^[]{ by %XX.
std::string EscapeHive(std::string_view text);
/// The inverse; a "%" that is not followed by two hex digits stands for itself.
std::string UnescapeHive(std::string_view text);

/// OK for types whose text in a directory name gives the value back exactly: booleans, integers,
/// text, dates. kBadLayout naming the column and the cast that helps otherwise.
Status CheckPartitionColumn(const arrow::Field& field);

/// "country=DE" for row `row` of `values`. kValueRefused for a value that a reader would take for
/// another one (empty text, the name that stands for NULL) or that is too long, kInvalidUtf8.
Result<std::string> HiveDirectory(std::string_view column, const arrow::Array& values, int64_t row);

/// The value that `directory` ("country=DE") stands for. kManifestCorrupt when it is none of
/// `type`.
Result<std::shared_ptr<arrow::Scalar>> HiveValue(std::string_view directory,
                                                 const std::shared_ptr<arrow::DataType>& type);

}  // namespace levada::parquet
