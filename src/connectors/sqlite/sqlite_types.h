#pragma once
// Types of SQLite columns: the type written in CREATE TABLE decides the Arrow type. SQLite itself
// checks nothing, so what a value really is shows only when it is read (cell_decoder.h).

#include <arrow/type.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::sqlite {

/// The type we read a column of this declared type as; kUnsupportedType, with what to write instead
/// as help, for an unknown or missing one. The table is in README.md.
Result<std::shared_ptr<arrow::DataType>> TypeOfDeclared(std::string_view declared);

/// A type from the option `types:` (elt/type_name.h); kUnsupportedType for one that no value of
/// SQLite is read as.
Result<std::shared_ptr<arrow::DataType>> TypeOfOption(std::string_view name);

}  // namespace levada::sqlite
