#include "services/s3/s3_headers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "base/binary_text.h"
#include "base/http_token.h"
#include "formats/sigv4/canonical.h"
#include "formats/sigv4/timestamp.h"
#include "net/date_line.h"
#include "services/r2/lifecycle.h"
#include "services/r2/r2_error.h"

namespace levada::services::s3 {
namespace {

using r2::ObjectAttributes;
using r2::ObjectRecord;
using r2::R2Error;
using r2::R2ErrorCode;

constexpr std::string_view kMeta = "x-amz-meta-";
constexpr std::string_view kStandard = "STANDARD";
constexpr std::string_view kInfrequent = "STANDARD_IA";
// Tokens of SDKs that mean the object's own encoding has to be kept apart from.
constexpr std::string_view kAwsChunked = "aws-chunked";

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<std::string> TextOf(std::optional<std::string_view> header) {
  if (!header) return std::nullopt;
  return std::string(*header);
}

/// Without "aws-chunked", which is of the transfer and not of the object.
std::optional<std::string> ContentEncodingOf(std::optional<std::string_view> header) {
  if (!header) return std::nullopt;
  std::string kept;
  bool has_chunked = false;
  std::string_view rest = *header;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view coding = Trimmed(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const bool is_chunked = EqualsIgnoringCase(coding, kAwsChunked);
    has_chunked = has_chunked || is_chunked;
    if (coding.empty() || is_chunked) continue;
    if (!kept.empty()) kept += ", ";
    kept += coding;
  }
  if (kept.empty()) return std::nullopt;
  return has_chunked ? kept : std::string(*header);
}

std::optional<int64_t> MillisOf(std::optional<std::string_view> header) {
  if (!header) return std::nullopt;
  const std::optional<int64_t> seconds = sigv4::ParseHttpDate(*header);
  if (!seconds) return std::nullopt;
  return *seconds * 1000;
}

/// What can stand in a header: metadata may have come by another door.
bool IsHeaderText(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (static_cast<uint8_t>(c) >= ' ' && c != '\x7f') || c == '\t'; });
}

std::string Name(std::string_view prefix, std::string_view name) {
  return std::string(prefix) + std::string(name);
}

}  // namespace

Status RefuseUnsupported(const S3Call& call) {
  for (const net::HeaderField& field : call.request.headers.fields()) {
    if (!StartsIgnoringCase(field.name, "x-amz-")) continue;
    const std::string name = LowerAscii(field.name);
    const bool is_grant =
        name.starts_with("x-amz-grant-") || (name == "x-amz-acl" && field.value != "private" &&
                                             field.value != "bucket-owner-full-control");
    const bool is_unsupported =
        name.starts_with("x-amz-object-lock-") || name == "x-amz-tagging" ||
        name.starts_with("x-amz-if-match-") ||
        (name == "x-amz-object-ownership" && field.value != "BucketOwnerEnforced") ||
        (name == "x-amz-bucket-object-lock-enabled" && !EqualsIgnoringCase(field.value, "false")) ||
        name == "x-amz-request-payer" || name == "x-amz-expected-bucket-owner" ||
        name == "x-amz-source-expected-bucket-owner" || name == "x-amz-website-redirect-location" ||
        name == "x-amz-server-side-encryption" ||
        name.starts_with("x-amz-server-side-encryption-aws-kms-") ||
        name == "x-amz-server-side-encryption-context" || name == "x-amz-write-offset-bytes";
    if (is_grant || is_unsupported) {
      return NotImplemented("Header '" + name + "' with value '" + field.value.substr(0, 200) +
                            "' not implemented");
    }
  }
  return Status::OK();
}

