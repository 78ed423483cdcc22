#pragma once
// What a server's exception means for a run: whose fault, and whether trying again can help.

#include <string>

#include "base/fault.h"
#include "connectors/clickhouse/protocol.h"

namespace levada::clickhouse {

// Of ClickHouse's codes those that somebody asks for by name.
inline constexpr int kUnknownTable = 60;
inline constexpr int kUnknownDatabase = 81;
inline constexpr int kReadOnly = 164;

/// `doing` leads the message: "cannot read table \"default.t\"". ClickHouse's code is the detail
/// "clickhouse_code".
Fault FaultOfException(const std::string& doing, const ServerException& exception);

/// ClickHouse's code of a failure that is an exception of its; 0 for others.
int ClickHouseCodeOf(const Status& status);

}  // namespace levada::clickhouse
