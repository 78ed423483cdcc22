#include "connectors/postgres/loader_faults.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace levada::postgres {
namespace {

using enum FaultCode;

struct StateRow {
  std::string_view prefix;  // of the SQLSTATE
  FaultCode code;
  std::string_view help;
};

// The first match counts.
constexpr auto kStates = std::to_array<StateRow>({
    {"08P01", kTargetUnsupported, {}},
    {"08", kTargetConnectionLost, {}},
    {"0A", kTargetUnsupported, {}},
    {"21000", kTargetRefused,
     "two rows of this run have the same key: dedupe: { by: [KEY] } keeps one of them"},
    {"22", kValueRefused,
     "cast, filter or correct the value before it gets here, or give the "
     "table's column a type that holds it"},
    {"23502", kTargetRefused,
     "the column is NOT NULL: filter such rows, fill the column with "
     "derive, or alter the table"},
    {"23503", kTargetRefused, "load the table that the constraint refers to first"},
    {"23505", kTargetRefused,
     "another row has that key already: with mode: upsert and its key: "
     "rows take the place of those"},
    {"23", kTargetRefused, "filter or correct such rows before they get here, or alter the table"},
    {"25006", kTargetUnwritable,
     "the server only reads: name the primary in the dsn, with "
     "target_session_attrs=read-write where several are listed"},
    {"25P0", kTargetConnectionLost, {}},
    {"28", kAuthFailed, {}},
    {"3D000", kTargetRefused, "name a database that exists in the dsn"},
    {"3F000", kTargetRefused, "create the schema, or name another one under table:"},
    {"40", kTargetBusy, {}},
    {"42501", kPermissionDenied,
     "grant this user CREATE on the schema, and SELECT, INSERT, UPDATE and DELETE on the table and "
     "on _levada_runs and _levada_commits beside it"},
    {"42P01", kTargetRefused, "somebody dropped it meanwhile: run again"},
    {"42", kTargetRefused, {}},
    {"53100", kDiskFull, "the server's disk is full: make room there and run again"},
    {"53", kTargetBusy, {}},
    {"54", kTargetUnsupported, {}},
    {"55", kTargetBusy, "somebody else holds a lock on it: see pg_locks, or raise lock_timeout"},
    {"57014", kTargetBusy, {}},
    {"57P0", kTargetConnectionLost, {}},
    {"P0001", kTargetRefused, "a trigger of the table said so"},
});

FaultCode CodeWithoutState(FaultCode code) {
  switch (code) {
    case kSourceUnreachable:
      return kTargetUnreachable;
    case kSourceConnectionLost:
      return kTargetConnectionLost;
    case kSourceBusy:
      return kTargetBusy;
    case kSourceUnsupported:
    case kSourceProtocol:
      return kTargetUnsupported;
    case kQueryFailed:
    case kTableNotFound:
    case kColumnNotFound:
    case kDatabaseNotFound:
      return kTargetRefused;
    default:
      return code;
  }
}

}  // namespace

Status OfTarget(const Status& status, const TableName& table) {
  if (status.ok()) return status;
  const Fault* told = AttachedFault(status);
  if (told == nullptr) return status;
  const std::string_view state = told->Detail("sqlstate");
  const auto* row = std::ranges::find_if(
      kStates, [&](const StateRow& each) { return state.starts_with(each.prefix); });
  const bool known = !state.empty() && row != kStates.end();
  // 57P03 is the server that starts up.
  FaultCode code = known ? row->code : CodeWithoutState(told->code());
  if (state == "57P03") code = kTargetBusy;
  if (code == told->code() && !known) return status;
  Fault fault(code, told->message());
  fault.With("table", table.Written());
  for (const auto& [key, value] : told->details()) {
    // "Key (id)=(5) already exists": a row, and no business of a log.
    if (state.starts_with("23") && (key == "server_detail" || key == "server_context")) continue;
    if (key == "server_table") continue;
    fault.With(key == "server_column"       ? "column"
               : key == "server_constraint" ? "constraint"
                                            : key,
               value);
  }
  const std::string help = known && !row->help.empty() ? std::string(row->help) : told->help();
  if (!help.empty()) fault.Help(help);
  return fault;
}

}  // namespace levada::postgres
