#include "connectors/parquet/lake_publish.h"

#include <set>
#include <string>
#include <vector>

#include "base/failpoint.h"
#include "connectors/parquet/dataset.h"
#include "os/disk.h"

namespace levada::parquet {

Status BeginPublication(Context& ctx, places::Place& place, const LakeNames& names,
                        const PublishIntent& intent) {
  ARROW_RETURN_NOT_OK(place.WriteRecord(ctx, names.Intent(intent.record.partition), intent.ToJson(),
                                        places::Expectation::Anything()));
  LEVADA_FAILPOINT(ctx, "publish.intent_written");
  return Status::OK();
}

Status CompletePublication(Context& ctx, places::Place& place, const LakeNames& names,
                           const PublishIntent& intent) {
  ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(intent.record));
  ARROW_RETURN_NOT_OK(HideSuccess(ctx, place));
  std::vector<std::string> paths;
  for (const Placement& placement : placements) {
    if (placement.staged.empty()) continue;
    paths.push_back(placement.path);
    const Status renamed = place.Publish(ctx, placement.staged, placement.path);
    // An earlier try has renamed it; that it is there was checked before this one began.
    if (!renamed.ok() && CodeOf(renamed) != FaultCode::kTargetFileMissing) return renamed;
    LEVADA_FAILPOINT(ctx, "publish.file_renamed");
  }
  LEVADA_FAILPOINT(ctx, "publish.before_directory_sync");
  ARROW_RETURN_NOT_OK(place.Settle(ctx, paths));
  LEVADA_FAILPOINT(ctx, "publish.before_record");
  ARROW_ASSIGN_OR_RAISE(const elt::PartitionRecord record, Published(intent.record));
  return place.WriteRecord(ctx, names.Partition(record.partition), record.ToJson(),
                           places::Expectation::Anything());
}

Status ClosePublication(Context& ctx, places::Place& place, const LakeNames& names,
                        const std::string& partition) {
  return place.Remove(ctx, names.Intent(partition));
}

Status UndoPublication(Context& ctx, places::Place& place, const LakeNames& names,
                       const PublishIntent& intent) {
  ARROW_ASSIGN_OR_RAISE(const auto placements, PlacementsOf(intent.record));
  const std::vector<std::string> record = {names.Partition(intent.record.partition)};
  ARROW_RETURN_NOT_OK(place.Remove(ctx, record.front()));
  ARROW_RETURN_NOT_OK(place.Settle(ctx, record));
  std::vector<std::string> paths;
  for (const Placement& placement : placements) {
    for (const std::string& path : {placement.path, placement.staged}) {
      if (path.empty()) continue;
      ARROW_RETURN_NOT_OK(place.Remove(ctx, path));
      paths.push_back(path);
    }
  }
  ARROW_RETURN_NOT_OK(place.Settle(ctx, paths));
  ARROW_RETURN_NOT_OK(PruneDirectoriesOf(ctx, place, paths));
  const std::vector<std::string> closed = {names.Intent(intent.record.partition)};
  ARROW_RETURN_NOT_OK(place.Remove(ctx, closed.front()));
  return place.Settle(ctx, closed);
}

Status PruneDirectoriesOf(Context& ctx, places::Place& place,
                          const std::vector<std::string>& paths) {
  std::set<std::string> directories;
  for (const std::string& path : paths) directories.insert(os::ParentPath(path));
  for (const std::string& directory : directories) {
    ARROW_RETURN_NOT_OK(place.Prune(ctx, directory));
  }
  return Status::OK();
}

}  // namespace levada::parquet
