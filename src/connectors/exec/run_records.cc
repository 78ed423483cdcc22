#include "connectors/exec/run_records.h"

#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace levada::exec {
namespace {

// A split of 10,000 partitions takes a few MiB.
constexpr int64_t kRecordBytesMax = int64_t{64} << 20;
constexpr std::string_view kAttempt = "attempt.";
constexpr std::string_view kPart = "part.";
constexpr std::string_view kJson = ".json";
constexpr const char* kRun = "run.json";

Fault Corrupt(const std::string& what) { return Fault(FaultCode::kManifestCorrupt, what); }

/// The object `text` is, of this kind and version.
Result<Json> Parsed(std::string_view text, const std::string& kind) {
  Json json = ParseJson(text);
  if (json.is_discarded() || !json.is_object()) return Corrupt(kind + ": expected a JSON object");
  if (!json.contains("kind") || json["kind"] != kind || !json.contains("version") ||
      json["version"] != RunRecord::kVersion) {
    return Corrupt(kind + ": expected version " + std::to_string(RunRecord::kVersion) + " of it")
        .Help("it was written by another version of levada; use that one");
  }
  return json;
}

Result<std::string> TextOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) {
    return Corrupt("\"" + std::string(key) + "\": expected a text");
  }
  return found->get<std::string>();
}

Result<int64_t> NumberOf(const Json& json, const char* key, int64_t least,
                         int64_t most = std::numeric_limits<int64_t>::max()) {
  const auto found = json.find(key);
  // An unsigned one that is larger than all signed ones would come out as negative.
  const bool fits =
      found != json.end() && found->is_number_integer() &&
      (!found->is_number_unsigned() ||
       found->get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
  if (!fits || found->get<int64_t>() < least || found->get<int64_t>() > most) {
    return Corrupt("\"" + std::string(key) + "\": expected a number of at least " +
                   std::to_string(least));
  }
  return found->get<int64_t>();
}

/// A split that stands in another record as a text; "": there is none.
Result<std::optional<elt::SplitRecord>> SplitOf(const Json& json, const char* key) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, TextOf(json, key));
  if (text.empty()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(elt::SplitRecord split, elt::SplitRecord::FromJson(text));
  return split;
}

Status At(const Status& status, const std::string& path) {
  if (CodeOf(status) != FaultCode::kManifestCorrupt) return status;
  const Fault fault = FaultOf(status);
  return Fault(FaultCode::kManifestCorrupt, "\"" + path + "\": " + fault.message())
      .With("path", path)
      .Help(fault.help().empty() ? "restore the file; without it nobody knows what the program was "
                                   "told to publish"
                                 : fault.help());
}

}  // namespace

std::string RunRecord::ToJson() const {
  return Dump(Json{{"kind", "exec run"},
                   {"version", kVersion},
                   {"pipeline", pipeline},
                   {"generation", generation},
                   {"revision", revision},
                   {"split", split ? split->ToJson() : ""},
                   {"finished", finished ? finished->ToJson() : ""},
                   {"finished_rows", finished_rows},
                   {"finished_at", finished_at}});
}

Result<RunRecord> RunRecord::FromJson(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const Json json, Parsed(text, "exec run"));
  RunRecord run;
  ARROW_ASSIGN_OR_RAISE(run.pipeline, TextOf(json, "pipeline"));
  ARROW_ASSIGN_OR_RAISE(run.generation, NumberOf(json, "generation", 0));
  ARROW_ASSIGN_OR_RAISE(const int64_t revision, NumberOf(json, "revision", -1, INT32_MAX));
  run.revision = static_cast<int>(revision);
  ARROW_ASSIGN_OR_RAISE(run.split, SplitOf(json, "split"));
  ARROW_ASSIGN_OR_RAISE(run.finished, SplitOf(json, "finished"));
  ARROW_ASSIGN_OR_RAISE(run.finished_rows, NumberOf(json, "finished_rows", 0));
  ARROW_ASSIGN_OR_RAISE(run.finished_at, TextOf(json, "finished_at"));
  return run;
}

std::string PartRecord::ToJson() const {
  return Dump(Json{{"kind", "exec partition"},
                   {"version", RunRecord::kVersion},
                   {"published", published},
                   {"record", record.ToJson()}});
}

Result<PartRecord> PartRecord::FromJson(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const Json json, Parsed(text, "exec partition"));
  PartRecord part;
  const auto published = json.find("published");
  if (published == json.end() || !published->is_boolean()) {
    return Corrupt("\"published\": expected true or false");
  }
  part.published = published->get<bool>();
  ARROW_ASSIGN_OR_RAISE(const std::string record, TextOf(json, "record"));
  ARROW_ASSIGN_OR_RAISE(part.record, elt::PartitionRecord::FromJson(record));
  return part;
}

