#include "app/json_output.h"

#include <nlohmann/json.hpp>

namespace levada::app {

std::string OneLine(const std::string& document) {
  using Json = nlohmann::ordered_json;
  const Json json = Json::parse(document, nullptr, false);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Status PrintJson(const Session& session, const std::string& document) {
  if (session.line().files.size() > 1) return WriteOutput(OneLine(document) + "\n");
  return WriteOutput(document.ends_with('\n') ? document : document + "\n");
}

}  // namespace levada::app
