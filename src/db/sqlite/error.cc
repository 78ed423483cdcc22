#include "db/sqlite/error.h"

#include <sqlite3.h>

#include <charconv>
#include <cstring>
#include <string_view>

namespace levada::db::sqlite {

Fault FaultFrom(FaultCode code, std::string subject, const Error& error) {
  Fault fault(code, std::move(subject) + ": " + error.message);
  fault.With("path", error.path);
  fault.With("sqlite", std::to_string(error.extended_code));
  if (error.system_errno != 0) {
    fault.With("errno", std::to_string(error.system_errno));
    fault.With("system", std::strerror(error.system_errno));
  }
  if (!error.sql.empty()) fault.With("sql", error.sql);
  if (error.sql_offset >= 0) fault.With("sql_offset", std::to_string(error.sql_offset));
  return fault;
}

bool IsFromBusy(const Status& failure) {
  if (failure.ok()) return false;
  const Fault fault = FaultOf(failure);
  const std::string_view code = fault.Detail("sqlite");
  int number = 0;
  const auto parsed = std::from_chars(code.data(), code.data() + code.size(), number);
  if (parsed.ec != std::errc()) return false;
  const int primary = number & 0xff;
  return primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_PROTOCOL;
}

}  // namespace levada::db::sqlite
