#include "formats/pgwire/error_fields.h"

#include <algorithm>
#include <utility>

namespace levada::pgwire {
namespace {

std::string* FieldOf(ErrorFields& fields, char code) {
  switch (code) {
    case 'V':
      return &fields.severity;
    case 'C':
      return &fields.sqlstate;
    case 'M':
      return &fields.message;
    case 'D':
      return &fields.detail;
    case 'H':
      return &fields.hint;
    case 'W':
      return &fields.where;
    default:
      return nullptr;
  }
}

}  // namespace

Result<ErrorFields> ParseErrorFields(std::span<const uint8_t> body) {
  ErrorFields fields;
  std::string translated_severity;
  size_t at = 0;
  while (at < body.size() && body[at] != 0) {
    const char code = static_cast<char>(body[at]);
    const auto begin = body.begin() + static_cast<ptrdiff_t>(at) + 1;
    const auto end = std::find(begin, body.end(), uint8_t{0});
    if (end == body.end()) {
      return Fault(FaultCode::kSourceProtocol, "error message: a field is not terminated");
    }
    if (code == 'S') translated_severity.assign(begin, end);
    if (std::string* field = FieldOf(fields, code)) field->assign(begin, end);
    at = static_cast<size_t>(end - body.begin()) + 1;
  }
  if (at + 1 != body.size()) {
    return Fault(FaultCode::kSourceProtocol,
                 "error message: expected its end after the last field, got " +
                     std::to_string(body.size() - std::min(at, body.size())) + " bytes");
  }
  // Servers before 9.6 send only the translated one.
  if (fields.severity.empty()) fields.severity = std::move(translated_severity);
  return fields;
}

}  // namespace levada::pgwire
