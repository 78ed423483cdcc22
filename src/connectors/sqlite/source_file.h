#pragma once
// The database files of a consumer, opened to be read.

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/sqlite/sqlite_options.h"
#include "db/sqlite/database.h"

namespace levada::sqlite {

/// A connection to the file of `options` with the others attached. Faults of the files point at the
/// option that names them.
Result<std::unique_ptr<db::sqlite::Database>> OpenFiles(const Context& ctx,
                                                        const ConsumerOptions& options);

/// What a reader should know of how the files commit: for `plan`.
Result<std::vector<std::string>> NotesOfFiles(db::sqlite::Database& database,
                                              const ConsumerOptions& options);

}  // namespace levada::sqlite
