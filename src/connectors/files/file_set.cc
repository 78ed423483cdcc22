#include "connectors/files/file_set.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/util/io_util.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "base/url.h"
#include "base/utf8.h"
#include "connectors/files/path_pattern.h"
#include "places/file_system.h"

namespace levada::files {
namespace {

using arrow::fs::FileInfo;

// No tree that somebody made is deeper.
constexpr size_t kDepthMax = 32;
// Ten for each file that a run may have: many of them may be empty.
constexpr size_t kDirectoriesMax = 10 * kFilesMax;
constexpr std::string_view kHiveNull = "__HIVE_DEFAULT_PARTITION__";

struct HiveName {
  std::string key;
  std::string value;
};

/// "country=DE" of a directory's name.
std::optional<HiveName> HiveNameOf(std::string_view name) {
  const size_t equals = name.find('=');
  if (equals == 0 || equals == std::string_view::npos) return std::nullopt;
  auto key = PercentDecoded(name.substr(0, equals));
  auto value = PercentDecoded(name.substr(equals + 1));
  if (!key || !value || !IsUtf8(*key) || !IsUtf8(*value)) return std::nullopt;
  return HiveName{*std::move(key), *std::move(value)};
}

/// The keys in the directories of a path, the file's own name left out.
std::vector<std::string> KeysIn(std::string_view path) {
  std::vector<std::string> keys;
  std::vector<std::string_view> names = NamesOf(path);
  if (!names.empty()) names.pop_back();
  for (const auto name : names) {
    if (auto hive = HiveNameOf(name)) keys.push_back(std::move(hive->key));
  }
  return keys;
}

FileEntry EntryOf(const arrow::fs::FileSystem& system, const FileInfo& info) {
  auto changed =
      std::chrono::duration_cast<std::chrono::nanoseconds>(info.mtime().time_since_epoch());
  // S3 lists objects with fractions of a second, and leaves them out where it is asked for one.
  if (system.type_name() == "s3") changed = std::chrono::floor<std::chrono::seconds>(changed);
  return {info.path(), info.size(), changed.count()};
}

/// `path` without `base` and the slash behind it.
std::string_view Below(std::string_view path, std::string_view base) {
  if (path.starts_with(base)) path.remove_prefix(base.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

class Finder {
 public:
  Finder(const Context& ctx, const ConsumerOptions& options, places::FileSystemPath place)
      : ctx_(ctx), options_(options), place_(std::move(place)), pattern_(place_.path) {}

  Result<FileSet> Find() {
    set_.system = place_.system;
    ARROW_RETURN_NOT_OK(List());
    if (set_.files.empty()) return NoFile();
    std::ranges::sort(set_.files, {}, &FileEntry::path);
    for (const FileEntry& file : set_.files) {
      set_.bytes += file.size;
      if (IsUtf8(file.path)) continue;
      return options_.At(FaultCode::kSourceUnsupported, "a file's name is not UTF-8",
                         "rename it, or choose a narrower pattern", "path");
    }
    ARROW_RETURN_NOT_OK(FindFormat());
    ARROW_RETURN_NOT_OK(FindKeys());
    return std::move(set_);
  }

 private:
  Status List() {
    if (pattern_.is_pattern()) return ListBelow(pattern_.base());
    auto info = place_.system->GetFileInfo(place_.path);
    if (!info.ok()) return InFile(info.status(), place_.path);
    if (info->IsDirectory()) {
      is_directory_ = true;
      return ListBelow(place_.path);
    }
    if (info->IsFile()) set_.files.push_back(EntryOf(*place_.system, *info));
    return Status::OK();
  }

  /// A level at a time: a whole tree may be larger than memory, and takes its time.
  Status ListBelow(const std::string& base) {
    base_ = base;
    std::vector<std::string> directories = {base};
    size_t listed = 0;
    while (!directories.empty()) {
      ARROW_RETURN_NOT_OK(ctx_.Check());
      if (++listed + directories.size() > kDirectoriesMax) return TooMany("directories");
      const std::string directory = std::move(directories.back());
      directories.pop_back();
      arrow::fs::FileSelector selector;
      selector.base_dir = directory;
      selector.allow_not_found = true;
      auto infos = place_.system->GetFileInfo(selector);
      if (!infos.ok()) return InFile(infos.status(), directory);
      for (const FileInfo& info : *infos) ARROW_RETURN_NOT_OK(Take(info, directories));
    }
    return ctx_.Check();
  }

  /// One entry: a file is of the set or not, a directory is one more to look into or not.
  Status Take(const FileInfo& info, std::vector<std::string>& directories) {
    const std::string_view below = Below(info.path(), base_ == "." ? "./" : base_);
    if (info.IsFile() && (is_directory_ ? IsOfDirectory(below) : pattern_.Matches(below))) {
      if (set_.files.size() == kFilesMax) return TooMany("files");
      set_.files.push_back(EntryOf(*place_.system, info));
    }
    const std::vector<std::string_view> names = NamesOf(below);
    if (!info.IsDirectory() || names.empty()) return Status::OK();
    if (is_directory_ ? IsHidden(names.back()) : !pattern_.MatchesBelow(below)) return Status::OK();
    if (IsLink(info.path())) {
      ++set_.links;
      return Status::OK();
    }
    if (names.size() >= kDepthMax) {
      return options_.At(FaultCode::kImpossiblePlan,
                         "\"" + info.path() + "\" is a directory deeper than " +
                             std::to_string(kDepthMax) + " below \"" + base_ + "\"",
                         "name a place nearer to the files", "path");
    }
    directories.push_back(info.path());
    return Status::OK();
  }

  /// What a link leads to may be there a second time, or be the place itself.
  bool IsLink(const std::string& directory) const {
    std::error_code ignored;
    if (place_.system->type_name() != "local") return false;
    // Arrow's file systems do not say.
    return std::filesystem::is_symlink(directory, ignored);  // tidy: allow as above
  }

  Fault TooMany(const char* what) const {
    const size_t most = what == std::string_view("files") ? kFilesMax : kDirectoriesMax;
    return options_.At(FaultCode::kImpossiblePlan,
                       "\"" + options_.path + "\" stands for more than " + std::to_string(most) +
                           " " + what + ", which is the most for one run",
                       "choose a narrower pattern", "path");
  }

  /// Of all below a directory those that are data of the format asked for.
  bool IsOfDirectory(std::string_view below) {
    if (std::ranges::any_of(NamesOf(below), IsHidden)) return false;
    const auto kind = KindOfName(below);
    if (kind && (!options_.format || kind->format == *options_.format)) return true;
    ++set_.skipped;
    return false;
  }

  Fault NoFile() const {
    if (set_.skipped > 0) {
      return options_.At(FaultCode::kTableNotFound,
                         "no file below \"" + options_.path + "\" ends like " +
                             (options_.format ? std::string(WordOf(*options_.format))
                                              : std::string("a format that is read")),
                         "name them by a pattern, path: \"DIR/*\", and say format", "path");
    }
    if (set_.links > 0) {
      return options_.At(FaultCode::kTableNotFound,
                         "no file is \"" + options_.path + "\" but below linked directories",
                         "symbolic links to directories are not gone into: name where they lead",
                         "path");
    }
    return options_.At(
        FaultCode::kTableNotFound, "no file is \"" + options_.path + "\"",
        pattern_.is_pattern()
            ? "a * stays inside of one name, ** goes through directories; names that begin with _ "
              "or . are left out unless the pattern begins so too"
            : "a path is read from the directory levada is started in",
        "path");
  }

  Status FindFormat() {
    if (options_.format) {
      set_.format = *options_.format;
      return Status::OK();
    }
    const FileEntry* first = nullptr;
    for (const FileEntry& file : set_.files) {
      const auto kind = KindOfName(file.path);
      if (!kind) {
        return options_.At(FaultCode::kImpossiblePlan,
                           "the name \"" + file.path + "\" does not say what the file is",
                           "say format: csv (or parquet, jsonl, arrow, orc)", "path");
      }
      if (first != nullptr && kind->format != set_.format) {
        return options_.At(
            FaultCode::kImpossiblePlan,
            "files of several formats: \"" + first->path + "\" and \"" + file.path + "\"",
            "choose a narrower pattern, or say format for a directory", "path");
      }
      if (first == nullptr) first = &file;
      set_.format = kind->format;
    }
    return Status::OK();
  }

  Status FindKeys() {
    if (options_.hive == Hive::kNo) return Status::OK();
    // Above the place that was named, directories are somebody's own.
    const bool is_one = base_.empty();
    if (is_one && options_.hive == Hive::kAuto) return Status::OK();
    const auto keys_of = [&](const FileEntry& file) {
      return KeysIn(is_one ? std::string_view(file.path)
                           : Below(file.path, base_ == "." ? "./" : base_));
    };
    set_.keys = keys_of(set_.files.front());
    for (const FileEntry& file : set_.files) {
      if (keys_of(file) == set_.keys) continue;
      return options_.At(FaultCode::kSchemaDrift,
                         "file \"" + file.path +
                             "\": its directories have other keys than those "
                             "of \"" +
                             set_.files.front().path + "\"",
                         "say hive: false, or choose a narrower pattern", "path");
    }
    std::set<std::string> names;
    for (const std::string& key : set_.keys) {
      if (names.insert(key).second) continue;
      return options_.At(
          FaultCode::kDuplicateColumn,
          "directories name \"" + key + "\" twice: \"" + set_.files.front().path + "\"",
          "say hive: false", "path");
    }
    return Status::OK();
  }

  const Context& ctx_;
  const ConsumerOptions& options_;
  const places::FileSystemPath place_;
  const PathPattern pattern_;
  std::string base_;  ///< the directory that is looked through; empty for a single file
  bool is_directory_ = false;
  FileSet set_;
};

Fault Changed(const std::string& path, const std::string& how) {
  return Fault(FaultCode::kSourceFileChanged,
               "file \"" + path + "\" " + how + " since the run was split")
      .With("path", path)
      .Help(
          "bring it back as it was; or give up what was begun: change the pipeline (path: ./in for "
          "in will do) and run it with --replace");
}

}  // namespace

Result<FileSet> FindFiles(const Context& ctx, const ConsumerOptions& options) {
  auto place = places::FileSystemOf(options.path);
  if (!place.ok()) {
    const Fault fault = FaultOf(place.status());
    return options.At(fault.code(), fault.message(), fault.help(), "path");
  }
  return Finder(ctx, options, *std::move(place)).Find();
}

Status CheckUnchanged(arrow::fs::FileSystem& system, const FileEntry& file) {
  auto info = system.GetFileInfo(file.path);
  if (!info.ok()) return InFile(info.status(), file.path);
  if (!info->IsFile()) return Changed(file.path, "is gone");
  if (EntryOf(system, *info) == file) return Status::OK();
  return Changed(file.path, info->size() == file.size
                                ? "was written"
                                : "has another size: expected " + std::to_string(file.size) +
                                      " bytes, got " + std::to_string(info->size()) + ",");
}

Result<std::vector<std::optional<std::string>>> HiveValues(const std::string& path,
                                                           const std::vector<std::string>& keys) {
  std::vector<std::optional<std::string>> values;
  std::vector<std::string_view> names = NamesOf(path);
  if (!names.empty()) names.pop_back();
  // From the innermost: directories above the place that was named may have keys of their own.
  size_t at = names.size();
  for (size_t i = keys.size(); i-- > 0;) {
    std::optional<HiveName> found;
    while (at > 0 && !found) {
      found = HiveNameOf(names[--at]);
      if (found && found->key != keys[i]) found.reset();
    }
    if (!found) {
      return Fault(FaultCode::kSchemaDrift,
                   "file \"" + path + "\": no directory \"" + keys[i] + "=\" above it")
          .Help("say hive: false, or move the file");
    }
    values.push_back(found->value == kHiveNull ? std::nullopt : std::optional(found->value));
  }
  std::ranges::reverse(values);
  return values;
}

Status InFile(const Status& failure, const std::string& file) {
  if (failure.ok()) return failure;
  const std::string name = "file \"" + file + "\": ";
  if (const Fault* fault = AttachedFault(failure)) {
    if (!fault->Detail("path").empty() || fault->code() == FaultCode::kStopped) return failure;
    const FaultCode code = fault->code() == FaultCode::kSourceProtocol
                               ? FaultCode::kSourceFileMalformed
                               : fault->code();
    Fault named(code, name + fault->message());
    for (const auto& [key, value] : fault->details()) named.With(key, value);
    named.With("path", file).Help(fault->help());
    if (!fault->cause().ok()) named.Because(fault->cause());
    return named;
  }
  if (auto in_s3 = places::FaultOfS3(failure)) {
    return Fault(in_s3->code(), name + in_s3->message()).With("path", file).Help(in_s3->help());
  }
  const int error = arrow::internal::ErrnoFromStatus(failure);
  if (error == ENOENT || error == ENOTDIR) return Changed(file, "is gone");
  if (error == EACCES || error == EPERM) {
    return Fault(FaultCode::kPermissionDenied, name + "may not be read").With("path", file);
  }
  if (error != 0) {
    return Fault(FaultCode::kSourceUnreachable, name + "cannot be read")
        .With("path", file)
        .Because(failure);
  }
  return Fault(FaultCode::kSourceFileMalformed, name + failure.message())
      .With("path", file)
      .Help("write it again from its source, or leave it out of path:");
}

}  // namespace levada::files