Result<ObjectAttributes> AttributesOf(const S3Call& call) {
  ObjectAttributes attributes;
  r2::HttpFields& http = attributes.http;
  http.content_type = TextOf(call.Header("Content-Type"));
  if (http.content_type == "") http.content_type.reset();  // as if none was sent
  http.content_language = TextOf(call.Header("Content-Language"));
  http.content_disposition = TextOf(call.Header("Content-Disposition"));
  http.content_encoding = ContentEncodingOf(call.Header("Content-Encoding"));
  http.cache_control = TextOf(call.Header("Cache-Control"));
  if (const auto expires = call.Header("Expires")) {
    http.cache_expiry_ms = MillisOf(expires);
    if (!http.cache_expiry_ms) {
      return sigv4::InvalidArgument("Expires is not a date of HTTP", "Expires",
                                    std::string(*expires));
    }
  }
  for (const net::HeaderField& field : call.request.headers.fields()) {
    if (!StartsIgnoringCase(field.name, kMeta)) continue;
    attributes.custom.emplace_back(LowerAscii(std::string_view(field.name).substr(kMeta.size())),
                                   field.value);
  }
  if (const auto storage = call.Header("x-amz-storage-class")) {
    if (*storage != kStandard && *storage != kInfrequent) {
      return sigv4::S3Error{
          400, "InvalidStorageClass", "The storage class you specified is not valid", {}};
    }
    attributes.infrequent_access = *storage == kInfrequent;
  }
  return attributes;
}

r2::Conditions ConditionsOf(const S3Call& call, std::string_view prefix) {
  r2::Conditions conditions;
  if (const auto match = call.Header(Name(prefix, "if-match"))) {
    conditions.match = r2::ParseEtagList(*match);
  }
  if (const auto none = call.Header(Name(prefix, "if-none-match"))) {
    conditions.none_match = r2::ParseEtagList(*none);
  }
  // A date that is none is not looked at: RFC 9110 section 13.1.3.
  conditions.modified_since_ms = MillisOf(call.Header(Name(prefix, "if-modified-since")));
  conditions.unmodified_since_ms = MillisOf(call.Header(Name(prefix, "if-unmodified-since")));
  return conditions;
}

Result<std::optional<r2::CustomerKey>> CustomerKeyOf(const S3Call& call, std::string_view prefix) {
  const std::string base =
      Name(prefix.empty() ? "x-amz-" : prefix, "server-side-encryption-customer-");
  const auto algorithm = call.Header(base + "algorithm");
  const auto given = call.Header(base + "key");
  const auto md5 = call.Header(base + "key-md5");
  if (!algorithm && !given && !md5) return std::optional<r2::CustomerKey>();
  if (!algorithm || !given || !md5) {
    return sigv4::InvalidArgument(
        "Requests specifying Server Side Encryption with Customer provided keys must provide an "
        "encryption algorithm, the client's secret key and its MD5.",
        base + "algorithm");
  }
  if (*algorithm != "AES256") {
    return sigv4::S3Error{400,
                          "InvalidEncryptionAlgorithmError",
                          "The encryption request that you specified is not valid. The valid value "
                          "is AES256.",
                          {}};
  }
  const std::optional<std::string> bytes = BytesOfBase64(*given);
  std::optional<r2::CustomerKey> key = bytes ? r2::CustomerKey::Of(*bytes) : std::nullopt;
  if (!key) {
    return sigv4::InvalidArgument("The secret key was invalid for the specified algorithm.",
                                  base + "key");
  }
  if (Base64Of(key->md5()) != *md5) {
    return sigv4::InvalidArgument(
        "The calculated MD5 hash of the key did not match the hash that was provided.",
        base + "key-md5");
  }
  return key;
}

Status CheckCustomerKey(const ObjectRecord& record, const std::optional<r2::CustomerKey>& key) {
  if (record.customer_key_md5.empty()) {
    if (!key) return Status::OK();
    return sigv4::InvalidRequest("The encryption parameters are not applicable to this object.");
  }
  if (!key) return R2Error(R2ErrorCode::kBadCustomerKey);
  if (key->md5() != record.customer_key_md5) {
    return sigv4::AccessDenied(
        "Access Denied: the key is not the one that this object was stored with.");
  }
  return Status::OK();
}

bool ShowsVersions(const S3Call& call) {
  return call.bucket != nullptr && call.bucket->settings.versioning != r2::Versioning::kOff;
}

