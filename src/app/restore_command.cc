#include <fmt/format.h>
#include <sys/stat.h>

#include <string>

#include "app/commands.h"
#include "app/json_output.h"
#include "app/status_line.h"
#include "app/table.h"
#include "backup/restore.h"
#include "base/json.h"
#include "base/quantity.h"

namespace levada::app {
namespace {

using backup::Head;

Json JsonOf(const Head& head) {
  return {
      {"id", head.id},       {"levada", head.levada},       {"files", head.files},
      {"bytes", head.bytes}, {"new_bytes", head.new_bytes}, {"master_key", head.has_master_key}};
}

Status List(Session& session, backup::BackupStore& store) {
  ARROW_ASSIGN_OR_RAISE(const auto ids, backup::ListBackups(store));
  Json list = Json::array();
  Table table({{"backup"},
               {"files", Align::kRight},
               {"size", Align::kRight},
               {"new", Align::kRight},
               {"master key"},
               {"levada"}});
  for (const std::string& id : ids) {
    ARROW_ASSIGN_OR_RAISE(const Head head, backup::ReadHead(store, id));
    list.push_back(JsonOf(head));
    table.AddRow({head.id, FormatCount(head.files), FormatBytes(head.bytes),
                  FormatBytes(head.new_bytes), head.has_master_key ? "yes" : "no", head.levada});
  }
  if (session.line().json) {
    return PrintJson(session, Dump({{"levada_restore", kJsonVersion}, {"backups", list}}, 2));
  }
  if (ids.empty()) {
    return WriteOutput(fmt::format("there is no backup in \"{}\"\n", store.Location("")));
  }
  return WriteOutput(table.Render(OutputStyle(session.terminal(), 0)));
}

/// Nobody else reads what is restored, from the first file on.
Status MakePrivate(os::Disk& disk, const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(const auto there, disk.Stat(directory));
  if (there) return Status::OK();
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(directory));
  if (chmod(directory.c_str(), 0700) == 0) return Status::OK();
  return ErrnoFault(FaultCode::kTargetUnwritable, errno,
                    "cannot make \"" + directory + "\" private to this user");
}

std::string TextOf(const Head& head, const std::string& directory) {
  const std::string what =
      fmt::format("{}, {}", FormatCount(head.files, "file"), FormatBytes(head.bytes));
  if (directory.empty()) {
    return fmt::format("backup {}: {}, all as they were written\n", head.id, what);
  }
  return fmt::format("backup {} is restored in {}: {}\n", head.id, directory, what) +
         (head.has_master_key
              ? fmt::format("start it: levada serve --data {}\n", directory)
              : fmt::format(
                    "it has no master key; start it: levada serve --data {} --master-key FILE\n",
                    directory));
}

Status DoRestore(Session& session) {
  const CommandLine& line = session.line();
  ARROW_ASSIGN_OR_RAISE(const auto store, backup::OpenBackupStore(session.disk(), line.place));
  if (line.list) return List(session, *store);
  if (!line.data.empty()) ARROW_RETURN_NOT_OK(MakePrivate(session.disk(), line.data));
  Head head;
  {
    StatusLine status(session);
    const backup::RestoreOptions options{
        line.backup, line.data, backup::TransfersAtOnce(line.place),
        [&status](const backup::CarryCounts& counts, const Head& of) {
          status.Show([&] {
            return fmt::format("{} of {}, {} of {}", FormatCount(counts.files),
                               FormatCount(of.files, "file"), FormatBytes(counts.bytes),
                               FormatBytes(of.bytes));
          });
        }};
    ARROW_ASSIGN_OR_RAISE(head,
                          backup::Restore(session.context(), session.disk(), *store, options));
  }
  if (!line.json) return WriteOutput(TextOf(head, line.data));
  Json json = {{"levada_restore", kJsonVersion}, {"directory", nullptr}};
  if (!line.data.empty()) json["directory"] = line.data;
  json["backup"] = JsonOf(head);
  return PrintJson(session, Dump(json, 2));
}

}  // namespace

Outcome RestoreBackup(Session& session) {
  Outcome outcome;
  outcome.Note(session.NameSignal(DoRestore(session)));
  return outcome;
}

}  // namespace levada::app
