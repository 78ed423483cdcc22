// Operations that list: objects in both versions, object versions, unfinished uploads.

#include <algorithm>
#include <utility>

#include "base/binary_text.h"
#include "formats/s3xml/listings.h"
#include "services/r2/r2_error.h"
#include "services/s3/s3_call.h"
#include "services/s3/s3_headers.h"

namespace levada::services::s3 {
namespace {

using net::Response;
using net::Task;
using r2::ListPage;
using r2::ListRequest;
using r2::Stamp;

/// What all listings read of the query.
struct Asked {
  ListRequest request;
  s3xml::ListingPage page;
};

Result<Asked> AskedOf(const S3Call& call, std::string_view count_name) {
  Asked asked;
  ARROW_ASSIGN_OR_RAISE(asked.page.url_encode, WantsUrlEncoding(call));
  const size_t most = call.services.store.limits().list_max;
  ARROW_ASSIGN_OR_RAISE(const uint64_t count, QueryNumber(call, count_name, most, INT32_MAX));
  asked.request.limit = static_cast<size_t>(std::min<uint64_t>(count, most));
  asked.request.prefix = call.QueryOr("prefix", "");
  asked.request.delimiter = call.QueryOr("delimiter", "");
  asked.page.bucket = call.bucket_name;
  asked.page.prefix = asked.request.prefix;
  asked.page.delimiter = asked.request.delimiter;
  asked.page.items_max = static_cast<uint32_t>(asked.request.limit);
  return asked;
}

std::optional<s3xml::Owner> OwnerOf(const S3Call& call, bool wanted) {
  if (!wanted) return std::nullopt;
  return s3xml::Owner{call.account.id, call.account.name};
}

s3xml::ListedObject Listed(const r2::ListedObject& object, std::optional<s3xml::Owner> owner) {
  s3xml::ListedObject listed;
  listed.key = object.key;
  listed.last_modified = object.record.uploaded_ms * 1000;
  listed.etag = object.record.etag;
  listed.size = object.record.bytes;
  listed.storage_class = StorageClassOf(object.record.attributes);
  listed.owner = std::move(owner);
  if (!object.record.checksums.empty()) {
    const r2::StoredChecksum& checksum = object.record.checksums.front();
    listed.checksum_algorithm = checksums::NameOf(checksum.algorithm);
    listed.checksum_type = NameOf(checksum.type);
  }
  return listed;
}

Task<Result<Response>> ListObjectsV1(S3Call& call) {
  Result<Asked> asked = AskedOf(call, "max-keys");
  if (!asked.ok()) co_return asked.status();
  asked->request.after = call.QueryOr("marker", "");
  Result<ListPage> page = co_await call.services.store.List(call.bucket->bucket(), asked->request);
  if (!page.ok()) co_return page.status();
  s3xml::ListObjects listing{std::move(asked->page), asked->request.after, page->next, {}};
  listing.page.is_truncated = !page->next.empty();
  listing.page.rolled_up_prefixes = std::move(page->prefixes);
  for (const r2::ListedObject& object : page->objects) {
    listing.objects.push_back(Listed(object, OwnerOf(call, true)));
  }
  co_return XmlResponse(s3xml::WriteListObjects(listing));
}

Task<Result<Response>> ListObjectsV2(S3Call& call) {
  Result<Asked> asked = AskedOf(call, "max-keys");
  if (!asked.ok()) co_return asked.status();
  s3xml::ListObjectsV2 listing;
  if (const std::string* after = call.Query("start-after"); after != nullptr && !after->empty()) {
    listing.start_after = *after;
    asked->request.after = *after;
  }
  if (const std::string* token = call.Query("continuation-token")) {
    const std::optional<std::string> after = BytesOfBase64Url(*token);
    if (!after || after->empty() != token->empty()) {
      co_return sigv4::InvalidArgument("The continuation token provided is incorrect",
                                       "continuation-token");
    }
    listing.continuation_token = *token;
    // An empty one begins the list, as S3 has it.
    if (!token->empty()) asked->request.after = *after;
  }
  const bool with_owner = call.QueryOr("fetch-owner", "false") == "true";
  Result<ListPage> page = co_await call.services.store.List(call.bucket->bucket(), asked->request);
  if (!page.ok()) co_return page.status();
  listing.page = std::move(asked->page);
  listing.page.is_truncated = !page->next.empty();
  if (listing.page.is_truncated) listing.next_continuation_token = Base64UrlOf(page->next);
  listing.page.rolled_up_prefixes = std::move(page->prefixes);
  for (const r2::ListedObject& object : page->objects) {
    listing.objects.push_back(Listed(object, OwnerOf(call, with_owner)));
  }
  co_return XmlResponse(s3xml::WriteListObjectsV2(listing));
}

Task<Result<Response>> ListObjectVersions(S3Call& call) {
  Result<Asked> asked = AskedOf(call, "max-keys");
  if (!asked.ok()) co_return asked.status();
  s3xml::ListObjectVersions listing;
  listing.key_marker = call.QueryOr("key-marker", "");
  listing.version_id_marker = call.QueryOr("version-id-marker", "");
  asked->request.after = listing.key_marker;
  if (!listing.version_id_marker.empty()) {
    asked->request.after_version = Stamp::Parse(listing.version_id_marker);
    if (listing.key_marker.empty() || !asked->request.after_version) {
      co_return sigv4::InvalidArgument(
          "A version-id marker is a version that was listed, and comes with its key-marker",
          "version-id-marker", listing.version_id_marker);
    }
  }
  Result<ListPage> page =
      co_await call.services.store.ListVersions(call.bucket->bucket(), asked->request);
  if (!page.ok()) co_return page.status();
  listing.page = std::move(asked->page);
  listing.page.is_truncated = !page->next.empty();
  listing.page.rolled_up_prefixes = std::move(page->prefixes);
  if (listing.page.is_truncated) {
    listing.next_key_marker = page->next;
    // The stamp and not "null": a null version too is continued behind by it.
    if (page->next_version) listing.next_version_id_marker = page->next_version->Text();
  }
  for (const r2::ListedObject& object : page->objects) {
    s3xml::ListedVersion version;
    version.object = Listed(object, OwnerOf(call, true));
    version.version_id = VersionIdOf(object.record);
    version.is_latest = object.is_latest;
    version.is_delete_marker = object.record.is_delete_marker;
    listing.versions.push_back(std::move(version));
  }
  co_return XmlResponse(s3xml::WriteListObjectVersions(listing));
}

Task<Result<Response>> ListMultipartUploads(S3Call& call) {
  Result<Asked> asked = AskedOf(call, "max-uploads");
  if (!asked.ok()) co_return asked.status();
  s3xml::ListMultipartUploads listing;
  listing.key_marker = call.QueryOr("key-marker", "");
  asked->request.after = listing.key_marker;
  // Without a key it means nothing.
  if (!listing.key_marker.empty()) {
    listing.upload_id_marker = call.QueryOr("upload-id-marker", "");
    asked->request.after_version = Stamp::Parse(listing.upload_id_marker);
  }
  Result<r2::UploadPage> page =
      co_await call.services.store.ListUploads(call.bucket->bucket(), asked->request);
  if (!page.ok()) co_return page.status();
  listing.page = std::move(asked->page);
  listing.page.is_truncated = !page->next.empty();
  listing.page.rolled_up_prefixes = std::move(page->prefixes);
  if (listing.page.is_truncated) {
    listing.next_key_marker = page->next;
    if (page->next_upload) listing.next_upload_id_marker = page->next_upload->Text();
  }
  for (const r2::ListedUpload& upload : page->uploads) {
    s3xml::ListedUpload listed;
    listed.key = upload.key;
    listed.upload_id = upload.record.upload.Text();
    listed.initiator = OwnerOf(call, true);
    listed.owner = OwnerOf(call, true);
    listed.storage_class = StorageClassOf(upload.record.attributes);
    listed.initiated = upload.record.begun_ms * 1000;
    if (upload.record.algorithm) {
      listed.checksum_algorithm = checksums::NameOf(*upload.record.algorithm);
      listed.checksum_type = NameOf(upload.record.checksum_type);
    }
    listing.uploads.push_back(std::move(listed));
  }
  co_return XmlResponse(s3xml::WriteListMultipartUploads(listing));
}

/// list-type is 2, or version 1 is meant.
Task<Result<Response>> ListObjects(S3Call& call) {
  const std::string type = call.QueryOr("list-type", "");
  if (type.empty()) return ListObjectsV1(call);
  return ListObjectsV2(call);
}

}  // namespace

std::vector<S3Operation> ListingOperations() {
  using enum S3Level;
  return {
      {"ListObjectVersions", "GET", kBucket, "versions", "", S3Need::Read(),
       "the versions of the objects in a bucket", ListObjectVersions},
      {"ListMultipartUploads", "GET", kBucket, "uploads", "", S3Need::Read(),
       "uploads that are not complete", ListMultipartUploads},
      {"ListObjects", "GET", kBucket, "", "", S3Need::Read(),
       "the objects of a bucket, in version 1 or (list-type=2) 2", ListObjects},
  };
}

}  // namespace levada::services::s3
