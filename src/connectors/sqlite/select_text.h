#pragma once
// The SELECT that reads the rows of a partition or a slice. Also shown to people.

#include <initializer_list>
#include <string>

#include "connectors/sqlite/relation.h"
#include "connectors/sqlite/row_range.h"

namespace levada::sqlite {

/// How the column or the rowid that a range is of is written, so that it is compared as a number
/// whatever is stored. Precondition: the relation has it.
std::string RangeName(const Relation& relation, const RowRange& range);

/// The conditions that are not empty, all of them.
std::string AllOf(std::initializer_list<std::string> conditions);

/// The columns of the schema and, where there is one, the rowid; rows in the order that README.md
/// promises.
std::string SelectOf(const Relation& relation, const PartitionBounds& bounds,
                     const RowRange& slice);

}  // namespace levada::sqlite
