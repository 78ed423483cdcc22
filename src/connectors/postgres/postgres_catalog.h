#pragma once
// Questions to PostgreSQL's catalog: what a table is, how large, what its statistics say.
//
// Every name is qualified with pg_catalog, so that a search_path or a function of the same name
// changes nothing. Statements are small and their answers bounded.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "connectors/postgres/postgres_types.h"
#include "connectors/postgres/table_name.h"
#include "db/postgres/connection.h"

namespace levada::postgres {

/// A row of pg_class, with what lies below it.
struct Relation {
  uint32_t oid = 0;
  TableName name;     ///< with its schema
  char kind = 'r';    ///< relkind: r table, p partitioned, v view, m materialized view, f foreign
  bool heap = false;  ///< stored in the heap access method: ctid is block and line
  bool has_children = false;  ///< inherited by others, or partitioned
  bool filtered = false;      ///< row security hides rows from this user
  int64_t rows = -1;          ///< by the last ANALYZE or VACUUM; -1: never counted
  int64_t bytes = -1;         ///< with TOAST, without indexes; -1: not stored here
  int64_t blocks = 0;         ///< of the main file

  /// One file whose blocks can be told apart.
  bool plain() const { return (kind == 'r' || kind == 'm') && heap && !has_children; }
};

/// kTableNotFound with the nearest name; kSourceUnsupported for an index, a sequence, a type.
Result<Relation> FindRelation(const Context& ctx, pq::Connection& connection,
                              const TableName& name);

/// All tables and partitioned tables that are nobody's partition, by schema and name; without those
/// of the system and of sessions.
Result<std::vector<TableName>> ListTables(const Context& ctx, pq::Connection& connection);

/// What pg_attribute knows of a relation's columns beyond their types. Sets of attnum.
struct Attributes {
  std::vector<int16_t> not_null;
  bool generated = false;  ///< at least one is computed
};
Result<Attributes> FindAttributes(const Context& ctx, pq::Connection& connection,
                                  const Relation& relation);

/// The types with these object ids and all that they lead to.
Result<ServerTypes> FindTypes(const Context& ctx, pq::Connection& connection,
                              const std::vector<uint32_t>& oids);

/// How many dimensions each column's table, or its domain, declares for it; 0 of a column that is
/// no array, comes from no table or from one that does not say, as views and CREATE TABLE AS do
/// not. The server holds no value to it.
Result<std::vector<int32_t>> DeclaredDimensions(const Context& ctx, pq::Connection& connection,
                                                const std::vector<pq::StatementColumn>& columns);

/// Whether the text of a value of one of these types may hold names that are written with or
/// without their schema as search_path has it: regclass and its like, and whatever contains them.
Result<bool> PrintNames(const Context& ctx, pq::Connection& connection,
                        const std::vector<uint32_t>& oids);

/// "numeric(15,2)" for each column.
Result<std::vector<std::string>> TypeNames(const Context& ctx, pq::Connection& connection,
                                           const std::vector<pq::StatementColumn>& columns);

/// pg_stats of one column.
struct ColumnStatistics {
  double distinct = -1;
  double average_bytes = -1;
  double null_fraction = -1;
};
/// Of the table columns that these columns come from; all -1 where there is none or no right to see
/// it.
Result<std::vector<ColumnStatistics>> FindStatistics(
    const Context& ctx, pq::Connection& connection,
    const std::vector<pq::StatementColumn>& columns);

/// The planner's estimate of a SELECT. Also the check that this user may run it.
struct Estimate {
  int64_t rows = -1;
  int64_t row_bytes = -1;
  double cost = -1;  ///< the planner's total
  std::string scan;  ///< "sequential scan", "index scan orders_at_idx"; "several scans"
};
Result<Estimate> EstimateOf(const Context& ctx, pq::Connection& connection, std::string_view doing,
                            const std::string& select);

/// Whether a valid index of the relation leads with this column, for all rows.
Result<bool> HasIndexOn(const Context& ctx, pq::Connection& connection, const Relation& relation,
                        const std::string& column);

/// How many values each session draws at once from the sequence that makes this column's; 1 where
/// there is none.
Result<int64_t> SequenceCache(const Context& ctx, pq::Connection& connection,
                              const Relation& relation, const pq::StatementColumn& column);

/// The leading column of the primary key, or else of the shortest unique index over columns; empty
/// when there is none.
Result<std::string> LeadingKeyColumn(const Context& ctx, pq::Connection& connection,
                                     const Relation& relation);

/// A value of a column and about how many of the rows (0..1) have it or lie between it and the
/// next one.
struct WeightedValue {
  std::string value;
  double weight = 0;
  bool single = false;  ///< all of the weight is this very value
};
/// The column's statistics as points in its order (text: COLLATE "C"); empty when there are none.
Result<std::vector<WeightedValue>> FindDistribution(const Context& ctx, pq::Connection& connection,
                                                    const Relation& relation,
                                                    const pq::StatementColumn& column, Order order);

/// Whether each value comes behind the one before it, as the server orders the column.
Result<bool> AreInOrder(const Context& ctx, pq::Connection& connection,
                        const pq::StatementColumn& column, Order order,
                        const std::vector<std::string>& values);

}  // namespace levada::postgres
