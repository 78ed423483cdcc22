#include "app/snapshot.h"

#include <vector>

#include "db/rocksdb/store.h"
#include "services/analytics/analytics_copy.h"
#include "services/d1/databases.h"
#include "services/d1/history_copy.h"

namespace levada::app {
namespace {

constexpr const char* kSnapshots = "snapshots";
constexpr const char* kTaken = "taken";
constexpr int kTriesMax = 100;

Status CopyIfThere(os::Disk& disk, const std::string& from, const std::string& to) {
  ARROW_ASSIGN_OR_RAISE(const auto there, disk.Stat(from));
  return there ? os::CopyFile(disk, from, to) : Status::OK();
}

/// A directory that an older levada made may lack a store.
Status CopyClosed(os::Disk& disk, const std::string& from, const std::string& to) {
  ARROW_ASSIGN_OR_RAISE(const auto there, disk.Stat(from));
  return there ? db::rocks::CopyClosedStore(disk, from, to) : Status::OK();
}

Status CopyObjects(const SnapshotSources& sources, const std::string& from, const std::string& to) {
  if (sources.objects != nullptr) return sources.objects->CopyTo(to);
  ARROW_ASSIGN_OR_RAISE(const auto there, sources.disk.Stat(from));
  return there ? services::r2::CopyClosedObjects(sources.disk, from, to) : Status::OK();
}

/// Databases belong to a control database: one that it knows has its files.
Status CopyControl(const SnapshotSources& sources, const std::string& into) {
  os::Disk& disk = sources.disk;
  const std::string copy = os::JoinPath(into, "control.db");
  for (int tries = 0; tries < kTriesMax; ++tries) {
    ARROW_RETURN_NOT_OK(disk.Remove(copy));
    ARROW_ASSIGN_OR_RAISE(const auto resources, sources.control.CopyTo(copy));
    std::vector<uint64_t> databases;
    for (const services::Resource& each : resources) {
      const bool is_one = each.kind == services::ResourceKind::kDatabase;
      if (is_one && services::d1::Databases::IsReady(each)) databases.push_back(each.number);
    }
    const std::string to = os::JoinPath(into, "d1");
    ARROW_RETURN_NOT_OK(os::RemoveTree(disk, to));
    ARROW_ASSIGN_OR_RAISE(
        const bool all_there,
        services::d1::CopyDatabases(disk, sources.directory.Path("d1"), databases, to));
    if (all_there) return Status::OK();  // else one was deleted since
  }
  return Fault(FaultCode::kTargetIo, "the files of a D1 database are missing")
      .Help("`levada fsck` says of which");
}

}  // namespace

Result<std::unique_ptr<os::FileLock>> TryLockSnapshots(os::Disk& disk, const std::string& data) {
  const std::string directory = os::JoinPath(data, kSnapshots);
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(directory));
  return disk.TryLock(os::JoinPath(directory, "LOCK"));
}

std::string SnapshotPath(const std::string& data) {
  return os::JoinPath(os::JoinPath(data, kSnapshots), kTaken);
}

Status TakeSnapshot(const SnapshotSources& sources) {
  os::Disk& disk = sources.disk;
  const services::DataDirectory& from = sources.directory;
  const std::string into = SnapshotPath(from.path());
  const auto at = [&into](const char* name) { return os::JoinPath(into, name); };
  ARROW_RETURN_NOT_OK(os::RemoveTree(disk, into));
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(into));
  // A message about an object is in the objects' store until the queue has it.
  ARROW_RETURN_NOT_OK(CopyObjects(sources, from.Path("objects"), at("objects")));
  ARROW_RETURN_NOT_OK(sources.messages != nullptr
                          ? sources.messages->store().Checkpoint(at("queues"))
                          : CopyClosed(disk, from.Path("queues"), at("queues")));
  ARROW_RETURN_NOT_OK(sources.kv != nullptr ? sources.kv->store().Checkpoint(at("kv"))
                                            : CopyClosed(disk, from.Path("kv"), at("kv")));
  ARROW_RETURN_NOT_OK(
      services::analytics::CopyAnalytics(disk, from.Path("analytics"), at("analytics")));
  ARROW_RETURN_NOT_OK(CopyControl(sources, into));
  ARROW_RETURN_NOT_OK(CopyIfThere(disk, from.Path("master.key"), at("master.key")));
  return os::CopyFile(disk, from.Path("VERSION"), at("VERSION"));
}

Status RemoveOldSnapshot(os::Disk& disk, const std::string& data) {
  ARROW_ASSIGN_OR_RAISE(const auto lock, TryLockSnapshots(disk, data));
  return lock != nullptr ? os::RemoveTree(disk, SnapshotPath(data)) : Status::OK();
}

}  // namespace levada::app
