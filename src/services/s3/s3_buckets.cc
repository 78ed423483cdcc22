// Operations on buckets and what is configured of them.

#include <functional>
#include <utility>

#include "base/binary_text.h"
#include "formats/s3xml/bucket_configuration.h"
#include "formats/s3xml/cors.h"
#include "formats/s3xml/lifecycle.h"
#include "formats/s3xml/listings.h"
#include "services/r2/r2_error.h"
#include "services/s3/s3_call.h"

namespace levada::services::s3 {
namespace {

using net::Response;
using net::Task;
using r2::BucketSettings;
using r2::Versioning;

constexpr uint64_t kConfigurationBytesMax = 1024 * 1024;
constexpr uint64_t kBucketsMax = 10'000;  // of a page, S3's
constexpr std::string_view kRegion = "auto";

Response Empty(int status) {
  Response response;
  response.status = status;
  return response;
}

/// Changes the settings and answers.
Task<Result<Response>> Change(S3Call& call, std::function<Status(BucketSettings&)> change,
                              std::string what, int http_status) {
  const auto changed = co_await call.services.buckets.Change(call.bucket, std::move(change),
                                                             std::move(what), call.actor());
  if (!changed.ok()) co_return changed.status();
  co_return Empty(http_status);
}

Task<Result<Response>> ListBuckets(S3Call& call) {
  s3xml::ListBuckets listing;
  listing.owner = {call.account.id, call.account.name};
  const std::string prefix = call.QueryOr("prefix", "");
  const bool is_paged = call.Query("max-buckets") != nullptr;
  const auto limit = QueryNumber(call, "max-buckets", kBucketsMax, kBucketsMax);
  if (!limit.ok()) co_return limit.status();
  const std::string token = call.QueryOr("continuation-token", "");
  const std::optional<std::string> after = BytesOfBase64Url(token);
  if (*limit == 0 || !after) {
    co_return sigv4::InvalidArgument(
        "Expected max-buckets of 1 to 10000, and a token that was given",
        *limit == 0 ? "max-buckets" : "continuation-token");
  }
  for (const Resource& bucket : call.services.buckets.List(call.account.row)) {
    if (!call.principal.May(Service::kR2, Action::kRead, bucket.name)) continue;
    if (!bucket.name.starts_with(prefix) || bucket.name <= *after) continue;
    if (is_paged && listing.buckets.size() == *limit) {
      listing.continuation_token = Base64UrlOf(listing.buckets.back().name);
      break;
    }
    listing.buckets.push_back({bucket.name, bucket.created, is_paged ? std::string(kRegion) : ""});
  }
  if (!prefix.empty()) listing.prefix = prefix;
  co_return XmlResponse(s3xml::WriteListBuckets(listing));
}

Task<Result<Response>> HeadBucket(S3Call&) {
  Response response = Empty(200);
  response.headers.Add("x-amz-bucket-region", std::string(kRegion));
  co_return response;
}

Task<Result<Response>> CreateBucket(S3Call& call) {
  const Result<std::string> body = co_await ReadDocument(call, kConfigurationBytesMax);
  if (!body.ok()) co_return body.status();
  const auto location = s3xml::ParseCreateBucketConfiguration(*body);
  if (!location.ok()) co_return RefusedDocument(location.status());
  const Result<Resource> made =
      co_await call.services.buckets.Create(call.account, call.bucket_name, call.actor());
  if (!made.ok()) co_return made.status();
  Response response = Empty(200);
  response.headers.Add("Location", "/" + call.bucket_name);
  co_return response;
}

Task<Result<Response>> DeleteBucket(S3Call& call) {
  const Status deleted = co_await call.services.buckets.Delete(call.bucket, call.actor());
  if (!deleted.ok()) co_return deleted;
  co_return Empty(204);
}

Task<Result<Response>> GetBucketLocation(S3Call&) {
  co_return XmlResponse(s3xml::WriteLocationConstraint(std::string(kRegion)));
}

/// What is on the disk is as it came: encryption is what a client brings its own key for.
Task<Result<Response>> GetBucketEncryption(S3Call&) {
  co_return sigv4::S3Error{404,
                           "ServerSideEncryptionConfigurationNotFoundError",
                           "The server side encryption configuration was not found",
                           {}};
}

Task<Result<Response>> RefuseEncryption(S3Call&) {
  co_return NotImplemented("Encryption is not configured by bucket: send a key of your own");
}

Task<Result<Response>> GetBucketVersioning(S3Call& call) {
  s3xml::VersioningConfiguration configuration;
  switch (call.bucket->settings.versioning) {
    case Versioning::kOff:
      break;
    case Versioning::kEnabled:
      configuration.status = s3xml::VersioningStatus::kEnabled;
      break;
    case Versioning::kSuspended:
      configuration.status = s3xml::VersioningStatus::kSuspended;
      break;
  }
  co_return XmlResponse(s3xml::WriteVersioningConfiguration(configuration));
}

Task<Result<Response>> PutBucketVersioning(S3Call& call) {
  const Result<std::string> body = co_await ReadDocument(call, kConfigurationBytesMax);
  if (!body.ok()) co_return body.status();
  const auto wanted = s3xml::ParseVersioningConfiguration(*body);
  if (!wanted.ok()) co_return RefusedDocument(wanted.status());
  if (!wanted->status) {
    co_return sigv4::S3Error{400,
                             "IllegalVersioningConfigurationException",
                             "The Versioning element must be specified",
                             {}};
  }
  if (wanted->mfa_delete.value_or(false)) co_return NotImplemented("MfaDelete is not implemented");
  const bool enables = *wanted->status == s3xml::VersioningStatus::kEnabled;
  const auto change = [enables](BucketSettings& settings) {
    settings.versioning = enables ? Versioning::kEnabled : Versioning::kSuspended;
    return Status::OK();
  };
  co_return co_await Change(call, change, "versioning", 200);
}

Task<Result<Response>> GetBucketCors(S3Call& call) {
  const auto& rules = call.bucket->settings.cors;
  if (rules.empty()) {
    co_return sigv4::S3Error{
        404, "NoSuchCORSConfiguration", "The CORS configuration does not exist", {}};
  }
  co_return XmlResponse(s3xml::WriteCorsConfiguration(rules));
}

Task<Result<Response>> PutBucketCors(S3Call& call) {
  const Result<std::string> body = co_await ReadDocument(call, kConfigurationBytesMax);
  if (!body.ok()) co_return body.status();
  auto rules = s3xml::ParseCorsConfiguration(*body);
  if (!rules.ok()) co_return RefusedDocument(rules.status());
  const auto change = [&rules](BucketSettings& settings) {
    settings.cors = *rules;
    return Status::OK();
  };
  co_return co_await Change(call, change, "cors", 200);
}

Task<Result<Response>> DeleteBucketCors(S3Call& call) {
  const auto change = [](BucketSettings& settings) {
    settings.cors.clear();
    return Status::OK();
  };
  co_return co_await Change(call, change, "cors", 204);
}

Task<Result<Response>> GetBucketLifecycle(S3Call& call) {
  const auto& rules = call.bucket->settings.lifecycle;
  if (rules.empty()) {
    co_return sigv4::S3Error{
        404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", {}};
  }
  co_return XmlResponse(s3xml::WriteLifecycleConfiguration(rules));
}

/// What is kept but not done would be believed to be done.
Status RefuseUndoneRules(const std::vector<s3xml::LifecycleRule>& rules) {
  for (const s3xml::LifecycleRule& rule : rules) {
    if (rule.has_tags) return NotImplemented("Tags are not implemented, so no rule can go by them");
    if (!rule.noncurrent_transitions.empty()) {
      return NotImplemented("Transitions of noncurrent versions are not implemented");
    }
    for (const s3xml::LifecycleTransition& transition : rule.transitions) {
      if (transition.storage_class == "STANDARD_IA") continue;
      return NotImplemented("The one storage class to move to is STANDARD_IA");
    }
  }
  return Status::OK();
}

Task<Result<Response>> PutBucketLifecycle(S3Call& call) {
  const Result<std::string> body = co_await ReadDocument(call, kConfigurationBytesMax);
  if (!body.ok()) co_return body.status();
  auto rules = s3xml::ParseLifecycleConfiguration(*body);
  if (!rules.ok()) co_return RefusedDocument(rules.status());
  const Status done = RefuseUndoneRules(*rules);
  if (!done.ok()) co_return done;
  for (size_t i = 0; i < rules->size(); ++i) {
    if ((*rules)[i].id.empty()) (*rules)[i].id = call.id + "-" + std::to_string(i + 1);
  }
  const auto change = [&rules](BucketSettings& settings) {
    settings.lifecycle = *rules;
    return Status::OK();
  };
  co_return co_await Change(call, change, "lifecycle", 200);
}

Task<Result<Response>> DeleteBucketLifecycle(S3Call& call) {
  const auto change = [](BucketSettings& settings) {
    settings.lifecycle.clear();
    return Status::OK();
  };
  co_return co_await Change(call, change, "lifecycle", 204);
}

}  // namespace

std::vector<S3Operation> BucketOperations() {
  using enum S3Level;
  return {
      {"ListBuckets", "GET", kService, "", "", S3Need::AnyToken(),
       "the buckets that the token may read", ListBuckets},
      {"HeadBucket", "HEAD", kBucket, "", "", S3Need::Read(), "whether a bucket is there",
       HeadBucket},
      {"CreateBucket", "PUT", kBucket, "", "", S3Need::AdminOfNew(), "makes a bucket",
       CreateBucket},
      {"DeleteBucket", "DELETE", kBucket, "", "", S3Need::Admin(), "removes an empty bucket",
       DeleteBucket},
      {"GetBucketLocation", "GET", kBucket, "location", "", S3Need::Read(), "its region: auto",
       GetBucketLocation},
      {"GetBucketEncryption", "GET", kBucket, "encryption", "", S3Need::Read(),
       "none: objects are encrypted with keys of clients alone", GetBucketEncryption},
      {"PutBucketEncryption", "PUT", kBucket, "encryption", "", S3Need::Admin(), "refused",
       RefuseEncryption},
      {"DeleteBucketEncryption", "DELETE", kBucket, "encryption", "", S3Need::Admin(), "refused",
       RefuseEncryption},
      {"GetBucketVersioning", "GET", kBucket, "versioning", "", S3Need::Read(),
       "whether the bucket keeps versions", GetBucketVersioning},
      {"PutBucketVersioning", "PUT", kBucket, "versioning", "", S3Need::Admin(),
       "keeps versions, or stops keeping new ones", PutBucketVersioning},
      {"GetBucketCors", "GET", kBucket, "cors", "", S3Need::Read(), "the CORS rules",
       GetBucketCors},
      {"PutBucketCors", "PUT", kBucket, "cors", "", S3Need::Admin(), "replaces the CORS rules",
       PutBucketCors},
      {"DeleteBucketCors", "DELETE", kBucket, "cors", "", S3Need::Admin(), "drops the CORS rules",
       DeleteBucketCors},
      {"GetBucketLifecycleConfiguration", "GET", kBucket, "lifecycle", "", S3Need::Read(),
       "the lifecycle rules", GetBucketLifecycle},
      {"PutBucketLifecycleConfiguration", "PUT", kBucket, "lifecycle", "", S3Need::Admin(),
       "replaces the lifecycle rules", PutBucketLifecycle},
      {"DeleteBucketLifecycle", "DELETE", kBucket, "lifecycle", "", S3Need::Admin(),
       "drops the lifecycle rules", DeleteBucketLifecycle},
  };
}

}  // namespace levada::services::s3
