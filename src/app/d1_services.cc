#include "app/d1_services.h"

#include <sys/stat.h>

#include <memory>
#include <utility>

#include "services/d1/d1_admin.h"
#include "services/d1/databases.h"

namespace levada::app {

OpenServices D1Services(Session& session) {
  return [&session](const services::DataDirectory& directory,
                    services::Control& control) -> Result<LocalServices> {
    // What is made is for its owner alone, as the daemon has it.
    umask(S_IRWXG | S_IRWXO);
    Logger& log = *session.context().log;
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<services::d1::Databases> databases,
        services::d1::Databases::Open(directory.Path("d1"), control, session.disk(),
                                      session.clock(), log, nullptr, {}));
    services::AdminCommands commands =
        services::d1::D1AdminCommands({*databases, control, session.disk(), session.clock(), log});
    return LocalServices{std::move(databases), std::move(commands)};
  };
}

}  // namespace levada::app
