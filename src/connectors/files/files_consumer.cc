#include "connectors/files/files_consumer.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "connectors/files/bounds.h"
#include "connectors/files/file_set.h"
#include "connectors/files/files_stream.h"
#include "connectors/files/table.h"
#include "connectors/files/window_filter.h"
#include "places/file_system.h"

namespace levada::files {
namespace {

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }

/// For people: "3 files, in/a.csv to in/c.csv".
std::string MeaningOf(const std::vector<FileEntry>& files) {
  if (files.size() == 1) return "file " + Quoted(files.front().path);
  return fmt::format("{} files, {} to {}", files.size(), Quoted(files.front().path),
                     Quoted(files.back().path));
}

/// The files in their order, in groups of up to `bytes_max`.
std::vector<std::vector<FileEntry>> Groups(const FileSet& set, int64_t bytes_max, bool by_file) {
  std::vector<std::vector<FileEntry>> groups;
  int64_t bytes = 0;
  for (const FileEntry& file : set.files) {
    if (groups.empty() || by_file || bytes + file.size > bytes_max) {
      groups.emplace_back();
      bytes = 0;
    }
    groups.back().push_back(file);
    bytes += file.size;
  }
  return groups;
}

}  // namespace

Result<elt::Source> FilesConsumer::Describe(Context& ctx) const {
  ARROW_ASSIGN_OR_RAISE(const FileSet set, FindFiles(ctx, *options_));
  ARROW_ASSIGN_OR_RAISE(const TextRules rules, RulesFor(ctx, *options_, set));
  ARROW_ASSIGN_OR_RAISE(Inspection seen, Inspect(ctx, *options_, set, rules));
  elt::Source source;
  source.schema = seen.table.schema;
  source.source_types = std::move(seen.source_types);
  source.hints.resize(source.source_types.size());
  source.description = fmt::format("{} {} file{} of {}", set.files.size(), WordOf(set.format),
                                   set.files.size() == 1 ? "" : "s", Quoted(options_->path));
  source.estimated_bytes = set.bytes;
  source.memory_bytes_per_slice = seen.memory_bytes;
  source.repeatable = true;
  source.notes = std::move(seen.notes);
  return source;
}

Result<std::vector<elt::Partition>> FilesConsumer::Split(Context& ctx, const elt::RunInstance& run,
                                                         const elt::Source& source,
                                                         const elt::SplitLimits& limits) const {
  ARROW_ASSIGN_OR_RAISE(const WindowFilter window, WindowFilter::Make(run, *source.schema));
  ARROW_ASSIGN_OR_RAISE(const FileSet set, FindFiles(ctx, *options_));
  ARROW_ASSIGN_OR_RAISE(const TextRules rules, RulesFor(ctx, *options_, set));
  const auto groups = Groups(set, limits.partition_bytes, options_->by_file);
  if (groups.size() > kPartitionsMax) {
    return options_->At(
        FaultCode::kImpossiblePlan,
        fmt::format("{} files are more than {} partitions", groups.size(), kPartitionsMax),
        "leave partition out, or choose a narrower pattern", "partition");
  }
  std::vector<elt::Partition> partitions;
  for (const std::vector<FileEntry>& files : groups) {
    elt::Partition partition;
    partition.index = static_cast<int>(partitions.size());
    partition.id = fmt::format("p{:04}", partition.index);
    partition.meaning = MeaningOf(files);
    if (!window.is_all()) partition.meaning += ", " + window.Meaning();
    partition.estimated_bytes = 0;
    for (const FileEntry& file : files) partition.estimated_bytes += file.size;
    partition.bounds = PartitionBounds{set.format, rules.dialect, set.keys, files}.ToJson();
    partition.slices = {elt::Slice{0, "{}"}};
    partitions.push_back(std::move(partition));
  }
  return partitions;
}

Result<std::unique_ptr<elt::PartitionReader>> FilesConsumer::Open(
    Context& ctx, const elt::RunInstance& run, const elt::Partition& partition,
    const elt::Source& source, const elt::BatchLimits& limits) const {
  OpenPartition open;
  ARROW_ASSIGN_OR_RAISE(open.bounds, PartitionBounds::FromJson(partition.bounds));
  ARROW_ASSIGN_OR_RAISE(open.window, WindowFilter::Make(run, *source.schema));
  ARROW_ASSIGN_OR_RAISE(auto place, places::FileSystemOf(options_->path));
  open.system = std::move(place.system);
  // Before a row is read: nothing of a set that is broken is of use.
  for (const FileEntry& file : open.bounds.files) {
    ARROW_RETURN_NOT_OK(ctx.Check());
    ARROW_RETURN_NOT_OK(CheckUnchanged(*open.system, file));
  }
  open.options = options_;
  open.table = TableOf(*options_, source.schema, open.bounds.keys);
  open.limits = limits;
  return MakeReader(std::move(open));
}

}  // namespace levada::files
