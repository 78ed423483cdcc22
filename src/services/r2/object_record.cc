#include "services/r2/object_record.h"

#include <exception>

#include "base/binary_text.h"
#include "base/byte_order.h"
#include "base/json.h"

namespace levada::services::r2 {
namespace {

// Records are CBOR maps with short names: a later layout adds names, and an older reader passes
// over those it does not know.
using Value = Json;

constexpr int kLayout = 1;
constexpr size_t kStampBytes = 16;
constexpr size_t kBucketBytes = 8;
constexpr size_t kQueueBytes = 8;

Value BinaryOf(std::string_view bytes) {
  return Value::binary(std::vector<uint8_t>(bytes.begin(), bytes.end()));
}

/// Reads one map; whatever is not as it was written marks the whole as bad.
class Reader {
 public:
  explicit Reader(const Value& map) : map_(map) { is_good_ = map.is_object(); }

  bool is_good() const { return is_good_; }
  const Value* Find(const char* name) const {
    if (!map_.is_object()) return nullptr;
    const auto at = map_.find(name);
    return at == map_.end() ? nullptr : &*at;
  }
  uint64_t Number(const char* name) {
    const Value* value = Find(name);
    if (value == nullptr) return 0;
    if (!value->is_number_integer()) return Bad(uint64_t{0});
    return value->get<uint64_t>();
  }
  std::optional<int64_t> MaybeNumber(const char* name) {
    const Value* value = Find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer()) return Bad(std::optional<int64_t>());
    return value->get<int64_t>();
  }
  bool Flag(const char* name) {
    const Value* value = Find(name);
    if (value == nullptr) return false;
    if (!value->is_boolean()) return Bad(false);
    return value->get<bool>();
  }
  std::string Bytes(const char* name) {
    const Value* value = Find(name);
    return value == nullptr ? std::string() : BytesOf(*value);
  }
  std::optional<std::string> MaybeBytes(const char* name) {
    const Value* value = Find(name);
    if (value == nullptr) return std::nullopt;
    return BytesOf(*value);
  }
  std::optional<Stamp> MaybeStamp(const char* name) {
    const Value* value = Find(name);
    if (value == nullptr) return std::nullopt;
    return StampOf(*value);
  }
  Stamp NeededStamp(const char* name) {
    const std::optional<Stamp> stamp = MaybeStamp(name);
    if (!stamp) return Bad(Stamp());
    return *stamp;
  }
  Stamp StampOf(const Value& value) {
    const std::optional<Stamp> stamp = Stamp::FromBytes(BytesOf(value));
    if (!stamp) return Bad(Stamp());
    return *stamp;
  }
  std::string BytesOf(const Value& value) {
    if (!value.is_binary()) return Bad(std::string());
    return {value.get_binary().begin(), value.get_binary().end()};
  }
  /// The members of a list.
  const Value::array_t& List(const char* name) {
    static const Value::array_t kNone;
    const Value* value = Find(name);
    if (value == nullptr) return kNone;
    if (!value->is_array()) return Bad<const Value::array_t&>(kNone);
    return value->get_ref<const Value::array_t&>();
  }
  template <typename T>
  T Bad(T otherwise) {
    is_good_ = false;
    return otherwise;
  }

