#pragma once
// Relation: the table, view or query that a pipeline reads, as one connection sees it now: columns
// with their types, and what puts its rows in order.

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "db/sqlite/database.h"
#include "elt/options.h"

namespace levada::sqlite {

struct Relation {
  std::string name;       ///< of the table or view as the database spells it; empty for a query
  std::string from;       ///< what stands behind FROM: a quoted name, or the query in parentheses
  std::string statement;  ///< the query itself, as written; empty for a table
  std::vector<std::string> order;  ///< quoted columns of the primary key; empty: no order known
  std::string row_id;              ///< a name of the rowid; empty where there is none
  std::shared_ptr<arrow::Schema> schema;  ///< of the columns that are read
  std::vector<std::string> source_types;  ///< per column, as declared
  std::vector<std::string> columns;       ///< all of the relation, also those not read
  std::vector<std::string> declared;      ///< their types
  bool projected = false;                 ///< `columns:` chooses among them
};

/// SQLite compares names ignoring the case of ASCII letters.
bool SameName(std::string_view a, std::string_view b);

/// Looks the relation of `options` (register.cc has their spec) up. Faults carry a place in the
/// pipeline file: kTableNotFound, kColumnNotFound (also in `types:`), kDuplicateColumn,
/// kUnsupportedType for every column of unknown type at once, kQueryFailed for a query that is not
/// one SELECT.
Result<Relation> FindRelation(const Context& ctx, db::sqlite::Database& database,
                              const elt::Options& options);

/// The type of any column of the relation, read or not. kColumnNotFound when there is none,
/// kUnsupportedType when it has no type we know.
Result<std::shared_ptr<arrow::DataType>> TypeOfColumn(const Relation& relation,
                                                      const std::string& column,
                                                      const elt::Options& options);

}  // namespace levada::sqlite
