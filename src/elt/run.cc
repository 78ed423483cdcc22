#include "elt/run.h"

#include <set>
#include <utility>

#include "base/json.h"

namespace levada::elt {
namespace {

// A record names itself, so that a file under the wrong name is refused and not half understood.
constexpr std::string_view kSplitKind = "levada.split";
constexpr std::string_view kPartitionKind = "levada.partition";

/// Reads the fields of one JSON object. The first problem sticks; what is read after it is empty,
/// so that callers read a whole record and ask once. Keys nobody asks for are tolerated: a later
/// minor version may add some.
class FieldReader {
 public:
  FieldReader(const Json& object, std::string where, Status& problem)
      : object_(object), where_(std::move(where)), problem_(problem) {
    if (!object_.is_object()) Refuse(where_, "an object");
  }

  std::string Text(const char* key) {
    const Json* value = Find(key);
    if (value == nullptr) return {};
    if (!value->is_string()) return Refuse(Name(key), "a text"), std::string();
    return value->get<std::string>();
  }

  /// An integer in [min, max]. JSON has one number type; 1.0 and 1e3 are refused like 1.5.
  int64_t Integer(const char* key, int64_t min, int64_t max = std::numeric_limits<int64_t>::max()) {
    const Json* value = Find(key);
    if (value == nullptr) return min;
    if (!value->is_number_integer()) return Refuse(Name(key), "an integer"), min;
    const bool too_large =
        value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
    if (too_large || value->get<int64_t>() < min || value->get<int64_t>() > max) {
      Refuse(Name(key), "an integer in [" + std::to_string(min) + ", " + std::to_string(max) + "]");
      return min;
    }
    return value->get<int64_t>();
  }

  /// Absent is false.
  bool Flag(const char* key) {
    const Json* value = Optional(key);
    if (value == nullptr) return false;
    if (!value->is_boolean()) return Refuse(Name(key), "true or false"), false;
    return value->get<bool>();
  }

  /// The items of a list; empty after a problem.
  const Json& List(const char* key) {
    static const Json kEmpty = Json::array();
    const Json* value = Find(key);
    if (value == nullptr) return kEmpty;
    if (!value->is_array()) return Refuse(Name(key), "a list"), kEmpty;
    return *value;
  }