std::string VersionIdOf(const ObjectRecord& record) {
  return record.is_null_version ? "null" : record.version.Text();
}

std::string Quoted(std::string_view etag) { return "\"" + std::string(etag) + "\""; }

std::string_view StorageClassOf(const ObjectAttributes& attributes) {
  return attributes.infrequent_access ? kInfrequent : kStandard;
}

std::string_view NameOf(checksums::ChecksumType type) {
  return type == checksums::ChecksumType::kComposite ? "COMPOSITE" : "FULL_OBJECT";
}

void AddVersion(const S3Call& call, const ObjectRecord& record, net::Response& response) {
  if (!ShowsVersions(call)) return;
  response.headers.Add("x-amz-version-id", VersionIdOf(record));
}

void AddExpiration(const S3Call& call, const ObjectRecord& record, net::Response& response) {
  // The names of rules are not public.
  if (call.is_anonymous() || call.bucket->settings.lifecycle.empty()) return;
  const auto expiry = r2::ExpiryOf(call.bucket->settings.lifecycle, call.key, record);
  if (!expiry) return;
  response.headers.Add("x-amz-expiration", "expiry-date=\"" + net::HttpDate(expiry->at_ms / 1000) +
                                               "\", rule-id=\"" +
                                               sigv4::UriEncode(expiry->rule_id, true) + "\"");
}

void AddCustomerKey(const std::optional<r2::CustomerKey>& key, net::Response& response) {
  if (!key) return;
  response.headers.Add("x-amz-server-side-encryption-customer-algorithm", "AES256");
  response.headers.Add("x-amz-server-side-encryption-customer-key-MD5", Base64Of(key->md5()));
}

void AddChecksums(const ObjectRecord& record, net::Response& response) {
  for (const r2::StoredChecksum& checksum : record.checksums) {
    response.headers.Add(std::string(checksums::HeaderOf(checksum.algorithm)), checksum.text);
    response.headers.Add("x-amz-checksum-type", std::string(NameOf(checksum.type)));
  }
}

void AddObjectHeaders(const S3Call& call, const ObjectRecord& record, bool is_partial,
                      net::Response& response) {
  const auto add = [&call, &response](std::string_view name,
                                      const std::optional<std::string>& value) {
    // Only of a request that somebody signed.
    const std::string* other =
        call.is_anonymous() ? nullptr : call.Query("response-" + LowerAscii(name));
    if (other != nullptr && IsHeaderText(*other)) {
      response.headers.Add(std::string(name), *other);
    } else if (value && IsHeaderText(*value)) {
      response.headers.Add(std::string(name), *value);
    }
  };
  const r2::HttpFields& http = record.attributes.http;
  add("Content-Type",
      http.content_type ? http.content_type : std::optional<std::string>("binary/octet-stream"));
  add("Content-Language", http.content_language);
  add("Content-Disposition", http.content_disposition);
  add("Content-Encoding", http.content_encoding);
  add("Cache-Control", http.cache_control);
  add("Expires", http.cache_expiry_ms ? std::optional(net::HttpDate(*http.cache_expiry_ms / 1000))
                                      : std::nullopt);
  response.headers.Add("ETag", Quoted(record.etag));
  response.headers.Add("Last-Modified", net::HttpDate(record.uploaded_ms / 1000));
  response.headers.Add("Accept-Ranges", "bytes");
  int missing = 0;
  for (const auto& [name, value] : record.attributes.custom) {
    if (IsHttpToken(name) && IsHeaderText(value)) {
      response.headers.Add(Name(kMeta, name), value);
    } else {
      ++missing;
    }
  }
  if (missing > 0) response.headers.Add("x-amz-missing-meta", std::to_string(missing));
  if (record.attributes.infrequent_access) {
    response.headers.Add("x-amz-storage-class", std::string(kInfrequent));
  }
  AddVersion(call, record, response);
  const auto mode = call.Header("x-amz-checksum-mode");
  if (mode && EqualsIgnoringCase(*mode, "ENABLED") && !is_partial) AddChecksums(record, response);
}

}  // namespace levada::services::s3
