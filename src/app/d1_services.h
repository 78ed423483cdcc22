#pragma once
// The databases of D1 for a command of the operator, while no daemon has the data directory.

#include "app/admin_client.h"
#include "app/session.h"

namespace levada::app {

/// With `has_backups` R2 is opened too, for copies of databases. `session` outlives what it opens.
OpenServices D1Services(Session& session, bool has_backups);

}  // namespace levada::app
