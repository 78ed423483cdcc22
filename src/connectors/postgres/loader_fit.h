#pragma once
// Which columns of a table take which values: one table, here and in the README.

#include <arrow/type.h>

#include <optional>
#include <string>

#include "base/fault.h"
#include "connectors/postgres/loader_table.h"

namespace levada::postgres {

/// How values of a field come from the stage into a column; or why they cannot.
struct Fit {
  std::optional<std::string> expression;  ///< over the stage's column
  FaultCode code = FaultCode::kUnsupportedType;
  std::string expected;  ///< "int8 or numeric"
  std::string help;
};

/// Only what is exact, or what the server's own text form says: nothing is rounded, cut or guessed.
/// Precondition: pgcopy::SqlTypeOf has a type for the field.
Fit FitOf(const arrow::Field& field, const TargetColumn& column);

}  // namespace levada::postgres
