#include "elt/report.h"

#include <fmt/format.h>

#include "base/json.h"

namespace levada::elt {
namespace {

double Seconds(int64_t ns) { return static_cast<double>(ns / 1'000'000) / 1e3; }

Json ErrorOf(const Status& status) {
  if (status.ok()) return nullptr;
  return ParseJson(RenderJson(FaultOf(status)));
}

Json ToJsonValue(const PartitionReport& partition) {
  Json json;
  json["id"] = partition.id;
  json["meaning"] = partition.meaning;
  json["published_before"] = partition.published_before;
  json["attempts"] = partition.attempts;
  json["rows"] = partition.rows;
  json["rows_filtered"] = partition.rows_filtered;
  json["rows_rejected"] = partition.rows_rejected;
  json["values_discarded"] = partition.values_discarded;
  json["bytes_read"] = partition.bytes_read;
  json["bytes_written"] = partition.bytes_written;
  if (!partition.snapshot.empty()) json["snapshot"] = partition.snapshot;
  json["seconds"] = {{"source_wait", Seconds(partition.times.source_wait_ns)},
                     {"decode", Seconds(partition.times.decode_ns)},
                     {"transform", Seconds(partition.times.transform_ns)},
                     {"encode", Seconds(partition.times.encode_ns)},
                     {"target_wait", Seconds(partition.times.target_wait_ns)}};
  Json loaders = Json::array();
  for (const auto& receipts : partition.receipts) {
    Json of_loader = Json::array();
    for (const Receipt& receipt : receipts) of_loader.push_back(ParseJson(receipt.ToJson()));
    loaders.push_back(std::move(of_loader));
  }
  json["loaders"] = std::move(loaders);
  json["error"] = ErrorOf(partition.status);
  return json;
}

Json ToJsonValue(const RunInstanceReport& run) {
  Json json;
  json["window"] = run.label;
  json["outcome"] = NameOf(run.outcome);
  json["revision"] = run.revision;
  json["rows"] = run.rows;
  json["files"] = run.files;
  json["bytes"] = run.bytes;
  json["seconds"] = Seconds(run.elapsed_ns);
  json["snapshots"] = run.snapshots;
  json["error"] = ErrorOf(run.status);
  json["partitions"] = Json::array();
  for (const auto& partition : run.partitions) json["partitions"].push_back(ToJsonValue(partition));
  return json;
}

}  // namespace

std::string_view NameOf(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::kPublished:
      return "published";
    case RunOutcome::kSkipped:
      return "skipped";
    case RunOutcome::kFailed:
      return "failed";
    case RunOutcome::kInterrupted:
      return "interrupted";
  }
  return "";
}

std::string RunReport::ToJson() const {
  Json json;
  json["levada_run"] = kVersion;
  json["run_id"] = run_id;
  json["pipeline"] = pipeline;
  json["plan_hash"] = plan_hash;
  json["version"] = version;
  json["host"] = host;
  json["source"] = source;
  json["targets"] = targets;
  json["started_at"] = FormatTimestamp(started_at);
  json["seconds"] = Seconds(elapsed_ns);
  json["cpu_seconds"] = Seconds(cpu_ns);
  json["peak_memory_bytes"] = peak_memory_bytes;
  json["verify"] = verify;
  json["warnings"] = ParseJson(RenderJson(warnings));
  json["relaxed"] = relaxed;
  json["outcome"] = status.ok() ? "ok" : "failed";
  json["exit_status"] = ExitStatusOf(status);
  json["runs_published_before"] = runs_published_before;
  json["rows"] = rows;
  json["files"] = files;
  json["bytes"] = bytes;
  json["error"] = ErrorOf(status);
  json["runs"] = Json::array();
  for (const auto& run : runs) json["runs"].push_back(ToJsonValue(run));
  // Names and messages come from outside: what is not UTF-8 is replaced, never thrown over.
  return Dump(json, 2);
}

}  // namespace levada::elt
