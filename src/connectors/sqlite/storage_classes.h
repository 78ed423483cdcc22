#pragma once
// What the rows of a column hold, where nothing says what they should: for the help of an error,
// and never to decide a type.

#include <string>

#include "base/context.h"
#include "connectors/sqlite/sqlite_types.h"
#include "db/sqlite/database.h"

namespace levada::sqlite {

/// What to write for a column of unknown type: `its first 90 rows hold INTEGER: say so, types:
/// {COLUMN: int64}`. `from` is what stands behind FROM. Empty where there is no row, or looking
/// takes too long. The error is that of a stop.
Result<std::string> TypeAdvice(const Context& ctx, db::sqlite::Database& database,
                               const std::string& from, const std::string& column,
                               Affinity affinity);

}  // namespace levada::sqlite
