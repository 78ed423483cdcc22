#pragma once
// Row order: what ORDER BY means beside first_value and last_value. Cloudflare's reference has
//
//     SELECT first_value(blob1) FROM my_dataset ORDER BY timestamp ASC
//
// for the oldest blob1: the keys that are of no group order the rows that go into a group, not the
// groups. The engine knows no such ORDER BY; to it, the first value is argMin(blob1, timestamp).
// For the sources of this folder only.

#include <vector>

#include "formats/aesql/query.h"
#include "formats/aesql/refusal.h"

namespace levada::aesql {

/// The first column of `node` that is in no aggregate and no expression of `groups`; nullptr if
/// there is none.
const Node* ColumnOutsideGroups(const Node& node, const std::vector<Node>& groups);

/// Of a query that is grouped: takes the keys that are of no group out of order_by and writes them
/// into each first_value and last_value. Without such an aggregate the keys stay, for the caller to
/// refuse. False, with the problem in `refusal`, for keys of both directions.
bool OrderRows(Query& query, Refusal& refusal);

}  // namespace levada::aesql
