#include "base/json.h"

namespace levada {

Json ParseJson(std::string_view text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string QuoteJson(std::string_view text) { return Dump(Json(text)); }

}  // namespace levada
