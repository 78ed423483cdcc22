#pragma once
// The table that is loaded: what the server has, whether rows of a schema fit into it, and the SQL
// that makes, fills and empties it.

#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/postgres/loader_options.h"
#include "connectors/postgres/postgres_types.h"
#include "db/postgres/connection.h"
#include "elt/stages.h"

namespace levada::postgres {

struct TargetColumn {
  std::string name;
  std::string type;   ///< "numeric(15,2)", as the server writes it
  std::string cast;   ///< the same without bounds, for a CAST that must not cut a value short
  uint32_t oid = 0;   ///< of the type
  uint32_t base = 0;  ///< of what it is a domain of, or an array of
  int32_t modifier = -1;
  bool array = false;
  bool not_null = false;
  bool has_default = false;  ///< or is an identity
  bool generated = false;    ///< computed by the server
  Order order = Order::kNone;
};

struct TargetTable {
  TableName name;  ///< with its schema
  bool exists = false;
  std::vector<TargetColumn> columns;
  std::vector<std::vector<std::string>> keys;  ///< of unique indexes over all rows, sorted

  const TargetColumn* Find(const std::string& column) const;
};

/// What there is. A name without a schema is looked for as the session does, and would be made in
/// its first schema. kTargetUnsupported for a view and the like.
Result<TargetTable> FindTargetTable(const Context& ctx, pq::Connection& connection,
                                    const LoaderOptions& options);

/// One column on its way: from COPY into the stage, and from there into the table.
struct LoadedColumn {
  std::string name;
  std::string stage_type;   ///< what COPY is given: "int8"
  std::string target_type;  ///< what the table has, or will have
  std::string expression;   ///< over the stage, of the target's type
};

struct LoadPlan {
  TableName table;
  LoadMode mode = LoadMode::kReplace;
  std::vector<LoadedColumn> columns;
  std::vector<std::string> key;
  std::optional<std::string> slice;  ///< of kReplace: the condition for the run's own rows; empty:
                                     ///< all. Absent of the other modes
  std::string slice_column;          ///< that it is about; empty: none
  std::string create;                ///< the statement; empty when the table is there

  /// Nothing of the run is visible before Finish: what it takes the place of, or would add to, must
  /// not be seen half.
  bool StagesAll(const elt::SplitRecord& split) const {
    return split.revision > 0 || split.held || mode != LoadMode::kReplace;
  }
  /// `"a", "b"`
  std::string ColumnList() const;
  /// Moves the rows of the stages, which are quoted names; none: an empty text.
  std::string InsertFrom(const std::vector<std::string>& stages) const;
  /// A FROM item with the slice's column as the table will have it.
  std::string SliceRowsOf(const std::string& stage) const;
  /// Takes away the run's own rows; empty where the mode has none.
  std::string DeleteSlice() const;
};

/// Every problem at once: kUnsupportedType, kUnknownColumn, kImpossiblePlan. What cannot be had of
/// a run later is refused here.
Result<LoadPlan> PlanLoad(const LoaderOptions& options, const TargetTable& table,
                          const arrow::Schema& schema, const elt::RunInstance& run);

/// The condition for the rows of `run`, of a table that is there: absent when the table lacks the
/// column, or its type cannot tell.
Result<std::optional<std::string>> SliceOf(const TargetTable& table, const elt::RunInstance& run);

}  // namespace levada::postgres
