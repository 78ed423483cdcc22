#pragma once
// The rows of one query as a BatchStream.

#include <memory>
#include <string>

#include "connectors/clickhouse/session.h"
#include "elt/stages.h"

namespace levada::clickhouse {

/// `session` has begun the query. kSourceProtocol for blocks of another schema; kCountMismatch at
/// the end, when the server has counted other rows than came.
std::unique_ptr<elt::BatchStream> MakeBlockStream(const Context& ctx,
                                                  std::unique_ptr<Session> session,
                                                  elt::SchemaPtr schema,
                                                  const elt::BatchLimits& limits);

}  // namespace levada::clickhouse
