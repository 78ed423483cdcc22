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
#include "connectors/sqlite/sqlite_options.h"
#include "connectors/sqlite/sqlite_types.h"
#include "db/sqlite/database.h"

namespace levada::sqlite {

/// A column as its table declares it, or a query gives it.
struct Column {
  std::string name;
  std::string declared;  ///< as written; empty where nothing is, and for expressions
  bool nullable = true;
  int64_t key_position = 0;  ///< in the primary key, from 1; 0: not in it
  bool is_held = false;      ///< SQLite itself lets no value of another storage class in
};

struct Relation {
  std::string name;       ///< of the table or view as the database spells it; empty for a query
  std::string from;       ///< what stands behind FROM: a quoted name, or the query in parentheses
  std::string statement;  ///< the query itself, as written; empty for a table
  std::vector<std::string> order;  ///< quoted columns of the primary key; empty: no order known
  std::string row_id;              ///< a name of the rowid; empty where there is none
  std::string row_id_column;       ///< the INTEGER PRIMARY KEY, another name of it; may be empty
  bool without_row_id = false;     ///< a table WITHOUT ROWID
  std::shared_ptr<arrow::Schema> schema;  ///< of the columns that are read
  std::vector<std::string> source_types;  ///< per column that is read, for people
  std::vector<ColumnType> types;          ///< per column that is read
  std::vector<Mixed> mixed;               ///< per column that is read
  std::vector<Column> columns;            ///< all of the relation, also those not read
  bool projected = false;                 ///< `columns:` chooses among them

  /// nullptr when there is none. Case does not matter.
  const Column* Find(std::string_view column) const;
};

/// Looks the relation of `options` up. Faults carry a place in the pipeline file: kTableNotFound,
/// kColumnNotFound (also in `types:`), kDuplicateColumn, kUnsupportedType for every column of
/// unknown type at once, kQueryFailed for a query that is not one SELECT.
Result<Relation> FindRelation(const Context& ctx, db::sqlite::Database& database,
                              const ConsumerOptions& options);

/// The type of any column of the relation, read or not. kUnsupportedType when it has no type we
/// know.
Result<ColumnType> TypeOf(const Column& column, const ConsumerOptions& options);
/// What becomes of its values that do not fit. A column that SQLite holds to one storage class
/// stays what it is.
Mixed MixedOf(const Column& column, const ConsumerOptions& options);

/// `did you mean "x"?`, or what there is.
std::string DidYouMean(const std::string& name, const std::vector<std::string>& candidates);
std::vector<std::string> NamesOf(const std::vector<Column>& columns);

}  // namespace levada::sqlite
