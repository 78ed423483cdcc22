// What `levada d1 backup` and `levada d1 restore` ask.

#include <utility>

#include "base/json.h"
#include "services/d1/backups.h"
#include "services/d1/d1_admin.h"

namespace levada::services::d1 {
namespace {

std::string TextAt(const Json& request, const char* name) {
  return request.is_object() && request.contains(name) && request[name].is_string()
             ? request[name].get<std::string>()
             : std::string();
}

Result<std::string> BackUp(Backups& backups, const Control& control, const Json& request) {
  ARROW_ASSIGN_OR_RAISE(const Resource database, DatabaseOf(control, TextAt(request, "database"),
                                                            TextAt(request, "account")));
  ARROW_ASSIGN_OR_RAISE(const auto copied, backups.BackUp(database, TextAt(request, "bucket")));
  return Dump({{"database_id", database.id},
               {"bucket", copied.bucket},
               {"key", copied.key},
               {"bookmark", copied.bookmark},
               {"bytes", copied.bytes},
               {"is_new", copied.is_new}});
}

Result<std::string> Restore(Backups& backups, const Json& request) {
  ARROW_ASSIGN_OR_RAISE(const auto placed,
                        backups.Restore({TextAt(request, "database"), TextAt(request, "account"),
                                         TextAt(request, "bucket"), TextAt(request, "from")}));
  return Dump({{"database_id", placed.database.id},
               {"name", placed.database.name},
               {"key", placed.key},
               {"bookmark", placed.bookmark},
               {"previous", placed.previous.empty() ? Json(nullptr) : Json(placed.previous)}});
}

}  // namespace

AdminCommands BackupCommands(Backups& backups, const Control& control) {
  return {
      {"d1.backup",
       [&backups, &control](std::string_view text) {
         return BackUp(backups, control, ParseJson(text));
       }},
      {"d1.restore",
       [&backups](std::string_view text) { return Restore(backups, ParseJson(text)); }},
  };
}

}  // namespace levada::services::d1
