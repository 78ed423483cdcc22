#include "services/core/open_control.h"

#include <optional>
#include <utility>

namespace levada::services {
namespace {

Result<MasterKey> KeyOf(os::Disk& disk, const std::string& key_path, const std::string& database,
                        Random& random) {
  ARROW_ASSIGN_OR_RAISE(std::optional<MasterKey> there, MasterKey::Load(disk, key_path));
  if (there) return *std::move(there);
  ARROW_ASSIGN_OR_RAISE(const auto made_before, disk.Stat(database));
  // The key is made first, so that a first start that was cut short is no such directory.
  if (!made_before) return MasterKey::Make(disk, key_path, random);
  return Fault(FaultCode::kBadValue, "there is no master key file \"" + key_path + "\", and \"" +
                                         database + "\" was made with one")
      .With("path", key_path)
      .Help("name the key's file with --master-key, or put it back from where it was backed up");
}

}  // namespace

Result<std::unique_ptr<Control>> OpenControl(os::Disk& disk, const DataDirectory& directory,
                                             const std::string& key_path, const Clock& clock,
                                             Random& random) {
  const std::string database = directory.Path("control.db");
  ARROW_ASSIGN_OR_RAISE(
      MasterKey master,
      KeyOf(disk, key_path.empty() ? directory.Path("master.key") : key_path, database, random));
  return Control::Open(database, std::move(master), clock, random);
}

}  // namespace levada::services