 private:
  const Value& map_;
  bool is_good_ = true;
};

void PutText(Value& map, const char* name, const std::optional<std::string>& text) {
  if (text) map[name] = BinaryOf(*text);
}

void PutBytes(Value& map, const char* name, const std::string& bytes) {
  if (!bytes.empty()) map[name] = BinaryOf(bytes);
}

Value ValueOf(const ObjectAttributes& attributes) {
  Value map = Value::object();
  const HttpFields& http = attributes.http;
  PutText(map, "t", http.content_type);
  PutText(map, "l", http.content_language);
  PutText(map, "d", http.content_disposition);
  PutText(map, "e", http.content_encoding);
  PutText(map, "c", http.cache_control);
  if (http.cache_expiry_ms) map["x"] = *http.cache_expiry_ms;
  if (attributes.infrequent_access) map["ia"] = true;
  if (!attributes.custom.empty()) {
    Value list = Value::array();
    for (const auto& [name, value] : attributes.custom) {
      list.push_back(BinaryOf(name));
      list.push_back(BinaryOf(value));
    }
    map["m"] = std::move(list);
  }
  return map;
}

ObjectAttributes AttributesOf(Reader& outer, const char* name) {
  ObjectAttributes attributes;
  const Value* value = outer.Find(name);
  if (value == nullptr) return attributes;
  Reader map(*value);
  attributes.http = {map.MaybeBytes("t"), map.MaybeBytes("l"), map.MaybeBytes("d"),
                     map.MaybeBytes("e"), map.MaybeBytes("c"), map.MaybeNumber("x")};
  attributes.infrequent_access = map.Flag("ia");
  const Value::array_t& custom = map.List("m");
  if (custom.size() % 2 != 0) map.Bad(0);
  for (size_t i = 0; i + 1 < custom.size(); i += 2) {
    attributes.custom.emplace_back(map.BytesOf(custom[i]), map.BytesOf(custom[i + 1]));
  }
  if (!map.is_good()) outer.Bad(0);
  return attributes;
}

Value ValueOf(const StoredChecksum& checksum) {
  return Value::array({static_cast<int>(checksum.algorithm), static_cast<int>(checksum.type),
                       BinaryOf(checksum.text)});
}

StoredChecksum ChecksumOf(Reader& map, const Value& value) {
  StoredChecksum checksum;
  if (!value.is_array() || value.size() != 3 || !value[0].is_number_integer() ||
      !value[1].is_number_integer() ||
      value[0].get<uint64_t>() > static_cast<uint64_t>(checksums::Algorithm::kSha512) ||
      value[1].get<uint64_t>() > static_cast<uint64_t>(checksums::ChecksumType::kFullObject)) {
    return map.Bad(checksum);
  }
  checksum.algorithm = static_cast<checksums::Algorithm>(value[0].get<int>());
  checksum.type = static_cast<checksums::ChecksumType>(value[1].get<int>());
  checksum.text = map.BytesOf(value[2]);
  return checksum;
}

void PutSegment(Value& list, const Segment& segment) {
  list.push_back(BinaryOf(segment.blob.Bytes()));
  list.push_back(segment.bytes);
}

std::vector<Segment> SegmentsOf(Reader& map, const char* name) {
  std::vector<Segment> segments;
  const Value::array_t& list = map.List(name);
  if (list.size() % 2 != 0) map.Bad(0);
  for (size_t i = 0; i + 1 < list.size(); i += 2) {
    if (!list[i + 1].is_number_integer()) return map.Bad(segments);
    segments.push_back({map.StampOf(list[i]), list[i + 1].get<uint64_t>()});
  }
  return segments;
}

std::string BytesOf(const Value& value) {
  std::string bytes;
  Value::to_cbor(value, nlohmann::detail::output_adapter<char>(bytes));
  return bytes;
}

Value MapOf(std::string_view bytes) {
  try {  // tidy: allow the library throws of a size that no memory has, whatever it is told
    return Value::from_cbor(bytes.begin(), bytes.end(), true, false,
                            Value::cbor_tag_handler_t::error);
  } catch (const std::exception&) {  // tidy: allow as above
    return Value(Value::value_t::discarded);
  }
}

/// Only records of the layout that this program writes.
bool IsOfLayout(Reader& map) { return map.is_good() && map.Number("v") == kLayout; }

/// Keys sort as they did: a zero becomes zero and 255, and the end is zero and one.
void AppendEscaped(std::string& out, std::string_view key) {
  for (const char c : key) {
    out.push_back(c);
    if (c == '\0') out.push_back('\xff');
  }
  out.push_back('\0');
  out.push_back('\1');
}

}  // namespace

// ---- Stamp

std::string Stamp::Bytes() const {
  std::string bytes;
  bytes.reserve(kStampBytes);
  AppendBigEndian(bytes, sequence, 8);
  AppendBigEndian(bytes, random, 8);
  return bytes;
}

