#include "services/s3/s3_door.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/ascii.h"
#include "base/url.h"
#include "services/core/grants.h"
#include "services/r2/r2_error.h"
#include "services/s3/cors.h"
#include "services/s3/s3_headers.h"

namespace levada::services::s3 {
namespace {

using net::Response;
using net::Task;
using r2::R2Error;
using r2::R2ErrorCode;

// Parameters that stand for something of S3 that is not here. Any other is an option of the
// operation that the method means.
constexpr std::string_view kUnknownResources[] = {
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "tagging",
    "torrent",
    "website",
    "metadataConfiguration",
    "metadataTable",
    "session",
    "abac",
    "metadataInventoryTable",
};

S3Level LevelOf(const S3Call& call) {
  if (call.bucket_name.empty()) return S3Level::kService;
  return call.key.empty() ? S3Level::kBucket : S3Level::kObject;
}

/// Without the port; "" for an IPv6 address.
std::string_view HostName(std::string_view host) {
  if (host.starts_with('[')) return {};
  return host.substr(0, host.find(':'));
}

}  // namespace

std::vector<S3Operation> AllOperations() {
  std::vector<S3Operation> all;
  for (auto operations :
       {MultipartOperations(), ListingOperations(), BucketOperations(), ObjectOperations()}) {
    std::ranges::move(operations, std::back_inserter(all));
  }
  // The most particular first: with a parameter and a header, with either, with none.
  std::ranges::stable_sort(all, [](const S3Operation& left, const S3Operation& right) {
    const auto weight = [](const S3Operation& each) {
      return (each.query.empty() ? 0 : 2) + (each.header.empty() ? 0 : 1);
    };
    return weight(left) > weight(right);
  });
  return all;
}

S3Door::S3Door(S3Services services, S3DoorOptions options, Random& ids)
    : services_(services), options_(std::move(options)), ids_(ids), operations_(AllOperations()) {}

/// Bucket and key, from the host or the path.
Status S3Door::Locate(S3Call& call) const {
  const std::string host = LowerAscii(HostName(call.Header("Host").value_or("")));
  std::string_view path = call.request.path;
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::string suffix = "." + options_.domain;
  const bool is_virtual =
      !options_.domain.empty() && host.size() > suffix.size() && host.ends_with(suffix);
  std::string_view bucket = path.substr(0, path.find('/'));
  if (is_virtual) {
    call.bucket_name = host.substr(0, host.size() - suffix.size());
    bucket = {};
  }
  path.remove_prefix(std::min(path.size(), bucket.size() + (is_virtual ? 0 : 1)));
  const std::optional<std::string> name = PercentDecoded(bucket);
  std::optional<std::string> key = PercentDecoded(path);
  // "//b/k" is a key of no bucket, and not the service.
  const bool has_no_bucket = !is_virtual && bucket.empty() && !path.empty();
  if (!name || !key || has_no_bucket) {
    return sigv4::S3Error{400, "InvalidURI", "Couldn't parse the specified URI.", {}};
  }
  if (!is_virtual) call.bucket_name = *name;
  call.key = *std::move(key);
  ARROW_ASSIGN_OR_RAISE(call.query, sigv4::ParseQuery(call.request.query));
  return Status::OK();
}

Result<sigv4::SigningKey> S3Door::VerifiedKey(const sigv4::RequestView& view,
                                              const sigv4::Authorization& authorization) {
  const WallMicros now = services_.clock.Now();
  if (const sigv4::SigningKey* kept = signing_keys_.Find(authorization)) {
    ARROW_RETURN_NOT_OK(sigv4::Verify(view, authorization, *kept, now, options_.limits));
    return *kept;
  }
  ARROW_ASSIGN_OR_RAISE(const Control::S3Credential credential,
                        services_.control.FindS3Credential(authorization.access_key));
  const sigv4::SigningKey key =
      sigv4::DeriveSigningKey(credential.secret, authorization.day, authorization.region);
  ARROW_RETURN_NOT_OK(sigv4::Verify(view, authorization, key, now, options_.limits));
  signing_keys_.Keep(authorization, key);
  return key;
}

Status S3Door::Authenticate(S3Call& call) {
  const std::vector<sigv4::HeaderView> headers = ViewsOf(call.request.headers);
  const sigv4::RequestView view{call.request.method, call.request.path, call.request.query,
                                headers};
  ARROW_ASSIGN_OR_RAISE(call.authorization, sigv4::ParseAuthorization(view, options_.limits));
  if (!call.authorization) return Status::OK();
  Authentication found = services_.control.FindS3Token(call.authorization->access_key);
  const sigv4::S3Error unknown{403,
                               "InvalidAccessKeyId",
                               "The AWS Access Key Id you provided does not exist in our records.",
                               {{"AWSAccessKeyId", call.authorization->access_key.substr(0, 128)}}};
  if (found.state == TokenState::kUnknown) return unknown;
  ARROW_ASSIGN_OR_RAISE(call.signing_key, VerifiedKey(view, *call.authorization));
  // Said only to whoever has shown the key.
  if (found.state == TokenState::kExpired) {
    return sigv4::S3Error{400, "ExpiredToken", "The provided token has expired.", {}};
  }
  if (found.state == TokenState::kRevoked) return unknown;
  // Keys are permanent here: a session's token is of somewhere else.
  if (!call.authorization->session_token.empty()) {
    return sigv4::S3Error{
        400, "InvalidToken", "The provided token is malformed or otherwise invalid.", {}};
  }
  call.principal = std::move(found.principal);
  call.request.notes.account = call.principal.account_id;
  call.request.notes.credential = call.principal.token_id;
  const std::optional<Account> account = services_.control.FindAccount(call.principal.account_id);
  if (!account) return unknown;
  call.account = *account;
  return Status::OK();
}

Result<const S3Operation*> S3Door::Find(const S3Call& call) const {
  for (const std::string_view name : kUnknownResources) {
    if (call.Query(name) != nullptr) {
      return NotImplemented("\"" + std::string(name) +
                            "\" is a part of S3 that this server does not implement");
    }
  }
  const S3Level level = LevelOf(call);
  for (const S3Operation& operation : operations_) {
    if (operation.level != level) continue;
    if (operation.method != call.request.method) continue;
    if (!operation.query.empty() && call.Query(operation.query) == nullptr) continue;
    if (!operation.header.empty() && !call.Header(operation.header)) continue;
    return &operation;
  }
  return sigv4::S3Error{
      405, "MethodNotAllowed", "The specified method is not allowed against this resource.", {}};
}

Status S3Door::Admit(const S3Operation& operation, S3Call& call) const {
  const S3Need& need = operation.need;
  if (need.needs_bucket() || !call.bucket_name.empty()) {
    ARROW_ASSIGN_OR_RAISE(call.bucket, services_.buckets.Find(call.bucket_name));
  }
  if (call.is_anonymous()) {
    // What was replaced or deleted is not public, though everybody knows of a version "null".
    const bool is_public = need.may_be_public() && call.bucket != nullptr &&
                           call.bucket->settings.is_public && call.Query("versionId") == nullptr;
    if (is_public) return Status::OK();
    return sigv4::AccessDenied("Access Denied: sign the request with the keys of a token");
  }
  if (!need.action()) return Status::OK();
  // Before it is said whether there is such a bucket.
  if (!call.principal.May(Service::kR2, *need.action(), call.bucket_name)) {
    return sigv4::AccessDenied(
        "Access Denied: this token lacks the scope " +
        services::TextOf(Scope{Service::kR2, *need.action(), call.bucket_name}));
  }
  if (!need.needs_bucket()) return Status::OK();
  if (call.bucket == nullptr) return R2Error(R2ErrorCode::kNoSuchBucket);
  if (call.bucket->resource.account != call.account.row) {
    return sigv4::AccessDenied("Access Denied: this bucket is of another account");
  }
  return Status::OK();
}

Result<Response> S3Door::Preflight(S3Call& call) const {
  ARROW_ASSIGN_OR_RAISE(const auto bucket, services_.buckets.Find(call.bucket_name));
  const std::vector<s3xml::CorsRule> none;
  return AnswerPreflight(bucket == nullptr ? none : bucket->settings.cors, call.request.headers,
                         call.id);
}

Task<Result<Response>> S3Door::Serve(S3Call& call) {
  if (call.Header(kBindingHeader)) {
    co_return sigv4::InvalidRequest("The header X-Levada-Binding belongs to another listener.");
  }
  const Status located = Locate(call);
  if (!located.ok()) co_return located;
  if (call.request.method == "OPTIONS") co_return Preflight(call);
  const Status authenticated = Authenticate(call);
  if (!authenticated.ok()) co_return authenticated;
  const Result<const S3Operation*> operation = Find(call);
  if (!operation.ok()) co_return operation.status();
  call.request.notes.route = (*operation)->name;
  const Status supported = RefuseUnsupported(call);
  if (!supported.ok()) co_return supported;
  const Status admitted = Admit(**operation, call);
  if (!admitted.ok()) co_return admitted;
  co_return co_await (*operation)->handle(call);
}

Task<Response> S3Door::Handle(net::Request& request) {
  request.notes.id = NewId(ids_);
  S3Call call{request, services_, request.notes.id, {}, {}, {}, {}, {}, {}, {}, nullptr};
  Result<Response> served = co_await Serve(call);
  Response response = served.ok() ? *std::move(served) : ErrorResponse(served.status(), call);
  response.headers.Add("x-amz-request-id", call.id);
  const auto origin = request.headers.Find("Origin");
  if (origin && call.bucket != nullptr && request.method != "OPTIONS") {
    AddCorsHeaders(call.bucket->settings.cors, *origin, request.method, response);
  }
  co_return response;
}

}  // namespace levada::services::s3
