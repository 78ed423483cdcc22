#pragma once
// How a data directory's control database and its master key are opened together, by the daemon and
// by the commands that work without one.

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/fault.h"
#include "os/disk.h"
#include "services/core/control.h"
#include "services/core/data_directory.h"

namespace levada::services {

/// `key_path`: of the master key; empty for DATA/master.key. A directory without a database gets
/// one, and a key where there is none. One with a database never gets a new key, and one with
/// stores no new database: what is sealed in it, or named by it, would be lost. `reserve` may be
/// null: as of Control::Open. All outlive it. Errors: kBadValue for a key that is not there or
/// cannot be used, kStoreDamaged, those of Control::Open.
Result<std::unique_ptr<Control>> OpenControl(os::Disk& disk, const DataDirectory& directory,
                                             const std::string& key_path, const Clock& clock,
                                             Random& random, os::DiskReserve* reserve = nullptr);

}  // namespace levada::services
