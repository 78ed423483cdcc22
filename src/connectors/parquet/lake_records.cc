#include "connectors/parquet/lake_records.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "base/json.h"
#include "connectors/parquet/lake_names.h"

namespace levada::parquet {
namespace {

// Reads one JSON object; the first problem sticks and what is read after it is empty.
class Fields {
 public:
  Fields(std::string_view text, std::string_view kind, int version) : kind_(kind) {
    json_ = ParseJson(text);
    if (json_.is_discarded() || !json_.is_object()) {
      json_ = Json::object();
      Refuse("expected a JSON object");
    } else if (const std::string found = Text("kind"); found != kind) {
      Refuse(fmt::format("expected kind \"{}\", got \"{}\"", kind, found));
    } else if (const int64_t number = Integer("version"); number != version) {
      Refuse(fmt::format("expected version {}, got {}", version, number),
             "it was written by another version of levada; use that one");
    }
  }

  std::string Text(const char* key) {
    const Json* value = Find(key);
    if (value == nullptr) return {};
    if (!value->is_string()) return Refuse(fmt::format("{}: expected a text", key)), "";
    return value->get<std::string>();
  }

  // Never negative in these records.
  int64_t Integer(const char* key, int64_t max = std::numeric_limits<int64_t>::max()) {
    const Json* value = Find(key);
    if (value == nullptr) return 0;
    const bool fits =
        value->is_number_unsigned() && value->get<uint64_t>() <= static_cast<uint64_t>(max);
    if (!fits) return Refuse(fmt::format("{}: expected an integer from 0 to {}", key, max)), 0;
    return value->get<int64_t>();
  }

  std::vector<std::string> Texts(const char* key) {
    std::vector<std::string> texts;
    for (const Json& item : List(key)) {
      if (!item.is_string()) return Refuse(fmt::format("{}: expected texts", key)), texts;
      texts.push_back(item.get<std::string>());
    }
    return texts;
  }

  const Json& List(const char* key) {
    static const Json kEmpty = Json::array();
    const Json* value = Find(key);
    if (value == nullptr) return kEmpty;
    if (!value->is_array()) return Refuse(fmt::format("{}: expected a list", key)), kEmpty;
    return *value;
  }

  // nullptr when absent or null.
  const Json* Optional(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }

  const Json* Find(const char* key) {
    const Json* value = Optional(key);
    if (value == nullptr) Refuse(fmt::format("{}: expected a value", key));
    return value;
  }

  void Refuse(const std::string& why, std::string help = {}) {
    if (!problem_.ok()) return;
    Fault fault(FaultCode::kManifestCorrupt, fmt::format("{}: {}", kind_, why));
    if (!help.empty()) fault.Help(std::move(help));
    problem_ = fault;
  }

  // Keeps the first problem of a nested record as well.
  template <typename T>
  T Take(Result<T> result) {
    if (result.ok()) return std::move(result).ValueUnsafe();
    if (problem_.ok()) problem_ = result.status();
    return T();
  }

  const Status& problem() const { return problem_; }

