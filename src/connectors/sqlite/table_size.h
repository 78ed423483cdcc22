#pragma once
// How large a table is, about: SQLite keeps no such number.

#include <cstdint>
#include <string>

#include "base/context.h"
#include "connectors/sqlite/relation.h"
#include "connectors/sqlite/rowid_spread.h"
#include "db/sqlite/database.h"

namespace levada::sqlite {

/// All pages of the file under `schema`.
Result<int64_t> FileBytes(const Context& ctx, db::sqlite::Database& database,
                          const std::string& schema);

/// About the bytes of the values of a table, by some rows here and there: how large they are, and
/// how many of the rowids around them are taken.
Result<int64_t> TableBytes(const Context& ctx, db::sqlite::Database& database,
                           const Relation& relation, const RowidSpread& spread);

}  // namespace levada::sqlite
