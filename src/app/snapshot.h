#pragma once
// Snapshots: DATA/snapshots/taken is a data directory of its own, which shares with DATA what does
// not change. The daemon that has the stores open takes it, or, while there is none, whoever has
// the lock of DATA; `levada backup` carries it away.
//
// Each store is as it was at one moment, and these follow each other: what names something in
// another store is taken before that, and the control database last, so that nothing is there that
// it does not know.

#include <memory>
#include <string>

#include "base/fault.h"
#include "os/disk.h"
#include "services/core/control.h"
#include "services/core/data_directory.h"
#include "services/kv/kv_store.h"
#include "services/queues/queue_store.h"
#include "services/r2/object_store.h"

namespace levada::app {

/// What an operator asks a daemon for one with (services/core/admin.h).
inline constexpr const char* kSnapshotCommand = "snapshot";

struct SnapshotSources {
  os::Disk& disk;
  const services::DataDirectory& directory;
  const services::Control& control;
  // Null: nobody has them open.
  const services::kv::KvStore* kv = nullptr;
  const services::r2::ObjectStore* objects = nullptr;
  const services::queues::QueueStore* messages = nullptr;
};

/// Who has it may ask for a snapshot and use it; nobody else does meanwhile. nullptr: somebody has.
Result<std::unique_ptr<os::FileLock>> TryLockSnapshots(os::Disk& disk, const std::string& data);
/// Where it is taken.
std::string SnapshotPath(const std::string& data);
/// Takes the place of what an earlier one left. Blocks, long where there are many objects.
Status TakeSnapshot(const SnapshotSources& sources);
/// What somebody left who has not the lock any more. Makes the lock's file, so that it is the
/// directory's owner's.
Status RemoveOldSnapshot(os::Disk& disk, const std::string& data);

}  // namespace levada::app
