#pragma once
// ErrorFields: the body of ErrorResponse and NoticeResponse.
// Source: PostgreSQL documentation, "Error and Notice Message Fields".

#include <cstdint>
#include <span>
#include <string>

#include "base/fault.h"

namespace levada::pgwire {

/// The fields we use; absent ones are empty. Text in the client's encoding, as the server sent it.
struct ErrorFields {
  std::string severity;  ///< "ERROR", "FATAL", "PANIC": never translated where the server sends 'V'
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
  std::string where;
  bool operator==(const ErrorFields&) const = default;
};

/// Unknown fields are skipped. kSourceProtocol for a body that does not end as it must.
Result<ErrorFields> ParseErrorFields(std::span<const uint8_t> body);

}  // namespace levada::pgwire
