#include "app/json_output.h"

#include "base/json.h"

namespace levada::app {

std::string OneLine(const std::string& document) { return Dump(ParseJson(document)); }

Status PrintJson(const Session& session, const std::string& document) {
  if (session.has_many_documents()) return WriteOutput(OneLine(document) + "\n");
  return WriteOutput(document.ends_with('\n') ? document : document + "\n");
}

}  // namespace levada::app
