#include "services/core/open_control.h"

#include <algorithm>
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

/// The stores come after the database: beside them one that is not there was lost.
Status RefuseToBeginAnew(os::Disk& disk, const DataDirectory& directory,
                         const std::string& database) {
  ARROW_ASSIGN_OR_RAISE(const auto there, disk.Stat(database));
  if (there) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto entries, disk.List(directory.path()));
  const auto store = std::ranges::find_if(entries, &os::DirectoryEntry::is_directory);
  if (store == entries.end()) return Status::OK();
  return Fault(FaultCode::kStoreDamaged, "the control database \"" + database +
                                             "\" is missing, and \"" + store->name + "\" is there")
      .With("path", database)
      .Help("put it back from where it was backed up: the names and tokens of all are in it");
}

}  // namespace

Result<std::unique_ptr<Control>> OpenControl(os::Disk& disk, const DataDirectory& directory,
                                             const std::string& key_path, const Clock& clock,
                                             Random& random, os::DiskReserve* reserve) {
  const std::string database = directory.Path("control.db");
  ARROW_RETURN_NOT_OK(RefuseToBeginAnew(disk, directory, database));
  ARROW_ASSIGN_OR_RAISE(
      MasterKey master,
      KeyOf(disk, key_path.empty() ? directory.Path("master.key") : key_path, database, random));
  return Control::Open(database, std::move(master), clock, random, reserve);
}

}  // namespace levada::services
