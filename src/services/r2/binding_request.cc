#include "services/r2/binding_request.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/binary_text.h"
#include "base/json.h"
#include "services/r2/byte_range.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {
namespace {

using checksums::Algorithm;
using checksums::Digest;

Status Bad(std::string_view name) {
  return R2Error(R2ErrorCode::kBadArgument, std::string(name) + ": not as a binding sends it");
}

const Json* Find(const Json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto at = json.find(name);
  return at == json.end() || at->is_null() ? nullptr : &*at;
}

Result<std::optional<uint64_t>> NumberOf(const Json& json, const char* name) {
  const Json* value = Find(json, name);
  if (value == nullptr) return std::optional<uint64_t>();
  if (value->is_number_unsigned()) return std::optional(value->get<uint64_t>());
  if (value->is_number_float() && value->get<double>() >= 0 && value->get<double>() < 9e15) {
    return std::optional(static_cast<uint64_t>(value->get<double>()));
  }
  if (!value->is_string()) return Bad(name);
  const std::string& text = value->get_ref<const std::string&>();
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return Bad(name);
  return std::optional(number);
}

Result<std::optional<int64_t>> MillisOf(const Json& json, const char* name) {
  ARROW_ASSIGN_OR_RAISE(const auto number, NumberOf(json, name));
  if (!number) return std::optional<int64_t>();
  if (*number > INT64_MAX) return Bad(name);
  return std::optional(static_cast<int64_t>(*number));
}

std::optional<std::string> TextOf(const Json& json, const char* name) {
  const Json* value = Find(json, name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->get<std::string>();
}

/// [{"value","type":"strong"|"weak"|"wildcard"}]
Result<std::optional<EtagList>> EtagsOf(const Json& json, const char* name) {
  const Json* list = Find(json, name);
  if (list == nullptr) return std::optional<EtagList>();
  if (!list->is_array()) return Bad(name);
  EtagList etags;
  for (const Json& each : *list) {
    const std::string type = TextOf(each, "type").value_or("strong");
    if (type == "wildcard") {
      etags.is_any = true;
    } else {
      etags.etags.push_back({TextOf(each, "value").value_or(""), type == "weak"});
    }
  }
  return std::optional<EtagList>(std::move(etags));
}

}  // namespace

struct BindingRequest::Document {
  Json json;
};

BindingRequest::BindingRequest(std::shared_ptr<const Document> document)
    : document_(std::move(document)) {}

Result<BindingRequest> BindingRequest::Parse(std::string_view text) {
  auto document = std::make_shared<Document>(Document{ParseJson(text)});
  if (!document->json.is_object() || !TextOf(document->json, "method")) return Bad("method");
  return BindingRequest(std::move(document));
}

std::string BindingRequest::method() const { return Text("method"); }

std::string BindingRequest::Text(const char* name) const {
  return TextOf(document_->json, name).value_or("");
}

bool BindingRequest::Has(const char* name) const { return Find(document_->json, name) != nullptr; }

Result<std::optional<uint64_t>> BindingRequest::Number(const char* name) const {
  return NumberOf(document_->json, name);
}

Result<std::vector<std::string>> BindingRequest::Objects() const {
  std::vector<std::string> names;
  if (const auto one = TextOf(document_->json, "object")) names.push_back(*one);
  const Json* list = Find(document_->json, "objects");
  if (list == nullptr) return names;
  if (!list->is_array()) return Bad("objects");
  for (const Json& each : *list) {
    if (!each.is_string()) return Bad("objects");
    names.push_back(each.get<std::string>());
  }
  return names;
}

Result<ObjectAttributes> BindingRequest::Attributes() const {
  ObjectAttributes attributes;
  if (const Json* http = Find(document_->json, "httpFields")) {
    HttpFields& fields = attributes.http;
    fields.content_type = TextOf(*http, "contentType");
    fields.content_language = TextOf(*http, "contentLanguage");
    fields.content_disposition = TextOf(*http, "contentDisposition");
    fields.content_encoding = TextOf(*http, "contentEncoding");
    fields.cache_control = TextOf(*http, "cacheControl");
    ARROW_ASSIGN_OR_RAISE(fields.cache_expiry_ms, MillisOf(*http, "cacheExpiry"));
  }
  if (const Json* custom = Find(document_->json, "customFields")) {
    if (!custom->is_array()) return Bad("customFields");
    for (const Json& each : *custom) {
      attributes.custom.emplace_back(TextOf(each, "k").value_or(""),
                                     TextOf(each, "v").value_or(""));
    }
  }
  const std::string storage = Text("storageClass");
  if (!storage.empty() && storage != "Standard" && storage != "InfrequentAccess") {
    return Bad("storageClass");
  }
  attributes.infrequent_access = storage == "InfrequentAccess";
  return attributes;
}

Result<Conditions> BindingRequest::OnlyIf() const {
  Conditions conditions;
  const Json* json = Find(document_->json, "onlyIf");
  if (json == nullptr) return conditions;
  ARROW_ASSIGN_OR_RAISE(conditions.match, EtagsOf(*json, "etagMatches"));
  ARROW_ASSIGN_OR_RAISE(conditions.none_match, EtagsOf(*json, "etagDoesNotMatch"));
  ARROW_ASSIGN_OR_RAISE(conditions.unmodified_since_ms, MillisOf(*json, "uploadedBefore"));
  ARROW_ASSIGN_OR_RAISE(conditions.modified_since_ms, MillisOf(*json, "uploadedAfter"));
  const Json* by_seconds = Find(*json, "secondsGranularity");
  conditions.by_seconds = by_seconds != nullptr && *by_seconds == true;
  conditions.missing_fails_modified_since = true;
  return conditions;
}

Result<std::optional<CustomerKey>> BindingRequest::Key() const {
  const Json* json = Find(document_->json, "ssec");
  if (json == nullptr) return std::optional<CustomerKey>();
  const std::optional<std::string> bytes = BytesOfHex(TextOf(*json, "key").value_or(""));
  std::optional<CustomerKey> key = bytes ? CustomerKey::Of(*bytes) : std::nullopt;
  if (!key) return Bad("ssec");
  return key;
}

Result<std::vector<ExpectedDigest>> BindingRequest::Digests() const {
  constexpr std::pair<const char*, Algorithm> kNames[] = {{"md5", Algorithm::kMd5},
                                                          {"sha1", Algorithm::kSha1},
                                                          {"sha256", Algorithm::kSha256},
                                                          {"sha384", Algorithm::kSha384},
                                                          {"sha512", Algorithm::kSha512}};
  std::vector<ExpectedDigest> digests;
  for (const auto& [name, algorithm] : kNames) {
    const std::optional<std::string> text = TextOf(document_->json, name);
    if (!text) continue;
    const size_t size = checksums::DigestBytes(algorithm);
    // MD5 alone comes in base64.
    const std::optional<Digest> digest = algorithm == Algorithm::kMd5
                                             ? Digest::FromBase64(*text, size)
                                             : Digest::FromHex(*text, size);
    if (!digest) return Bad(name);
    digests.push_back({algorithm, *digest});
  }
  return digests;
}

Result<std::optional<ByteRange>> BindingRequest::Range(uint64_t bytes) const {
  if (const auto header = TextOf(document_->json, "rangeHeader")) {
    ARROW_ASSIGN_OR_RAISE(const RangeChoice choice, RangeOf(*header, bytes));
    if (!choice.is_partial) return std::optional<ByteRange>();
    return std::optional(choice.range);
  }
  const Json* json = Find(document_->json, "range");
  if (json == nullptr) return std::optional<ByteRange>();
  ARROW_ASSIGN_OR_RAISE(const auto offset, NumberOf(*json, "offset"));
  ARROW_ASSIGN_OR_RAISE(const auto length, NumberOf(*json, "length"));
  ARROW_ASSIGN_OR_RAISE(const auto suffix, NumberOf(*json, "suffix"));
  ByteRange range;
  if (suffix) {
    if (*suffix == 0) return R2Error(R2ErrorCode::kBadRange);
    range.bytes = std::min(*suffix, bytes);
    range.begin = bytes - range.bytes;
    return std::optional(range);
  }
  range.begin = offset.value_or(0);
  if (range.begin > bytes || (range.begin == bytes && bytes > 0) || length == 0U) {
    return R2Error(R2ErrorCode::kBadRange);
  }
  range.bytes = std::min(length.value_or(UINT64_MAX), bytes - range.begin);
  return std::optional(range);
}

Result<std::vector<CompletedPart>> BindingRequest::Parts() const {
  const Json* list = Find(document_->json, "parts");
  if (list == nullptr || !list->is_array()) return Bad("parts");
  std::vector<CompletedPart> parts;
  for (const Json& each : *list) {
    ARROW_ASSIGN_OR_RAISE(const auto number, NumberOf(each, "part"));
    if (!number || *number < 1 || *number > checksums::kPartsMax) return Bad("parts");
    parts.push_back({static_cast<int>(*number), TextOf(each, "etag").value_or(""), {}});
  }
  // A Worker may give them in any order.
  std::ranges::sort(parts, {}, &CompletedPart::number);
  return parts;
}

bool BindingRequest::Includes(int what) const {
  const Json* list = Find(document_->json, "include");
  if (list == nullptr || !list->is_array()) return false;
  return std::ranges::any_of(*list, [what](const Json& each) { return each == what; });
}

}  // namespace levada::services::r2
