#include "db/sqlite/error.h"

#include <cstring>

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

}  // namespace levada::db::sqlite
