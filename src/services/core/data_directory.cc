#include "services/core/data_directory.h"

#include <sys/stat.h>

#include <charconv>
#include <optional>
#include <utility>

namespace levada::services {
namespace {

constexpr int64_t kVersionBytesMax = 4096;

/// "layout 1, read by layout 1 and newer": the first and the second number, 0 where there is none.
struct Layout {
  int number = 0;
  int reader = 0;
};

Layout ParseLayout(std::string_view text) {
  Layout layout;
  int* const into[] = {&layout.number, &layout.reader};
  const std::string_view names[] = {"layout=", "reader="};
  for (size_t i = 0; i < 2; ++i) {
    const size_t at = text.find(names[i]);
    if (at == std::string_view::npos) continue;
    const std::string_view digits = text.substr(at + names[i].size());
    std::from_chars(digits.data(), digits.data() + digits.size(), *into[i]);
  }
  return layout;
}

// The file that a restore begins with, and removes behind VERSION, which it writes last: see
// backup/restore.cc.
constexpr const char* kRestoring = ".restoring";

/// Beside a control database it was lost: the directory is in use.
Status RefuseWithoutVersion(os::Disk& disk, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto restoring, disk.Stat(os::JoinPath(path, kRestoring)));
  if (restoring) {
    return Fault(FaultCode::kStoreDamaged, "a restore into \"" + path + "\" did not get to its end")
        .With("path", path)
        .Help("run `levada restore` again, into the same directory");
  }
  ARROW_ASSIGN_OR_RAISE(const auto database, disk.Stat(os::JoinPath(path, "control.db")));
  if (!database) return Status::OK();
  const std::string file = os::JoinPath(path, "VERSION");
  return Fault(FaultCode::kStoreDamaged, "\"" + file + "\" is missing, and control.db is there")
      .With("path", file)
      .Help("put VERSION back from a backup of the data directory");
}

/// What the system refuses of a directory that is somebody's already.
Status OwnersAlone(const Status& status) {
  Fault fault = FaultOf(status);
  if (fault.Detail("errno") != "EACCES") return status;
  return fault.Help("run it as the user that owns the directory");
}

/// A directory of something else would be taken over otherwise.
Status RefuseForeign(os::Disk& disk, const std::string& path) {
  ARROW_RETURN_NOT_OK(RefuseWithoutVersion(disk, path));
  ARROW_ASSIGN_OR_RAISE(const auto entries, disk.List(path));
  for (const os::DirectoryEntry& entry : entries) {
    if (entry.name == "LOCK" || entry.name.starts_with(".")) continue;
    return Fault(FaultCode::kBadValue, "\"" + path + "\" is no data directory: it holds \"" +
                                           entry.name + "\" and no VERSION")
        .With("path", path)
        .Help("name an empty directory, or one that does not exist");
  }
  return Status::OK();
}

Status CheckLayout(const std::string& path, std::string_view version) {
  const Layout layout = ParseLayout(version);
  if (layout.number == 0 || layout.reader == 0) {
    const std::string file = os::JoinPath(path, "VERSION");
    return Fault(FaultCode::kStoreDamaged, "\"" + file + "\" is damaged: it names no layout")
        .With("path", file)
        .Help("put it back from a backup of the data directory");
  }
  if (layout.reader <= kLayoutNumber) return Status::OK();
  return Fault(FaultCode::kNewerLayout,
               "the data directory \"" + path + "\" was written by a newer levada: layout " +
                   std::to_string(layout.number) + ", this one knows up to " +
                   std::to_string(kLayoutNumber))
      .With("path", path)
      .Help("start the levada that wrote it, or a newer one");
}

}  // namespace

Status DataDirectory::CheckIsThere(os::Disk& disk, const std::string& path,
                                   const std::string& help) {
  const auto version = disk.Stat(os::JoinPath(path, "VERSION"));
  if (!version.ok()) return OwnersAlone(version.status());
  if (*version) return Status::OK();
  ARROW_RETURN_NOT_OK(RefuseWithoutVersion(disk, path));
  return Fault(FaultCode::kBadValue, "\"" + path + "\" is no data directory")
      .With("path", path)
      .Help(help);
}

Result<std::unique_ptr<DataDirectory>> DataDirectory::TryOpen(os::Disk& disk,
                                                              const std::string& path) {
  const std::string version = os::JoinPath(path, "VERSION");
  ARROW_RETURN_NOT_OK(disk.CreateDirectories(path));
  const auto found = disk.Stat(version);
  if (!found.ok()) return OwnersAlone(found.status());
  const bool there = found->has_value();
  // Before anything of it is touched.
  if (!there) ARROW_RETURN_NOT_OK(RefuseForeign(disk, path));
  auto locked = disk.TryLock(os::JoinPath(path, "LOCK"));
  if (!locked.ok() && there) return OwnersAlone(locked.status());
  ARROW_ASSIGN_OR_RAISE(auto lock, std::move(locked));
  if (lock == nullptr) return std::unique_ptr<DataDirectory>();
  ARROW_ASSIGN_OR_RAISE(const std::optional<std::string> text,
                        os::ReadFile(disk, version, kVersionBytesMax));
  if (text) {
    ARROW_RETURN_NOT_OK(CheckLayout(path, *text));
    return std::unique_ptr<DataDirectory>(new DataDirectory(path, std::move(lock), false));
  }
  if (chmod(path.c_str(), 0700) != 0) {
    return ErrnoFault(FaultCode::kTargetUnwritable, errno,
                      "cannot make \"" + path + "\" private to this user");
  }
  const std::string number = std::to_string(kLayoutNumber);
  ARROW_RETURN_NOT_OK(
      os::WriteFileDurably(disk, version, "layout=" + number + "\nreader=" + number + "\n"));
  return std::unique_ptr<DataDirectory>(new DataDirectory(path, std::move(lock), true));
}

}  // namespace levada::services
