#include "connectors/sqlite/select_text.h"

#include "db/sqlite/database.h"

namespace levada::sqlite {

using db::sqlite::QuoteName;

std::string RangeName(const Relation& relation, const RowRange& range) {
  if (range.by.empty()) return relation.row_id;
  const Column* column = relation.Find(range.by);
  const bool numeric = column != nullptr && !column->declared.empty() &&
                       AffinityOf(column->declared) != Affinity::kBlob;
  // A column of a table stays bare, for its index. Of what has no declared type the affinity is not
  // known; the sign takes it away, so that numbers are not compared as texts.
  return (numeric ? "" : "+") + QuoteName(range.by);
}

std::string AllOf(std::initializer_list<std::string> conditions) {
  std::string all;
  for (const std::string& condition : conditions) {
    if (!condition.empty()) all += (all.empty() ? "" : " AND ") + condition;
  }
  return all;
}

std::string SelectOf(const Relation& relation, const PartitionBounds& bounds,
                     const RowRange& slice) {
  const std::string condition =
      AllOf({Condition(bounds.window), bounds.rows.Condition(RangeName(relation, bounds.rows)),
             slice.Condition(relation.row_id)});
  if (!relation.statement.empty() && !relation.projected && condition.empty()) {
    return relation.statement;
  }
  std::string columns;
  for (const auto& field : relation.schema->fields()) {
    columns += (columns.empty() ? "" : ", ") + QuoteName(field->name());
  }
  if (!relation.row_id.empty()) columns += ", " + relation.row_id;
  std::string sql = "SELECT " + columns + " FROM " + relation.from;
  if (!condition.empty()) sql += " WHERE " + condition;
  if (relation.order.empty()) return sql;
  // In the order of the column that rows are chosen by first, where an index on it has them
  // already.
  std::string order;
  if (!bounds.window.column.empty()) {
    order = QuoteName(bounds.window.column);
  } else if (!bounds.rows.by.empty()) {
    order = QuoteName(bounds.rows.by);
  }
  for (const std::string& column : relation.order) order += (order.empty() ? "" : ", ") + column;
  return sql + " ORDER BY " + order;
}

}  // namespace levada::sqlite
