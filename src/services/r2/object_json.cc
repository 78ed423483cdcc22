#include "services/r2/object_json.h"

#include "base/binary_text.h"
#include "base/clock.h"
#include "base/json.h"
#include "formats/checksums/digest.h"
#include "formats/sigv4/timestamp.h"

namespace levada::services::r2 {
namespace {

using checksums::Algorithm;

/// The number by which a binding knows it: md5, sha1, sha256, sha384, sha512.
const char* BindingNumber(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kMd5:
      return "0";
    case Algorithm::kSha1:
      return "1";
    case Algorithm::kSha256:
      return "2";
    case Algorithm::kSha384:
      return "3";
    case Algorithm::kSha512:
      return "4";
    default:
      return nullptr;
  }
}

void Put(Json& into, const char* name, const std::optional<std::string>& value) {
  if (value) into[name] = *value;
}

/// Without the expiry, which the two doors write otherwise.
Json FieldsOf(const HttpFields& http) {
  Json fields = Json::object();
  Put(fields, "contentType", http.content_type);
  Put(fields, "contentLanguage", http.content_language);
  Put(fields, "contentDisposition", http.content_disposition);
  Put(fields, "contentEncoding", http.content_encoding);
  Put(fields, "cacheControl", http.cache_control);
  return fields;
}

Json ChecksumsOf(const ObjectRecord& record) {
  Json json = Json::object();
  if (!record.md5.empty() && record.customer_key_md5.empty()) json["0"] = HexOf(record.md5);
  for (const StoredChecksum& checksum : record.checksums) {
    const char* number = BindingNumber(checksum.algorithm);
    const std::optional<std::string> bytes = BytesOfBase64(checksum.text);
    // A composite one is none of the object's bytes.
    if (number != nullptr && bytes) json[number] = HexOf(*bytes);
  }
  return json;
}

}  // namespace

std::string_view StorageClassWord(const ObjectAttributes& attributes) {
  return attributes.infrequent_access ? "InfrequentAccess" : "Standard";
}

std::optional<int64_t> MillisOfHttpDate(std::string_view text) {
  const std::optional<int64_t> seconds = sigv4::ParseHttpDate(text);
  if (!seconds) return std::nullopt;
  return *seconds * 1000;
}

std::string RestJsonOf(const ListedObject& object) {
  const ObjectRecord& record = object.record;
  const HttpFields& http = record.attributes.http;
  Json fields = FieldsOf(http);
  if (http.cache_expiry_ms) fields["cacheExpiry"] = FormatTimestamp(*http.cache_expiry_ms * 1000);
  Json custom = Json::object();
  for (const auto& [name, value] : record.attributes.custom) custom[name] = value;
  return Dump(Json{{"key", object.key},
                   {"etag", record.etag},
                   {"last_modified", FormatTimestamp(record.uploaded_ms * 1000)},
                   {"size", record.bytes},
                   {"http_metadata", std::move(fields)},
                   {"custom_metadata", std::move(custom)},
                   {"storage_class", StorageClassWord(record.attributes)}});
}

std::string BindingJsonOf(std::string_view key, const ObjectRecord& record,
                          const BindingJsonOptions& options) {
  Json json{{"name", key},
            {"version", record.version.Text()},
            {"size", std::to_string(record.bytes)},
            {"etag", record.etag},
            {"uploaded", std::to_string(record.uploaded_ms)}};
  const HttpFields& from = record.attributes.http;
  if (options.http) {
    Json fields = FieldsOf(from);
    if (from.cache_expiry_ms) fields["cacheExpiry"] = std::to_string(*from.cache_expiry_ms);
    json["httpFields"] = std::move(fields);
  }
  if (options.custom) {
    Json fields = Json::array();
    for (const auto& [name, value] : record.attributes.custom) {
      fields.push_back(Json{{"k", name}, {"v", value}});
    }
    json["customFields"] = std::move(fields);
  }
  json["checksums"] = ChecksumsOf(record);
  json["storageClass"] = StorageClassWord(record.attributes);
  if (!record.customer_key_md5.empty()) {
    json["ssec"] = Json{{"algorithm", "AES256"}, {"keyMd5", HexOf(record.customer_key_md5)}};
  }
  if (options.range) {
    json["range"] = Json{{"offset", std::to_string(options.range->begin)},
                         {"length", std::to_string(options.range->bytes)}};
  }
  return Dump(json);
}

}  // namespace levada::services::r2