 private:
  const std::string kind_;
  Json json_;
  Status problem_;
};

Json Header(std::string_view kind, int version) {
  return Json{{"kind", kind}, {"version", version}};
}

Json ToObject(const elt::PartitionRecord& record) { return ParseJson(record.ToJson()); }

std::vector<elt::PartitionRecord> ReadRecords(const Json& list, Fields& fields) {
  std::vector<elt::PartitionRecord> records;
  for (const Json& item : list) {
    records.push_back(fields.Take(elt::PartitionRecord::FromJson(Dump(item))));
  }
  return records;
}

Json ToObject(const elt::Window& window) {
  return Json{{"start", window.start},
              {"end", window.end},
              {"label", window.label},
              {"timezone", window.timezone}};
}

elt::Window ReadWindow(const Json& json, Fields& fields) {
  elt::Window window;
  const bool whole = json.is_object() && json.value("start", Json()).is_number_integer() &&
                     json.value("end", Json()).is_number_integer() &&
                     json.value("label", Json()).is_string() &&
                     json.value("timezone", Json()).is_string();
  if (!whole) {
    fields.Refuse("window: expected start, end, label and timezone");
    return window;
  }
  window.start = json["start"].get<int64_t>();
  window.end = json["end"].get<int64_t>();
  window.label = json["label"].get<std::string>();
  window.timezone = json["timezone"].get<std::string>();
  return window;
}

Json ToObject(const Manifest& manifest) {
  Json json = Header("levada.manifest", Manifest::kVersion);
  json["pipeline"] = manifest.pipeline;
  json["label"] = manifest.label;
  json["window"] = manifest.window ? ToObject(*manifest.window) : Json();
  if (manifest.increment) json["increment"] = ParseJson(manifest.increment->ToJson());
  json["plan_hash"] = manifest.plan_hash;
  json["schema"] = manifest.schema;
  json["snapshot"] = manifest.snapshot;
  json["writer"] = manifest.writer;
  json["revision"] = manifest.revision;
  json["generation"] = manifest.generation;
  json["begun_at"] = manifest.begun_at;
  json["finished_at"] = manifest.finished_at;
  json["rows"] = manifest.Rows();
  json["bytes"] = manifest.Bytes();
  json["files"] = manifest.FileCount();
  json["replaces"] = manifest.replaces;
  Json& partitions = json["partitions"] = Json::array();
  for (const auto& record : manifest.partitions) partitions.push_back(ToObject(record));
  return json;
}

Result<RejectsFile> ReadRejects(const Json& json) {
  const auto text = [&](const char* key) {
    return json.is_object() && json.value(key, Json()).is_string();
  };
  const auto count = [&](const char* key) {
    return json.is_object() && json.value(key, Json()).is_number_unsigned();
  };
  if (!text("path") || !text("staged") || !text("sha256") || !count("rows") || !count("bytes")) {
    return Fault(FaultCode::kManifestCorrupt,
                 "levada.partition: rejects: expected path, staged, rows, bytes and sha256");
  }
  RejectsFile rejects;
  rejects.path = json["path"].get<std::string>();
  rejects.staged = json["staged"].get<std::string>();
  rejects.rows = json["rows"].get<int64_t>();
  rejects.bytes = json["bytes"].get<int64_t>();
  rejects.sha256 = json["sha256"].get<std::string>();
  return rejects;
}

// Totals for people; a record with absurd numbers must not overflow them.
int64_t CappedSum(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<int64_t>::max() : sum;
}

Status CheckInside(const std::string& path) {
  if (StaysInside(path)) return Status::OK();
  return Fault(
      FaultCode::kManifestCorrupt,
      fmt::format("levada.partition: expected a path inside the dataset, got \"{}\"", path));
}

}  // namespace

std::string ReceiptState::ToJson() const {
  Json json = Json::object();
  if (rejects) {
    json["rejects"] = Json{{"path", rejects->path},
                           {"staged", rejects->staged},
                           {"rows", rejects->rows},
                           {"bytes", rejects->bytes},
                           {"sha256", rejects->sha256}};
  }
  return Dump(json);
}

Result<ReceiptState> ReceiptState::FromJson(std::string_view text) {
  ReceiptState state;
  if (text.empty()) return state;
  const Json json = ParseJson(text);
  if (json.is_discarded() || !json.is_object()) {
    return Fault(FaultCode::kManifestCorrupt,
                 "levada.partition: state: expected a JSON object in the text");
  }
  const auto found = json.find("rejects");
  if (found == json.end()) return state;
  ARROW_ASSIGN_OR_RAISE(state.rejects, ReadRejects(*found));
  return state;
}

std::string Generation::ToJson() const {
  Json json = Header("levada.lock", kVersion);
  json["generation"] = number;
  json["holder"] = holder;
  json["process"] = process;
  json["since"] = since;
  return Dump(json, 2);
}

Result<Generation> Generation::FromJson(std::string_view text) {
  Fields fields(text, "levada.lock", kVersion);
  Generation generation;
  generation.number = fields.Integer("generation");
  generation.holder = fields.Text("holder");
  generation.process = fields.Text("process");
  generation.since = fields.Text("since");
  ARROW_RETURN_NOT_OK(fields.problem());
  return generation;
}

std::string Owner::ToJson() const {
  Json json = Header("levada.dataset", kVersion);
  json["pipeline"] = pipeline;
  return Dump(json, 2);
}

Result<Owner> Owner::FromJson(std::string_view text) {
  Fields fields(text, "levada.dataset", kVersion);
  Owner owner;
  owner.pipeline = fields.Text("pipeline");
  ARROW_RETURN_NOT_OK(fields.problem());
  return owner;
}

int64_t Manifest::Rows() const {
  int64_t rows = 0;
  for (const auto& record : partitions) rows = CappedSum(rows, record.Rows());
  return rows;
}

int64_t Manifest::Bytes() const {
  int64_t bytes = 0;
  for (const auto& record : partitions) {
    for (const auto& receipt : record.receipts) {
      for (const auto& file : receipt.files) bytes = CappedSum(bytes, file.bytes);
    }
  }
  return bytes;
}

int64_t Manifest::FileCount() const {
  size_t files = 0;
  for (const auto& record : partitions) {
    for (const auto& receipt : record.receipts) files += receipt.files.size();
  }
  return static_cast<int64_t>(files);
}

std::string Manifest::ToJson() const { return Dump(ToObject(*this), 2); }

Result<Manifest> Manifest::FromJson(std::string_view text) {
  Fields fields(text, "levada.manifest", kVersion);
  Manifest manifest;
  manifest.pipeline = fields.Text("pipeline");
  manifest.label = fields.Text("label");
  if (const Json* window = fields.Optional("window")) {
    manifest.window = ReadWindow(*window, fields);
  }
  if (const Json* increment = fields.Optional("increment")) {
    manifest.increment = fields.Take(elt::Increment::FromJson(Dump(*increment)));
  }
  manifest.plan_hash = fields.Text("plan_hash");
  manifest.schema = fields.Text("schema");
  manifest.snapshot = fields.Text("snapshot");
  manifest.writer = fields.Text("writer");
  manifest.revision = static_cast<int>(fields.Integer("revision", INT32_MAX));
  manifest.generation = fields.Integer("generation");
  manifest.begun_at = fields.Text("begun_at");
  manifest.finished_at = fields.Text("finished_at");
  manifest.replaces = fields.Texts("replaces");
  for (const std::string& path : manifest.replaces) {
    if (!StaysInside(path)) fields.Refuse("replaces: expected paths inside the dataset");
  }
  manifest.partitions = ReadRecords(fields.List("partitions"), fields);
  ARROW_RETURN_NOT_OK(fields.problem());
  ARROW_RETURN_NOT_OK(PlacementsOf(manifest.partitions));
  return manifest;
}

std::string PublishIntent::ToJson() const {
  Json json = Header("levada.intent", kVersion);
  json["record"] = ToObject(record);
  return Dump(json, 2);
}

Result<PublishIntent> PublishIntent::FromJson(std::string_view text) {
  Fields fields(text, "levada.intent", kVersion);
  PublishIntent intent;
  if (const Json* record = fields.Find("record")) {
    intent.record = fields.Take(elt::PartitionRecord::FromJson(record->dump()));
  }
  ARROW_RETURN_NOT_OK(fields.problem());
  ARROW_RETURN_NOT_OK(PlacementsOf(intent.record));
  return intent;
}

std::string SwitchIntent::ToJson() const {
  Json json = Header("levada.switch", kVersion);
  json["manifest"] = ToObject(manifest);
  return Dump(json, 2);
}

Result<SwitchIntent> SwitchIntent::FromJson(std::string_view text) {
  Fields fields(text, "levada.switch", kVersion);
  SwitchIntent intent;
  if (const Json* manifest = fields.Find("manifest")) {
    intent.manifest = fields.Take(Manifest::FromJson(manifest->dump()));
  }
  ARROW_RETURN_NOT_OK(fields.problem());
  return intent;
}

std::string AbandonIntent::ToJson() const {
  Json json = Header("levada.abandon", kVersion);
  json["revision"] = revision;
  json["files"] = files;
  json["partitions"] = partitions;
  return Dump(json, 2);
}

Result<AbandonIntent> AbandonIntent::FromJson(std::string_view text) {
  Fields fields(text, "levada.abandon", kVersion);
  AbandonIntent intent;
  intent.revision = static_cast<int>(fields.Integer("revision", INT32_MAX));
  intent.files = fields.Texts("files");
  intent.partitions = fields.Texts("partitions");
  for (const std::string& path : intent.files) {
    if (!StaysInside(path)) fields.Refuse("files: expected paths inside the dataset");
  }
  for (const std::string& id : intent.partitions) {
    if (!CheckPartitionId(id).ok()) fields.Refuse("partitions: expected names of partitions");
  }
  ARROW_RETURN_NOT_OK(fields.problem());
  return intent;
}

Result<std::vector<Placement>> PlacementsOf(const elt::PartitionRecord& record) {
  std::vector<Placement> placements;
  for (const elt::Receipt& receipt : record.receipts) {
    for (const elt::WrittenFile& file : receipt.files) {
      placements.push_back({file.path, file.staged, file.bytes});
    }
    ARROW_ASSIGN_OR_RAISE(const ReceiptState state, ReceiptState::FromJson(receipt.state));
    if (state.rejects) {
      placements.push_back({state.rejects->path, state.rejects->staged, state.rejects->bytes});
    }
  }
  for (const Placement& placement : placements) {
    ARROW_RETURN_NOT_OK(CheckInside(placement.path));
    if (!placement.staged.empty()) ARROW_RETURN_NOT_OK(CheckInside(placement.staged));
  }
  return placements;
}

Result<std::vector<Placement>> PlacementsOf(const std::vector<elt::PartitionRecord>& records) {
  std::vector<Placement> all;
  for (const elt::PartitionRecord& record : records) {
    ARROW_ASSIGN_OR_RAISE(auto placements, PlacementsOf(record));
    all.insert(all.end(), std::make_move_iterator(placements.begin()),
               std::make_move_iterator(placements.end()));
  }
  return all;
}

Result<elt::PartitionRecord> Published(elt::PartitionRecord record) {
  for (elt::Receipt& receipt : record.receipts) {
    for (elt::WrittenFile& file : receipt.files) file.staged.clear();
    ARROW_ASSIGN_OR_RAISE(ReceiptState state, ReceiptState::FromJson(receipt.state));
    if (!state.rejects) continue;
    state.rejects->staged.clear();
    receipt.state = state.ToJson();
  }
  return record;
}

}  // namespace levada::parquet