std::optional<Stamp> Stamp::FromBytes(std::string_view bytes) {
  if (bytes.size() != kStampBytes) return std::nullopt;
  return Stamp{ReadBigEndian(bytes.substr(0, 8)), ReadBigEndian(bytes.substr(8))};
}

std::string Stamp::Text() const { return HexOf(Bytes()); }

std::optional<Stamp> Stamp::Parse(std::string_view text) {
  const std::optional<std::string> bytes = BytesOfHex(text);
  if (!bytes) return std::nullopt;
  return FromBytes(*bytes);
}

// ---- records

std::string Encode(const ObjectRecord& record) {
  Value map = {{"v", kLayout}, {"i", BinaryOf(record.version.Bytes())}, {"u", record.uploaded_ms}};
  if (!record.is_null_version) map["k"] = true;
  if (record.is_delete_marker) {
    map["dm"] = true;
    return BytesOf(map);
  }
  map["n"] = record.bytes;
  map["e"] = BinaryOf(record.etag);
  map["a"] = ValueOf(record.attributes);
  PutBytes(map, "5", record.md5);
  PutBytes(map, "ck", record.customer_key_md5);
  if (record.is_inline) map["in"] = true;
  if (record.is_multipart) map["mp"] = true;
  if (record.upload) map["up"] = BinaryOf(record.upload->Bytes());
  if (!record.segments.empty()) {
    Value list = Value::array();
    for (const Segment& segment : record.segments) PutSegment(list, segment);
    map["s"] = std::move(list);
  }
  if (!record.checksums.empty()) {
    Value list = Value::array();
    for (const StoredChecksum& checksum : record.checksums) list.push_back(ValueOf(checksum));
    map["c"] = std::move(list);
  }
  return BytesOf(map);
}

std::optional<ObjectRecord> DecodeObject(std::string_view bytes) {
  const Value value = MapOf(bytes);
  Reader map(value);
  if (!IsOfLayout(map)) return std::nullopt;
  ObjectRecord record;
  record.version = map.NeededStamp("i");
  record.uploaded_ms = map.MaybeNumber("u").value_or(0);
  record.is_null_version = !map.Flag("k");
  record.is_delete_marker = map.Flag("dm");
  record.bytes = map.Number("n");
  record.etag = map.Bytes("e");
  record.attributes = AttributesOf(map, "a");
  record.md5 = map.Bytes("5");
  record.customer_key_md5 = map.Bytes("ck");
  record.is_inline = map.Flag("in");
  record.is_multipart = map.Flag("mp");
  record.upload = map.MaybeStamp("up");
  record.segments = SegmentsOf(map, "s");
  for (const Value& each : map.List("c")) record.checksums.push_back(ChecksumOf(map, each));
  if (!map.is_good()) return std::nullopt;
  return record;
}

std::string Encode(const UploadRecord& record) {
  Value map = {{"v", kLayout}, {"i", BinaryOf(record.upload.Bytes())}, {"u", record.begun_ms}};
  map["a"] = ValueOf(record.attributes);
  PutBytes(map, "ck", record.customer_key_md5);
  if (record.algorithm) {
    map["al"] = static_cast<int>(*record.algorithm);
    map["ty"] = static_cast<int>(record.checksum_type);
  }
  return BytesOf(map);
}

std::optional<UploadRecord> DecodeUpload(std::string_view bytes) {
  const Value value = MapOf(bytes);
  Reader map(value);
  if (!IsOfLayout(map)) return std::nullopt;
  UploadRecord record;
  record.upload = map.NeededStamp("i");
  record.begun_ms = map.MaybeNumber("u").value_or(0);
  record.attributes = AttributesOf(map, "a");
  record.customer_key_md5 = map.Bytes("ck");
  if (map.Find("al") != nullptr) {
    const uint64_t algorithm = map.Number("al");
    const uint64_t type = map.Number("ty");
    if (algorithm > static_cast<uint64_t>(checksums::Algorithm::kSha512) ||
        type > static_cast<uint64_t>(checksums::ChecksumType::kFullObject)) {
      return std::nullopt;
    }
    record.algorithm = static_cast<checksums::Algorithm>(algorithm);
    record.checksum_type = static_cast<checksums::ChecksumType>(type);
  }
  if (!map.is_good()) return std::nullopt;
  return record;
}

