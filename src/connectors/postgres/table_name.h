#pragma once
// TableName: how a table is named in a pipeline file.
//
// Names are exact, as everywhere in a pipeline: `public.Orders` is not `public.orders`. A dot parts
// schema and table; a part that holds a dot or a double quote itself stands in double quotes, and a
// double quote inside is written twice, as in SQL. Without a schema the session's search_path
// decides.

#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::postgres {

struct TableName {
  std::string schema;  ///< empty: by search_path
  std::string name;
  bool operator==(const TableName&) const = default;

  /// `"public"."orders"`, for SQL.
  std::string Quoted() const;
  /// `public.orders`: what ParseTableName reads, for people.
  std::string Written() const;
};

/// kBadValue for empty parts, three parts, or quotes that do not end.
Result<TableName> ParseTableName(std::string_view text);

}  // namespace levada::postgres
