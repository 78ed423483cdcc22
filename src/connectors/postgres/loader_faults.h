#pragma once
// What a server says to somebody who writes, in the codes of targets. db/postgres has those of
// sources.

#include <string>

#include "base/fault.h"
#include "connectors/postgres/table_name.h"

namespace levada::postgres {

/// `status` of db/postgres as a failure of the target `table`; OK and everything that is no answer
/// of a server (a stop, the deadline, faults of ours) as it is. A constraint is named with its
/// column; the rows that broke it are not.
Status OfTarget(const Status& status, const TableName& table);

}  // namespace levada::postgres
