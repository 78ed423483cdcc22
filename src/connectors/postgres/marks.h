#pragma once
// Up to which value of a column all rows are there: the high mark of a run by increments.
//
// The greatest value that can be seen is not it. Another transaction may have taken a lower one and
// not have committed yet; its rows would lie below the mark when they appear, and no run would ever
// read them. So the mark is found first, and then every transaction that can have taken a value
// below it is waited for: on a primary those that hold or wait for a lock of a writer on what is
// read, on a standby those that run at all. What only a lag keeps away is a value that is older
// than its transaction's first touch of the table: a time that BEGIN fixed, a number that the
// application drew beforehand.

#include "base/context.h"
#include "connectors/postgres/postgres_options.h"
#include "connectors/postgres/subject.h"
#include "db/postgres/connection.h"
#include "elt/stages.h"

namespace levada::postgres {

/// `connection` is a session of its own, and is not used for anything after it. Errors:
/// kColumnNotFound, kImpossiblePlan; kSourceBusy when writers do not end.
Result<elt::Mark> MarkOf(Context& ctx, pq::Connection& connection, const ConsumerOptions& options,
                         const Subject& subject, const elt::MarkRequest& request);

}  // namespace levada::postgres