elt::PublishedRun RunState::Seen(const std::string& pipeline, const std::string& label) const {
  elt::PublishedRun seen;
  seen.pipeline = pipeline;
  seen.label = label;
  seen.generation = run.generation;
  seen.pending = run.split;
  const auto& shown = run.split ? run.split : run.finished;
  if (shown) seen.ShowRowsOf(*shown);
  if (run.finished) {
    seen.finished = true;
    seen.plan_hash = run.finished->plan_hash;
    seen.schema = run.finished->schema;
    seen.revision = run.finished->revision;
    seen.rows = run.finished_rows;
    seen.begun_at = run.finished->created_at;
    seen.finished_at = run.finished_at;
  }
  for (const auto& [id, part] : parts) seen.partitions.push_back(part.record);
  return seen;
}

RunRecords::RunRecords(os::Disk* disk, const std::string& state, const std::string& pipeline,
                       const std::string& label)
    : disk_(disk), directory_(os::JoinPath(os::JoinPath(state, pipeline), label)) {}

Result<std::unique_ptr<os::FileLock>> RunRecords::Lock() const {
  ARROW_RETURN_NOT_OK(disk_->CreateDirectories(directory_));
  ARROW_ASSIGN_OR_RAISE(auto lock, disk_->TryLock(os::JoinPath(directory_, "lock")));
  if (lock != nullptr) return lock;
  return Fault(FaultCode::kLeaseHeld, "another process works on \"" + directory_ + "\"")
      .Help("wait for it, or stop it");
}

Result<RunState> RunRecords::Read() const {
  RunState state;
  const std::string run_path = os::JoinPath(directory_, kRun);
  ARROW_ASSIGN_OR_RAISE(const auto run, os::ReadFile(*disk_, run_path, kRecordBytesMax));
  if (!run) return state;
  auto parsed = RunRecord::FromJson(*run);
  if (!parsed.ok()) return At(parsed.status(), run_path);
  state.run = *std::move(parsed);
  const auto& current = state.run.split ? state.run.split : state.run.finished;
  std::set<std::string> accounted;
  ARROW_ASSIGN_OR_RAISE(const auto entries, disk_->List(directory_));
  for (const os::DirectoryEntry& entry : entries) {
    std::string_view name = entry.name;
    if (name.starts_with(kAttempt)) {
      state.attempts.emplace(name.substr(kAttempt.size()));
    } else if (name.starts_with(kPart) && name.ends_with(kJson)) {
      const std::string path = os::JoinPath(directory_, name);
      ARROW_ASSIGN_OR_RAISE(const auto text, os::ReadFile(*disk_, path, kRecordBytesMax));
      if (!text) continue;
      const auto part = PartRecord::FromJson(*text);
      if (!part.ok()) return At(part.status(), path);
      // Others are of a split that was given up or replaced.
      if (!current || part->record.revision != current->revision) continue;
      accounted.insert(part->record.attempt_id);
      state.parts.emplace(part->record.partition, *part);
    }
  }
  for (const std::string& id : accounted) state.attempts.erase(id);
  return state;
}

Status RunRecords::Write(const RunRecord& run) const {
  return os::WriteFileDurably(*disk_, os::JoinPath(directory_, kRun), run.ToJson());
}

Status RunRecords::Write(const PartRecord& part) const {
  return os::WriteFileDurably(
      *disk_,
      os::JoinPath(directory_, std::string(kPart) + part.record.partition + std::string(kJson)),
      part.ToJson());
}

Status RunRecords::NoteAttempt(const std::string& attempt_id) const {
  return os::WriteFileDurably(*disk_, os::JoinPath(directory_, std::string(kAttempt) + attempt_id),
                              "");
}

Status RunRecords::ForgetAttempt(const std::string& attempt_id) const {
  return disk_->Remove(os::JoinPath(directory_, std::string(kAttempt) + attempt_id));
}

Status RunRecords::ForgetPart(const std::string& partition) const {
  return disk_->Remove(
      os::JoinPath(directory_, std::string(kPart) + partition + std::string(kJson)));
}

Result<std::vector<std::string>> LabelsOf(os::Disk& disk, const std::string& state,
                                          const std::string& pipeline) {
  const std::string directory = os::JoinPath(state, pipeline);
  std::vector<std::string> labels;
  ARROW_ASSIGN_OR_RAISE(const auto found, disk.Stat(directory));
  if (!found) return labels;
  ARROW_ASSIGN_OR_RAISE(const auto entries, disk.List(directory));
  for (const os::DirectoryEntry& entry : entries) {
    if (!entry.is_directory) continue;
    ARROW_ASSIGN_OR_RAISE(const auto run,
                          disk.Stat(os::JoinPath(os::JoinPath(directory, entry.name), kRun)));
    if (run) labels.push_back(entry.name);
  }
  return labels;
}

}  // namespace levada::exec
