#include "connectors/parquet/found_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "connectors/parquet/hive.h"
#include "connectors/parquet/lake_state.h"
#include "os/disk.h"

namespace levada::parquet {
namespace {

// Directories of a layout and of partition_by; a symbolic link that leads to its own parent would
// never end.
constexpr int kDepthMax = 64;

// Readers' own rule: "_x" and ".x" are passed over, "_x=1" is a partition.
bool IsPassedOver(std::string_view directory) {
  return directory.starts_with('.') ||
         (directory.starts_with('_') && directory.find('=') == std::string_view::npos);
}

// Whether `directory` is one in which a run of this layout has its files.
bool IsMadeBy(const LakeDirectories& layout, std::string_view directory) {
  if (!directory.starts_with(layout.directory)) return false;
  directory.remove_prefix(layout.directory.size());
  bool is_below = !layout.directory.empty();
  for (const std::string& column : layout.partition_by) {
    const std::string begin = (is_below ? "/" : "") + EscapeHive(column) + "=";
    if (!directory.starts_with(begin)) return false;
    directory.remove_prefix(std::min(directory.find('/', 1), directory.size()));
    is_below = true;
  }
  return directory.empty();
}

// Calls `visit(directory, entry)` for each file in a directory that readers look into.
template <typename Visit>
Status ForEachFile(Context& ctx, places::Place& place, const std::string& directory, int depth,
                   const Visit& visit) {
  ARROW_RETURN_NOT_OK(ctx.Check());
  if (depth > kDepthMax) {
    return Fault(FaultCode::kTargetIo,
                 fmt::format("\"{}\": expected at most {} directories below each other",
                             place.Location(directory), kDepthMax));
  }
  ARROW_ASSIGN_OR_RAISE(const auto entries, place.List(ctx, directory));
  for (const places::PlaceEntry& entry : entries) {
    if (!entry.is_directory) {
      ARROW_RETURN_NOT_OK(visit(directory, entry));
    } else if (!IsPassedOver(entry.name)) {
      ARROW_RETURN_NOT_OK(
          ForEachFile(ctx, place, os::JoinPath(directory, entry.name), depth + 1, visit));
    }
  }
  return Status::OK();
}

class Search {
 public:
  Search(Context& ctx, places::Place& place, const LakeNames& names,
         std::span<const LakeDirectories> layouts)
      : ctx_(ctx), place_(place), names_(names), layouts_(layouts) {}

  Result<FoundFiles> Run() {
    ARROW_RETURN_NOT_OK(
        ForEachFile(ctx_, place_, "", 0, [this](const std::string& directory, const auto& entry) {
          const auto revision = names_.RevisionOfDataFile(entry.name);
          if (!revision) return Status::OK();
          const std::string path = os::JoinPath(directory, entry.name);
          const bool is_ours = std::ranges::any_of(
              layouts_, [&](const LakeDirectories& layout) { return IsMadeBy(layout, directory); });
          if (!is_ours) return Elsewhere(path);
          Note(path, *revision);
          return Status::OK();
        }));
    ARROW_RETURN_NOT_OK(LookAtRecords());
    return std::move(found_);
  }

 private:
  // A record of a later revision would be taken for one of the run that gets this revision next.
  Status LookAtRecords() {
    ARROW_ASSIGN_OR_RAISE(const auto entries, place_.List(ctx_, names_.Records()));
    for (const places::PlaceEntry& entry : entries) {
      const std::string path = os::JoinPath(names_.Records(), entry.name);
      if (const auto revision = names_.RevisionOfRejects(entry.name)) Note(path, *revision);
      const auto name = ParsePartitionRecordName(entry.name);
      if (!name || name->is_intent) continue;
      const auto record = ReadParsed<elt::PartitionRecord>(ctx_, place_, path);
      if (!record.ok() && CodeOf(record.status()) != FaultCode::kManifestCorrupt) {
        return record.status();
      }
      if (record.ok() && *record) found_.revision = std::max(found_.revision, (*record)->revision);
    }
    return Status::OK();
  }

  void Note(const std::string& path, int revision) {
    found_.paths.push_back(path);
    found_.revision = std::max(found_.revision, revision);
  }

  Status Elsewhere(const std::string& path) const {
    return Fault(FaultCode::kForeignTarget,
                 fmt::format("file \"{}\" has a name of run \"{}\", in a directory that neither "
                             "this plan nor the last one makes, and the manifest that would say "
                             "whose it is is damaged",
                             place_.Location(path), names_.label()))
        .With("path", place_.Location(path))
        .With("window", names_.label())
        .Help("move the file out of the dataset and run again");
  }

  Context& ctx_;
  places::Place& place_;
  const LakeNames& names_;
  const std::span<const LakeDirectories> layouts_;
  FoundFiles found_;
};

}  // namespace

Result<FoundFiles> FindFilesOf(Context& ctx, places::Place& place, const LakeNames& names,
                               std::span<const LakeDirectories> layouts) {
  return Search(ctx, place, names, layouts).Run();
}

Result<std::vector<std::string>> FindVisibleFiles(Context& ctx, places::Place& place) {
  std::vector<std::string> paths;
  ARROW_RETURN_NOT_OK(
      ForEachFile(ctx, place, "", 0, [&](const std::string& directory, const auto& entry) {
        if (!entry.name.starts_with('.') && !entry.name.starts_with('_')) {
          paths.push_back(os::JoinPath(directory, entry.name));
        }
        return Status::OK();
      }));
  return paths;
}

}  // namespace levada::parquet
