// Operations on one object, and the deletion of many.

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/url.h"
#include "formats/s3xml/object_requests.h"
#include "formats/s3xml/results.h"
#include "formats/sigv4/timestamp.h"
#include "services/r2/r2_error.h"
#include "services/s3/s3_call.h"
#include "services/s3/s3_copy.h"
#include "services/s3/s3_headers.h"
#include "services/s3/s3_source.h"

namespace levada::services::s3 {
namespace {

using net::Response;
using net::Task;
using r2::ObjectRecord;
using r2::OpenedObject;
using r2::R2Error;
using r2::R2ErrorCode;
using r2::RangeChoice;
using r2::RangeOf;
using r2::Verdict;
using r2::VersionChoice;

constexpr uint64_t kDeleteBytesMax = 2 * 1024 * 1024;

/// versionId of the query, or the current version.
Result<VersionChoice> VersionOf(const S3Call& call) {
  const std::string* id = call.Query("versionId");
  if (id == nullptr) return VersionChoice{};
  const std::optional<VersionChoice> choice = VersionChoice::Parse(*id);
  if (!choice) return sigv4::InvalidArgument("Invalid version id specified", "versionId", *id);
  return *choice;
}

/// 304, with what a cache needs.
Response NotModified(const S3Call& call, const ObjectRecord& record) {
  Response response;
  response.status = 304;
  response.headers.Add("ETag", Quoted(record.etag));
  AddVersion(call, record, response);
  return response;
}

/// A part of a multipart object as a range of it.
Result<RangeChoice> PartRange(const S3Call& call, const ObjectRecord& record) {
  ARROW_ASSIGN_OR_RAISE(const uint64_t number, QueryNumber(call, "partNumber", 0, 10'000));
  const uint64_t count = record.is_multipart ? record.segments.size() : 1;
  if (number < 1 || number > count) {
    return sigv4::S3Error{
        416, "InvalidPartNumber", "The requested partnumber is not satisfiable", {}};
  }
  if (!record.is_multipart) return RangeChoice{true, {0, record.bytes}};
  r2::ByteRange range;
  for (uint64_t i = 0; i + 1 < number; ++i) range.begin += record.segments[i].bytes;
  range.bytes = record.segments[number - 1].bytes;
  return RangeChoice{true, range};
}

/// Whether a Range holds for this object: RFC 9110 section 13.1.5.
bool IfRangeHolds(const S3Call& call, const ObjectRecord& record) {
  const auto header = call.Header("If-Range");
  if (!header) return true;
  if (const std::optional<int64_t> since = sigv4::ParseHttpDate(*header)) {
    return record.uploaded_ms / 1000 == *since;
  }
  return *header == Quoted(record.etag) || *header == record.etag;
}

Result<RangeChoice> ChooseRange(const S3Call& call, const ObjectRecord& record) {
  if (call.Query("partNumber") != nullptr) return PartRange(call, record);
  const auto header = call.Header("Range");
  if (!header || !IfRangeHolds(call, record)) return RangeChoice{false, {0, record.bytes}};
  return RangeOf(*header, record.bytes);
}

/// Why there is nothing to give: of a key that was deleted, its delete marker.
Task<Result<Response>> NotFound(S3Call& call, VersionChoice version, Status status) {
  const R2ErrorCode code = r2::R2ErrorCodeOf(status);
  const bool may_be_marker = ShowsVersions(call) && version == VersionChoice();
  std::optional<ObjectRecord> marker;
  if (code == R2ErrorCode::kNoSuchKey && may_be_marker) {
    const auto found = co_await call.services.store.FindMarker(call.bucket->bucket(), call.key);
    if (!found.ok()) co_return found.status();
    marker = *found;
  }
  if (!marker && code != R2ErrorCode::kIsDeleteMarker) co_return status;
  Response response = ErrorResponse(status, call);
  response.headers.Add("x-amz-delete-marker", "true");
  if (marker) AddVersion(call, *marker, response);
  co_return response;
}

/// GET and HEAD: what is found, and of it what is asked for.
Task<Result<Response>> GetObject(S3Call& call) {
  const Result<VersionChoice> version = VersionOf(call);
  if (!version.ok()) co_return version.status();
  const Result<std::optional<r2::CustomerKey>> key = CustomerKeyOf(call);
  if (!key.ok()) co_return key.status();
  Result<OpenedObject> opened =
      co_await call.services.store.OpenObject(call.bucket->bucket(), call.key, *version);
  if (!opened.ok()) co_return co_await NotFound(call, *version, opened.status());
  const ObjectRecord& record = opened->record;
  const Verdict verdict = Evaluate(ConditionsOf(call), &record);
  if (verdict == Verdict::kNotModified) co_return NotModified(call, record);
  if (verdict == Verdict::kFails) co_return R2Error(R2ErrorCode::kPrecondition);
  const Status key_fits = CheckCustomerKey(record, *key);
  if (!key_fits.ok()) co_return key_fits;
  const Result<RangeChoice> chosen = ChooseRange(call, record);
  if (!chosen.ok()) {
    if (r2::R2ErrorCodeOf(chosen.status()) != R2ErrorCode::kBadRange) co_return chosen.status();
    Response refused = ErrorResponse(chosen.status(), call);
    refused.headers.Add("Content-Range", "bytes */" + std::to_string(record.bytes));
    co_return refused;
  }
  Response response;
  AddObjectHeaders(call, record, chosen->is_partial && chosen->range.bytes != record.bytes,
                   response);
  if (*version == VersionChoice()) AddExpiration(call, record, response);
  AddCustomerKey(*key, response);
  if (call.Query("partNumber") != nullptr && record.is_multipart) {
    response.headers.Add("x-amz-mp-parts-count", std::to_string(record.segments.size()));
  }
  const r2::ByteRange range = chosen->range;
  if (chosen->is_partial) {
    response.status = 206;
    const uint64_t last = range.begin + (range.bytes == 0 ? 0 : range.bytes - 1);
    response.headers.Add("Content-Range", "bytes " + std::to_string(range.begin) + "-" +
                                              std::to_string(last) + "/" +
                                              std::to_string(record.bytes));
  }
  response.size = range.bytes;
  auto reader = call.services.store.Read(*std::move(opened), range, *key);
  // Nobody reads the body of HEAD: it opens no file.
  if (call.request.method != "HEAD") {
    const Status begins = co_await reader->AwaitPiece();
    if (!begins.ok()) co_return begins;
  }
  response.stream = std::move(reader);
  co_return response;
}

Task<Result<Response>> PutObject(S3Call& call) {
  r2::PutOptions options;
  Result<r2::ObjectAttributes> attributes = AttributesOf(call);
  if (!attributes.ok()) co_return attributes.status();
  options.attributes = *std::move(attributes);
  options.conditions = ConditionsOf(call);
  Result<std::optional<r2::CustomerKey>> key = CustomerKeyOf(call);
  if (!key.ok()) co_return key.status();
  options.key = *std::move(key);
  const std::optional<r2::CustomerKey> sent = options.key;
  Result<std::unique_ptr<S3Source>> source = S3Source::MakeOfObject(call);
  if (!source.ok()) co_return source.status();
  const Result<ObjectRecord> record = co_await call.services.store.Put(
      call.bucket->bucket(), call.key, std::move(options), **source);
  if (!record.ok()) co_return record.status();
  Response response;
  response.headers.Add("ETag", Quoted(record->etag));
  AddVersion(call, *record, response);
  AddExpiration(call, *record, response);
  AddChecksums(*record, response);
  AddCustomerKey(sent, response);
  co_return response;
}

/// What the request names wins.
r2::ObjectAttributes Merged(r2::ObjectAttributes from, const r2::ObjectAttributes& given) {
  const auto take = [](auto& into, const auto& value) {
    if (value) into = value;
  };
  take(from.http.content_type, given.http.content_type);
  take(from.http.content_language, given.http.content_language);
  take(from.http.content_disposition, given.http.content_disposition);
  take(from.http.content_encoding, given.http.content_encoding);
  take(from.http.cache_control, given.http.cache_control);
  take(from.http.cache_expiry_ms, given.http.cache_expiry_ms);
  for (const auto& [name, value] : given.custom) {
    const auto at = std::ranges::find(
        from.custom, name, [](const auto& each) -> const std::string& { return each.first; });
    if (at == from.custom.end()) {
      from.custom.emplace_back(name, value);
    } else {
      at->second = value;
    }
  }
  return from;
}

Task<Result<Response>> CopyObject(S3Call& call) {
  const auto directive = call.Header("x-amz-metadata-directive");
  const bool replaces = directive && EqualsIgnoringCase(*directive, "REPLACE");
  const bool merges = directive && EqualsIgnoringCase(*directive, "MERGE");  // R2's addition
  if (directive && !replaces && !merges && !EqualsIgnoringCase(*directive, "COPY")) {
    co_return sigv4::InvalidArgument("Unknown metadata directive.", "x-amz-metadata-directive",
                                     std::string(*directive));
  }
  if (const auto tagging = call.Header("x-amz-tagging-directive"); tagging && *tagging != "COPY") {
    co_return NotImplemented("Tags are not implemented");
  }
  Result<r2::ObjectAttributes> attributes = AttributesOf(call);
  if (!attributes.ok()) co_return attributes.status();
  Result<CopySource> source = co_await OpenCopySource(call);
  if (!source.ok()) co_return source.status();
  const ObjectRecord from = source->object.record;
  const bool is_onto_itself =
      source->bucket_name == call.bucket_name && source->key == call.key && !source->has_version;
  Result<std::optional<r2::CustomerKey>> key = CustomerKeyOf(call);
  if (!key.ok()) co_return key.status();
  const bool changes_storage = call.Header("x-amz-storage-class").has_value();
  if (is_onto_itself && !replaces && !merges && !changes_storage && !*key) {
    co_return sigv4::InvalidRequest(
        "This copy request is illegal because it is trying to copy an object to itself without "
        "changing the object's metadata, storage class, website redirect location or encryption "
        "attributes.");
  }
  r2::PutOptions options;
  options.attributes = replaces ? *attributes
                       : merges ? Merged(from.attributes, *attributes)
                                : from.attributes;
  if (changes_storage) options.attributes.infrequent_access = attributes->infrequent_access;
  // Of the destination. S3 has the plain headers, R2 had these before.
  options.conditions = ConditionsOf(call, "cf-copy-destination-");
  if (options.conditions.empty()) options.conditions = ConditionsOf(call);
  options.key = *key;
  const Result<std::optional<checksums::Algorithm>> algorithm = CopyAlgorithmOf(call, from);
  if (!algorithm.ok()) co_return algorithm.status();
  options.copied_from = r2::CopiedFrom{source->bucket_name, source->key};
  const r2::ByteRange all{0, from.bytes};
  const auto bytes = MakeCopyBody(call, *std::move(source), all, *algorithm);
  const Result<ObjectRecord> record =
      co_await call.services.store.Put(call.bucket->bucket(), call.key, std::move(options), *bytes);
  if (!record.ok()) co_return record.status();
  s3xml::CopyResult result;
  result.last_modified = record->uploaded_ms * 1000;
  result.etag = record->etag;
  for (const r2::StoredChecksum& checksum : record->checksums) {
    result.checksums.push_back(ElementOf(checksum));
    result.checksum_type = "FULL_OBJECT";
  }
  Response response = XmlResponse(s3xml::WriteCopyObject(result));
  AddVersion(call, *record, response);
  AddExpiration(call, *record, response);
  AddCustomerKey(*key, response);
  if (ShowsVersions(call)) {
    response.headers.Add("x-amz-copy-source-version-id", VersionIdOf(from));
  }
  co_return response;
}

Task<Result<Response>> DeleteObject(S3Call& call) {
  const Result<VersionChoice> version = VersionOf(call);
  if (!version.ok()) co_return version.status();
  r2::DeleteTarget target{call.key, *version, ConditionsOf(call)};
  const Result<r2::Deleted> deleted =
      co_await call.services.store.Delete(call.bucket->bucket(), std::move(target));
  if (!deleted.ok()) co_return deleted.status();
  Response response;
  response.status = 204;
  if (deleted->version) AddVersion(call, *deleted->version, response);
  if (deleted->is_delete_marker) response.headers.Add("x-amz-delete-marker", "true");
  co_return response;
}

/// One object of the document as the store takes it; or why not, in words for its answer.
Result<r2::DeleteTarget> TargetOf(const s3xml::DeleteObject& object) {
  r2::DeleteTarget target;
  target.key = object.key;
  if (object.version_id) {
    const std::optional<VersionChoice> choice = VersionChoice::Parse(*object.version_id);
    if (!choice) {
      return sigv4::S3Error{404, "NoSuchVersion", "The specified version does not exist.", {}};
    }
    target.version = *choice;
  }
  if (object.etag) target.conditions.match = r2::ParseEtagList(*object.etag);
  return target;
}

s3xml::DeleteError ErrorFor(const s3xml::DeleteObject& object, const Status& status) {
  s3xml::DeleteError error;
  error.key = object.key;
  error.version_id = object.version_id.value_or("");
  if (r2::IsR2Error(status)) {
    error.code = r2::WordsOf(r2::R2ErrorCodeOf(status)).s3_code;
    error.message = r2::R2MessageOf(status);
  } else {
    const sigv4::S3Error words = sigv4::S3ErrorOf(status);
    error.code = words.code;
    error.message = words.message;
  }
  return error;
}

Task<Result<Response>> DeleteObjects(S3Call& call) {
  const Result<std::string> body = co_await ReadDocument(call, kDeleteBytesMax);
  if (!body.ok()) co_return body.status();
  const Result<s3xml::Delete> request =
      s3xml::ParseDelete(*body, call.services.store.limits().delete_max);
  if (!request.ok()) co_return RefusedDocument(request.status());
  for (const s3xml::DeleteObject& object : request->objects) {
    // Else more would be deleted than was meant.
    if (object.last_modified_time || object.size) {
      co_return NotImplemented("Deletes by LastModifiedTime or Size are not implemented");
    }
  }
  s3xml::DeleteResult result;
  std::vector<r2::DeleteTarget> targets;
  std::vector<const s3xml::DeleteObject*> objects;
  for (const s3xml::DeleteObject& object : request->objects) {
    Result<r2::DeleteTarget> target = TargetOf(object);
    if (!target.ok()) {
      result.errors.push_back(ErrorFor(object, target.status()));
      continue;
    }
    targets.push_back(*std::move(target));
    objects.push_back(&object);
  }
  const Result<std::vector<r2::Deleted>> deleted =
      co_await call.services.store.DeleteMany(call.bucket->bucket(), std::move(targets));
  if (!deleted.ok()) co_return deleted.status();
  for (size_t i = 0; i < deleted->size(); ++i) {
    const r2::Deleted& each = (*deleted)[i];
    if (!each.refused.ok()) {
      result.errors.push_back(ErrorFor(*objects[i], each.refused));
      continue;
    }
    if (request->quiet) continue;
    s3xml::DeletedObject entry;
    entry.key = objects[i]->key;
    entry.version_id = objects[i]->version_id.value_or("");
    entry.delete_marker = each.is_delete_marker;
    if (each.is_delete_marker && each.version) {
      entry.delete_marker_version_id = VersionIdOf(*each.version);
    }
    result.deleted.push_back(std::move(entry));
  }
  co_return XmlResponse(s3xml::WriteDelete(result));
}

}  // namespace

std::vector<S3Operation> ObjectOperations() {
  using enum S3Level;
  return {
      {"GetObject", "GET", kObject, "", "", S3Need::PublicRead(), "the bytes of an object",
       GetObject},
      {"HeadObject", "HEAD", kObject, "", "", S3Need::PublicRead(), "what is known of an object",
       GetObject},
      {"CopyObject", "PUT", kObject, "", "x-amz-copy-source", S3Need::Write(),
       "an object from another", CopyObject},
      {"PutObject", "PUT", kObject, "", "", S3Need::Write(), "stores an object", PutObject},
      {"DeleteObject", "DELETE", kObject, "", "", S3Need::Write(),
       "removes an object, or one of its versions", DeleteObject},
      {"DeleteObjects", "POST", kBucket, "delete", "", S3Need::Write(),
       "removes up to 1000 objects", DeleteObjects},
  };
}

}  // namespace levada::services::s3