  /// nullptr when the key is absent or null.
  const Json* Optional(const char* key) {
    if (!object_.is_object()) return nullptr;
    auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  const Json* Find(const char* key) {
    const Json* value = Optional(key);
    if (value == nullptr) Refuse(Name(key), "a value");
    return value;
  }

  void Refuse(const std::string& what, const std::string& expected) {
    if (!problem_.ok()) return;
    problem_ = Fault(FaultCode::kManifestCorrupt, what + ": expected " + expected);
  }

  std::string Name(const std::string& key) const { return where_ + "." + key; }

 private:
  const Json& object_;
  const std::string where_;
  Status& problem_;
};

std::string Item(const std::string& list, size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

Result<Json> Parse(std::string_view text, std::string_view what) {
  Json json = ParseJson(text);
  if (json.is_discarded() || !json.is_object()) {
    return Fault(FaultCode::kManifestCorrupt, std::string(what) + ": expected a JSON object, got " +
                                                  std::to_string(text.size()) +
                                                  " bytes of something else");
  }
  return json;
}

/// Checks `kind` and `version`. A record of another version may mean the same words differently, so
/// nothing else of it is read.
Status CheckHeader(const Json& json, std::string_view kind, int version) {
  Status problem;
  FieldReader fields(json, std::string(kind), problem);
  std::string got_kind = fields.Text("kind");
  int64_t got_version = fields.Integer("version", 0);
  ARROW_RETURN_NOT_OK(problem);
  if (got_kind != kind) {
    return Fault(FaultCode::kManifestCorrupt,
                 "record: expected kind \"" + std::string(kind) + "\", got \"" + got_kind + "\"");
  }
  if (got_version != version) {
    return Fault(FaultCode::kManifestCorrupt, std::string(kind) + ": expected version " +
                                                  std::to_string(version) + ", got " +
                                                  std::to_string(got_version))
        .Help("it was written by another version of levada; use that one");
  }
  return Status::OK();
}

Json ToJson(const Window& window) {
  return Json{{"start", window.start},
              {"end", window.end},
              {"label", window.label},
              {"timezone", window.timezone}};
}

Window ReadWindow(const Json& json, const std::string& where, Status& problem) {
  FieldReader fields(json, where, problem);
  Window window;
  window.start = fields.Integer("start", INT64_MIN);
  window.end = fields.Integer("end", INT64_MIN);
  window.label = fields.Text("label");
  window.timezone = fields.Text("timezone");
  if (window.end <= window.start) fields.Refuse(where, "a start before its end");
  return window;
}

Json ToObject(const Increment& increment) {
  const auto mark = [](const std::optional<std::string>& text) {
    return text ? Json(*text) : Json();
  };
  Json json{{"number", increment.number},
            {"column", increment.column},
            {"low", mark(increment.low)},
            {"high", mark(increment.high)}};
  if (!increment.position.empty()) json["position"] = increment.position;
  return json;
}

Increment ReadIncrement(const Json& json, const std::string& where, Status& problem) {
  FieldReader fields(json, where, problem);
  Increment increment;
  increment.number = fields.Integer("number", 1);
  increment.column = fields.Text("column");
  if (fields.Optional("low") != nullptr) increment.low = fields.Text("low");
  increment.high = fields.Text("high");
  if (fields.Optional("position") != nullptr) increment.position = fields.Text("position");
  if (increment.column.empty()) fields.Refuse(fields.Name("column"), "a name");
  return increment;
}

Json ToJson(const Partition& partition) {
  Json slices = Json::array();
  for (const Slice& slice : partition.slices) {
    slices.push_back(Json{{"index", slice.index}, {"bounds", slice.bounds}});
  }
  return Json{{"index", partition.index},
              {"id", partition.id},
              {"meaning", partition.meaning},
              {"bounds", partition.bounds},
              {"query", partition.query},
              {"estimated_rows", partition.estimated_rows},
              {"estimated_bytes", partition.estimated_bytes},
              {"slices", std::move(slices)}};
}

Partition ReadPartition(const Json& json, const std::string& where, int64_t position,
                        Status& problem) {
  FieldReader fields(json, where, problem);
  Partition partition;
  partition.index = static_cast<int>(fields.Integer("index", position, position));
  partition.id = fields.Text("id");
  partition.meaning = fields.Text("meaning");
  partition.bounds = fields.Text("bounds");
  partition.query = fields.Text("query");
  partition.estimated_rows = fields.Integer("estimated_rows", -1);
  partition.estimated_bytes = fields.Integer("estimated_bytes", -1);
  for (const Json& item : fields.List("slices")) {
    const auto index = static_cast<int64_t>(partition.slices.size());
    FieldReader slice(item, Item(fields.Name("slices"), partition.slices.size()), problem);
    Slice read;
    read.index = static_cast<int>(slice.Integer("index", index, index));
    read.bounds = slice.Text("bounds");
    partition.slices.push_back(std::move(read));
  }
  if (partition.id.empty()) fields.Refuse(fields.Name("id"), "a name");
  if (partition.slices.empty()) fields.Refuse(fields.Name("slices"), "at least one slice");
  return partition;
}

Json ToJson(const StreamEnd& end) {
  Json json{{"rows_sent", end.rows_sent},         {"rows_read", end.rows_read},
            {"rows_filtered", end.rows_filtered}, {"rows_rejected", end.rows_rejected},
            {"rows_out", end.rows_out},           {"position", end.position}};
  if (end.values_discarded > 0) json["values_discarded"] = end.values_discarded;
  return json;
}

StreamEnd ReadStreamEnd(const Json& json, const std::string& where, Status& problem) {
  FieldReader fields(json, where, problem);
  StreamEnd end;
  end.rows_sent = fields.Integer("rows_sent", -1);
  end.rows_read = fields.Integer("rows_read", 0);
  end.rows_filtered = fields.Integer("rows_filtered", 0);
  end.rows_rejected = fields.Integer("rows_rejected", 0);
  end.rows_out = fields.Integer("rows_out", 0);
  end.position = fields.Text("position");
  if (fields.Optional("values_discarded") != nullptr) {
    end.values_discarded = fields.Integer("values_discarded", 0);
  }
  return end;
}

/// Files named by a record are opened, renamed and deleted, so a damaged record must not lead out
/// of the dataset.
bool StaysInside(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos) {
    return false;
  }
  while (!path.empty()) {
    const size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") return false;
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return true;
}

Json ToJson(const WrittenFile& file) {
  return Json{{"path", file.path},
              {"staged", file.staged},
              {"rows", file.rows},
              {"bytes", file.bytes},
              {"sha256", file.sha256}};
}

WrittenFile ReadWrittenFile(const Json& json, const std::string& where, Status& problem) {
  FieldReader fields(json, where, problem);
  WrittenFile file;
  file.path = fields.Text("path");
  file.staged = fields.Text("staged");
  file.rows = fields.Integer("rows", 0);
  file.bytes = fields.Integer("bytes", 0);
  file.sha256 = fields.Text("sha256");
  if (!StaysInside(file.path)) fields.Refuse(fields.Name("path"), "a path inside the dataset");
  return file;
}

Json ToObject(const Receipt& receipt) {
  Json files = Json::array();
  for (const WrittenFile& file : receipt.files) files.push_back(ToJson(file));
  return Json{{"slice", receipt.slice},     {"rows", receipt.rows},
              {"files", std::move(files)},  {"rows_hash", receipt.rows_hash},
              {"end", ToJson(receipt.end)}, {"state", receipt.state}};
}

Receipt ReadReceipt(const Json& json, const std::string& where, Status& problem) {
  FieldReader fields(json, where, problem);
  Receipt receipt;
  receipt.slice = static_cast<int>(fields.Integer("slice", 0, INT32_MAX));
  receipt.rows = fields.Integer("rows", 0);
  for (const Json& item : fields.List("files")) {
    const std::string name = Item(fields.Name("files"), receipt.files.size());
    receipt.files.push_back(ReadWrittenFile(item, name, problem));
  }
  receipt.rows_hash = fields.Text("rows_hash");
  if (const Json* end = fields.Find("end"); end != nullptr) {
    receipt.end = ReadStreamEnd(*end, fields.Name("end"), problem);
  }
  receipt.state = fields.Text("state");
  return receipt;
}

}  // namespace

std::string Increment::Label() const {
  std::string digits = std::to_string(number);
  constexpr size_t kDigits = 6;
  if (digits.size() < kDigits) digits.insert(0, kDigits - digits.size(), '0');
  return "i" + digits;
}

std::string Increment::ToJson() const { return Dump(ToObject(*this)); }

Result<Increment> Increment::FromJson(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(Json json, Parse(text, "increment"));
  Status problem;
  Increment increment = ReadIncrement(json, "increment", problem);
  ARROW_RETURN_NOT_OK(problem);
  return increment;
}

std::string SplitRecord::ToJson() const {
  Json list = Json::array();
  for (const Partition& partition : partitions) list.push_back(elt::ToJson(partition));
  Json json{{"kind", kSplitKind},
            {"version", kVersion},
            {"pipeline", pipeline},
            {"label", label},
            {"window", window ? elt::ToJson(*window) : Json()},
            {"plan_hash", plan_hash},
            {"schema", schema},
            {"snapshot", snapshot},
            {"writer", writer},
            {"created_at", created_at},
            {"revision", revision},
            {"partitions", std::move(list)}};
  if (held) json["held"] = true;
  if (increment) json["increment"] = ToObject(*increment);
  return Dump(json, 2);
}

Result<SplitRecord> SplitRecord::FromJson(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(Json json, Parse(text, "split record"));
  ARROW_RETURN_NOT_OK(CheckHeader(json, kSplitKind, kVersion));
  Status problem;
  FieldReader fields(json, "split", problem);
  SplitRecord record;
  record.pipeline = fields.Text("pipeline");
  record.label = fields.Text("label");
  if (const Json* window = fields.Optional("window"); window != nullptr) {
    record.window = ReadWindow(*window, "split.window", problem);
  }
  if (const Json* increment = fields.Optional("increment"); increment != nullptr) {
    record.increment = ReadIncrement(*increment, "split.increment", problem);
  }
  record.plan_hash = fields.Text("plan_hash");
  record.schema = fields.Text("schema");
  record.snapshot = fields.Text("snapshot");
  record.writer = fields.Text("writer");
  record.created_at = fields.Text("created_at");
  record.revision = static_cast<int>(fields.Integer("revision", 0, INT32_MAX));
  record.held = fields.Flag("held");
  std::set<std::string> ids;
  for (const Json& item : fields.List("partitions")) {
    const std::string where = Item("split.partitions", record.partitions.size());
    record.partitions.push_back(
        ReadPartition(item, where, static_cast<int64_t>(record.partitions.size()), problem));
    if (!ids.insert(record.partitions.back().id).second) {
      fields.Refuse(where + ".id", "an id of its own");
    }
  }
  if (record.partitions.empty()) fields.Refuse("split.partitions", "at least one partition");
  ARROW_RETURN_NOT_OK(problem);
  return record;
}

std::string Receipt::ToJson() const { return Dump(ToObject(*this)); }

Result<Receipt> Receipt::FromJson(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(Json json, Parse(text, "receipt"));
  Status problem;
  Receipt receipt = ReadReceipt(json, "receipt", problem);
  ARROW_RETURN_NOT_OK(problem);
  return receipt;
}

int64_t PartitionRecord::Rows() const {
  int64_t rows = 0;
  for (const Receipt& receipt : receipts) rows += receipt.rows;
  return rows;
}

std::string PartitionRecord::ToJson() const {
  Json list = Json::array();
  for (const Receipt& receipt : receipts) list.push_back(ToObject(receipt));
  Json json{{"kind", kPartitionKind},     {"version", kVersion},      {"partition", partition},
            {"attempt_id", attempt_id},   {"generation", generation}, {"revision", revision},
            {"receipts", std::move(list)}};
  return Dump(json, 2);
}

Result<PartitionRecord> PartitionRecord::FromJson(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(Json json, Parse(text, "partition record"));
  ARROW_RETURN_NOT_OK(CheckHeader(json, kPartitionKind, kVersion));
  Status problem;
  FieldReader fields(json, "partition", problem);
  PartitionRecord record;
  record.partition = fields.Text("partition");
  record.attempt_id = fields.Text("attempt_id");
  record.generation = fields.Integer("generation", 0);
  record.revision = static_cast<int>(fields.Integer("revision", 0, INT32_MAX));
  int64_t rows = 0;
  for (const Json& item : fields.List("receipts")) {
    const std::string where = Item("partition.receipts", record.receipts.size());
    record.receipts.push_back(ReadReceipt(item, where, problem));
    if (__builtin_add_overflow(rows, record.receipts.back().rows, &rows)) {
      fields.Refuse(where + ".rows", "a sum of rows below 2^63");
    }
  }
  if (record.partition.empty()) fields.Refuse("partition.partition", "a name");
  ARROW_RETURN_NOT_OK(problem);
  return record;
}

Status RejectBuffer::Add(Reject reject) {
  const size_t bytes =
      reject.stage.size() + reject.column.size() + reject.reason.size() + reject.row_json.size();
  std::lock_guard lock(mutex_);
  if (rows_ >= kRowsMax || bytes > kBytesMax - bytes_) {
    return Fault(FaultCode::kRejectsTooMany, "quarantine: more than " + std::to_string(kRowsMax) +
                                                 " rows or " + std::to_string(kBytesMax >> 20) +
                                                 " MiB rejected by stage \"" + reject.stage + "\"")
        .With("column", reject.column)
        .With("reason", reject.reason)
        .Help(
            "so many rows are a broken source, not exceptions: fix the column, or use "
            "on_error: discard_value");
  }
  ++rows_;
  bytes_ += bytes;
  rejects_.push_back(std::move(reject));
  return Status::OK();
}

std::vector<Reject> RejectBuffer::Take() {
  std::lock_guard lock(mutex_);
  return std::exchange(rejects_, {});
}

size_t RejectBuffer::size() const {
  std::lock_guard lock(mutex_);
  return rejects_.size();
}

}  // namespace levada::elt
