#pragma once
// What S3's headers say of an object, read from requests and written to responses.

#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"
#include "services/r2/conditions.h"
#include "services/r2/object_record.h"
#include "services/r2/object_store.h"
#include "services/s3/s3_call.h"

namespace levada::services::s3 {

/// Content-Type and its like, x-amz-meta-*, the storage class. S3Errors for what R2 has not (ACLs,
/// tags, locks, keys of a KMS, redirects) and for values that are none.
Result<r2::ObjectAttributes> AttributesOf(const S3Call& call);
/// NotImplemented for headers that ask for what is not here; of every request.
Status RefuseUnsupported(const S3Call& call);

/// If-Match and its like; with "x-amz-copy-source-" before the names those of a copy's source.
r2::Conditions ConditionsOf(const S3Call& call, std::string_view prefix = {});

/// The client's key, if one is sent; `prefix` as above. S3Errors for three headers that do not fit
/// together.
Result<std::optional<r2::CustomerKey>> CustomerKeyOf(const S3Call& call,
                                                     std::string_view prefix = {});
/// Whether `key` opens `record`: S3Errors for one that is missing, wrong or of no use.
Status CheckCustomerKey(const r2::ObjectRecord& record, const std::optional<r2::CustomerKey>& key);

/// Whether a request's bucket shows versions to its clients.
bool ShowsVersions(const S3Call& call);
/// "null", or the text.
std::string VersionIdOf(const r2::ObjectRecord& record);
std::string Quoted(std::string_view etag);
/// 403 is S3's answer to a key that is not the object's, 404 to one that is not there.
void AddVersion(const S3Call& call, const r2::ObjectRecord& record, net::Response& response);
/// When a rule of the bucket will have this current object go: x-amz-expiration.
void AddExpiration(const S3Call& call, const r2::ObjectRecord& record, net::Response& response);
void AddCustomerKey(const std::optional<r2::CustomerKey>& key, net::Response& response);
void AddChecksums(const r2::ObjectRecord& record, net::Response& response);
/// Everything that GET and HEAD say of an object; the client may have asked for other values of
/// some headers (response-content-type). Checksums only when asked for.
void AddObjectHeaders(const S3Call& call, const r2::ObjectRecord& record, bool is_partial,
                      net::Response& response);
/// "COMPOSITE", "FULL_OBJECT"
std::string_view NameOf(checksums::ChecksumType type);
std::string_view StorageClassOf(const r2::ObjectAttributes& attributes);

}  // namespace levada::services::s3
