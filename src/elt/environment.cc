#include <cstdlib>

#include "elt/option_reference.h"
#include "elt/options.h"
#include "os/disk.h"

namespace levada::elt {

Environment ProcessEnvironment() {
  Environment environment;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  environment.file = [](const std::string& path) -> Result<std::string> {
    const std::unique_ptr<os::Disk> disk = os::MakeSystemDisk();
    ARROW_ASSIGN_OR_RAISE(std::optional<std::string> content,
                          os::ReadFile(*disk, path, kResolvedBytesMax));
    if (!content) {
      return Fault(FaultCode::kUnresolvedReference, "there is no file \"" + path + "\"");
    }
    if (content->ends_with('\n')) {
      content->pop_back();
      if (content->ends_with('\r')) content->pop_back();
    }
    return *std::move(content);
  };
  return environment;
}

}  // namespace levada::elt
