#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>

#include "app/admin_client.h"
#include "app/commands.h"
#include "app/json_output.h"
#include "app/snapshot.h"
#include "app/status_line.h"
#include "app/version.h"
#include "backup/backup.h"
#include "base/json.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

using backup::BackupDone;
using backup::CarryCounts;

// Of a snapshot: as long as it takes to give ten million objects a second name.
constexpr auto kPatience = std::chrono::hours(2);

/// A snapshot that is gone with the object.
class TakenSnapshot final {
 public:
  TakenSnapshot(os::Disk& disk, std::string data, std::unique_ptr<os::FileLock> lock)
      : disk_(disk), data_(std::move(data)), lock_(std::move(lock)) {}
  ~TakenSnapshot() { (void)os::RemoveTree(disk_, path()); }  // else the next one does it
  TakenSnapshot(const TakenSnapshot&) = delete;
  TakenSnapshot& operator=(const TakenSnapshot&) = delete;
  std::string path() const { return SnapshotPath(data_); }

 private:
  os::Disk& disk_;
  const std::string data_;
  const std::unique_ptr<os::FileLock> lock_;
};

/// While no daemon has the directory, nobody has a store open.
OpenServices SnapshotsWithoutDaemon(os::Disk& disk) {
  return [&disk](const services::DataDirectory& directory,
                 services::Control& control) -> Result<LocalServices> {
    LocalServices local;
    local.commands[kSnapshotCommand] = [&disk, &directory,
                                        &control](std::string_view) -> Result<std::string> {
      ARROW_RETURN_NOT_OK(TakeSnapshot({disk, directory, control}));
      return std::string("{}");
    };
    return local;
  };
}

Result<std::unique_ptr<TakenSnapshot>> Take(Session& session, StatusLine& line) {
  os::Disk& disk = session.disk();
  ARROW_ASSIGN_OR_RAISE(const auto client,
                        AdminClient::Open(session, SnapshotsWithoutDaemon(disk)));
  ARROW_ASSIGN_OR_RAISE(auto lock, TryLockSnapshots(disk, client->path()));
  if (lock == nullptr) {
    return Fault(FaultCode::kLeaseHeld,
                 fmt::format("another backup of \"{}\" is under way", client->path()))
        .With("path", client->path())
        .Help("wait for its end");
  }
  auto taken = std::make_unique<TakenSnapshot>(disk, client->path(), std::move(lock));
  line.Show([] { return std::string("taking a snapshot"); });
  ARROW_RETURN_NOT_OK(client->Ask(Dump({{"do", kSnapshotCommand}}), kPatience).status());
  if (session.line().no_master_key) {
    ARROW_RETURN_NOT_OK(disk.Remove(os::JoinPath(taken->path(), "master.key")));
  }
  return taken;
}

/// "1,204 files, 3.2 GiB, of them new 12 files, 40 MiB"
std::string TextOf(const CarryCounts& counts) {
  return fmt::format("{}, {}, of them new {}, {}", FormatCount(counts.files, "file"),
                     FormatBytes(counts.bytes), FormatCount(counts.carried_files, "file"),
                     FormatBytes(counts.carried_bytes));
}

std::string TextOf(const BackupDone& done, const std::string& place) {
  const backup::Head& head = done.head;
  std::string text = fmt::format("backup {} in {}\n  {}, {}\n  new: {}, {}\n", head.id, place,
                                 FormatCount(head.files, "file"), FormatBytes(head.bytes),
                                 FormatCount(done.new_files, "file"), FormatBytes(head.new_bytes));
  if (done.backups_removed > 0) {
    text += fmt::format("  removed: {}, {}\n", FormatCount(done.backups_removed, "backup"),
                        FormatCount(done.files_removed, "file"));
  }
  return text + (head.has_master_key
                     ? "master.key is in it: keep it as safe as the data directory\n"
                     : "without a master key: keep that elsewhere, a restore needs it\n");
}

std::string JsonOf(const BackupDone& done, const std::string& place) {
  return Dump({{"levada_backup", kJsonVersion},
               {"place", place},
               {"id", done.head.id},
               {"files", done.head.files},
               {"bytes", done.head.bytes},
               {"new_files", done.new_files},
               {"new_bytes", done.head.new_bytes},
               {"master_key", done.head.has_master_key},
               {"backups_removed", done.backups_removed},
               {"files_removed", done.files_removed}},
              2);
}

Status DoBackup(Session& session) {
  const std::string& place = session.line().place;
  ARROW_ASSIGN_OR_RAISE(const auto store, backup::OpenBackupStore(session.disk(), place));
  // Before a snapshot is taken for nothing.
  ARROW_RETURN_NOT_OK(backup::ListBackups(*store).status());
  BackupDone done;
  {
    StatusLine line(session);
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, Take(session, line));
    const backup::BackupOptions options{
        snapshot->path(), std::string(Version()), session.line().keep,
        backup::TransfersAtOnce(place),
        [&line](const CarryCounts& counts) { line.Show([&] { return TextOf(counts); }); }};
    ARROW_ASSIGN_OR_RAISE(done,
                          backup::MakeBackup(session.context(), session.disk(), *store, options));
  }
  return session.line().json ? PrintJson(session, JsonOf(done, store->Location("")))
                             : WriteOutput(TextOf(done, store->Location("")));
}

}  // namespace

Outcome Backup(Session& session) {
  Outcome outcome;
  outcome.Note(session.NameSignal(DoBackup(session)));
  return outcome;
}

}  // namespace levada::app
