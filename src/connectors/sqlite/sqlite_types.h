#pragma once
// Types of SQLite columns: the type written in CREATE TABLE decides how a column is read. SQLite
// itself checks nothing, so what a value really is shows only when it is read (cell_decoder.h).

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::sqlite {

/// What SQLite makes of a declared type when a value is stored (sqlite.org/datatype3.html#affname).
enum class Affinity : uint8_t { kInteger, kText, kBlob, kReal, kNumeric };

/// Of any text that may stand for a type in CREATE TABLE; none at all is kBlob.
Affinity AffinityOf(std::string_view declared);

/// How values become those of an Arrow type.
enum class Reading : uint8_t {
  kPlain,    ///< as the type says
  kJson,     ///< utf8: text as it is, and the numbers that SQLite makes of JSON numbers
  kUuid,     ///< utf8: lower case with hyphens, of a text or of 16 bytes
  kLiteral,  ///< utf8: any value as an SQL literal, so that no two are the same
};

struct ColumnType {
  std::shared_ptr<arrow::DataType> type;
  Reading reading = Reading::kPlain;
};

/// How we read a column of this declared type: by the words we know, else by its affinity where
/// that leaves one storage class. kUnsupportedType, with what to write instead as help (COLUMN
/// stands for its name), for none and for a numeric affinity without a word that says more. The
/// table is in README.md.
Result<ColumnType> TypeOfDeclared(std::string_view declared);

/// A type from the option `types:` (elt/type_name.h, json, uuid); kUnsupportedType for one that no
/// value of SQLite is read as.
Result<ColumnType> TypeOfOption(std::string_view name);

/// The type of columns of which every value is written as a literal.
ColumnType LiteralType();

}  // namespace levada::sqlite
