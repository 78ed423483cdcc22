#include "app/version.h"

#include <arrow/config.h>
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "app/json_output.h"
#include "base/json.h"

namespace levada::app {
namespace {

std::vector<std::pair<std::string, std::string>> BuiltWith() {
#if defined(__clang__)
  const std::string compiler =
      fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  const std::string compiler =
      fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
  std::string build = LEVADA_BUILD_TYPE;
  if (std::string_view(LEVADA_SANITIZERS) != "") build += " with " LEVADA_SANITIZERS " sanitizers";
  return {
      {"arrow", arrow::GetBuildInfo().version_string}, {"compiler", compiler}, {"build", build}};
}

}  // namespace

std::string_view Version() { return LEVADA_VERSION; }

std::string VersionText() {
  std::string out = fmt::format("levada {}\n", Version());
  for (const auto& [name, value] : BuiltWith()) out += fmt::format("{:<9} {}\n", name, value);
  return out;
}

std::string VersionJson() {
  Json json;
  json["levada_version"] = kJsonVersion;
  json["levada"] = Version();
  for (const auto& [name, value] : BuiltWith()) json[name] = value;
  return Dump(json, 2) + "\n";
}

}  // namespace levada::app
