// What every door reads before it knows who asks: the path, which a pattern takes apart, the
// scopes of a token, and what the log shows of a request.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "services/core/access.h"
#include "services/core/request_log.h"
#include "services/core/route.h"

namespace levada::services {
namespace {

void Check(bool holds) {
  if (!holds) __builtin_trap();
}

void ReadPath(std::string_view path) {
  for (const char* pattern : {"/accounts/{account}/storage/kv/namespaces/{namespace}/values/{key*}",
                              "/user", "/{any*}"}) {
    const auto found = MatchPath(pattern, path);
    if (!found) continue;
    for (const auto& [name, value] : *found) Check(!name.empty() && !value.empty());
  }
}

void ReadScope(std::string_view text) {
  const std::optional<Scope> scope = ParseScope(text);
  if (scope) Check(ParseScope(TextOf(*scope)) == *scope);
}

void ShowRequest(std::string_view text) {
  net::Request request;
  request.target = text;
  const size_t mark = std::min(request.target.find('?'), request.target.size());
  request.path = std::string_view(request.target).substr(0, mark);
  request.query = std::string_view(request.target).substr(std::min(mark + 1, text.size()));
  Check(ShownTarget(request).size() < 1024);
}

}  // namespace
}  // namespace levada::services

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  levada::services::ReadPath(text);
  levada::services::ReadScope(text);
  levada::services::ShowRequest(text);
  return 0;
}
