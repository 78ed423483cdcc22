#pragma once
// Binder: a parsed SELECT against the datasets there are, as a Query. Checks the clauses: what may
// stand where, what GROUP BY must name, which columns the result has.

#include <span>
#include <string>
#include <variant>

#include "formats/aesql/problem.h"
#include "formats/aesql/query.h"
#include "formats/aesql/syntax.h"

namespace levada::aesql {

/// A dataset that queries may read, by the name of its binding, and the engine's table of it. The
/// table has the columns of DatasetColumns().
struct Dataset {
  std::string name;
  Table table;
};

/// `datasets` are those of the account: nothing else can be read.
std::variant<Query, Problem> Bind(const Select& select, std::span<const Dataset> datasets);

}  // namespace levada::aesql