std::string Encode(const PartRecord& record) {
  Value map = {{"v", kLayout}, {"n", record.number}, {"u", record.uploaded_ms}};
  map["5"] = BinaryOf(record.md5);
  Value list = Value::array();
  PutSegment(list, record.segment);
  map["s"] = std::move(list);
  if (record.checksum) map["c"] = ValueOf(*record.checksum);
  return BytesOf(map);
}

std::optional<PartRecord> DecodePart(std::string_view bytes) {
  const Value value = MapOf(bytes);
  Reader map(value);
  if (!IsOfLayout(map)) return std::nullopt;
  PartRecord record;
  const uint64_t number = map.Number("n");
  record.number = static_cast<int>(number);
  record.uploaded_ms = map.MaybeNumber("u").value_or(0);
  record.md5 = map.Bytes("5");
  const std::vector<Segment> segments = SegmentsOf(map, "s");
  if (const Value* checksum = map.Find("c")) record.checksum = ChecksumOf(map, *checksum);
  if (!map.is_good() || segments.size() != 1 || number < 1 || number > checksums::kPartsMax) {
    return std::nullopt;
  }
  record.segment = segments.front();
  return record;
}

// ---- keys

std::string BucketBegin(uint64_t bucket) {
  std::string bytes;
  AppendBigEndian(bytes, bucket, 8);
  return bytes;
}

std::string ObjectKey(uint64_t bucket, std::string_view key) {
  std::string bytes = BucketBegin(bucket);
  bytes += key;
  return bytes;
}

std::string KeyedPrefix(uint64_t bucket, std::string_view key) {
  std::string bytes = BucketBegin(bucket);
  AppendEscaped(bytes, key);
  return bytes;
}

std::string VersionKey(uint64_t bucket, std::string_view key, const Stamp& version) {
  std::string bytes = KeyedPrefix(bucket, key);
  AppendBigEndian(bytes, ~version.sequence, 8);
  AppendBigEndian(bytes, version.random, 8);
  return bytes;
}

std::string UploadKey(uint64_t bucket, std::string_view key, const Stamp& upload) {
  return KeyedPrefix(bucket, key) + upload.Bytes();
}

std::string PartKey(const Stamp& upload, int number) {
  std::string bytes = upload.Bytes();
  AppendBigEndian(bytes, static_cast<uint64_t>(number), 2);
  return bytes;
}

std::string EventsBegin(uint64_t queue) {
  std::string bytes;
  AppendBigEndian(bytes, queue, 8);
  return bytes;
}

std::string EventKey(uint64_t queue, const Stamp& event) {
  return EventsBegin(queue) + event.Bytes();
}

std::optional<uint64_t> QueueOfEventKey(std::string_view store_key) {
  if (store_key.size() != kQueueBytes + kStampBytes) return std::nullopt;
  return ReadBigEndian(store_key.substr(0, kQueueBytes));
}

std::optional<KeyedEntry> SplitKeyed(std::string_view store_key) {
  if (store_key.size() < kBucketBytes) return std::nullopt;
  store_key.remove_prefix(kBucketBytes);
  KeyedEntry entry;
  while (true) {
    const size_t zero = store_key.find('\0');
    if (zero == std::string_view::npos || zero + 1 >= store_key.size()) return std::nullopt;
    entry.key += store_key.substr(0, zero);
    const char behind = store_key[zero + 1];
    store_key.remove_prefix(zero + 2);
    if (behind == '\1') break;
    if (behind != '\xff') return std::nullopt;
    entry.key.push_back('\0');
  }
  if (store_key.size() != kStampBytes) return std::nullopt;
  entry.rest = store_key;
  return entry;
}

std::optional<Stamp> VersionOfRest(std::string_view rest) {
  std::optional<Stamp> stamp = Stamp::FromBytes(rest);
  if (stamp) stamp->sequence = ~stamp->sequence;
  return stamp;
}

}  // namespace levada::services::r2
