#pragma once
// One request of an S3 client on its way through the door, and the table of what can be asked.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/sigv4/authorization.h"
#include "formats/sigv4/canonical.h"
#include "formats/sigv4/s3_error.h"
#include "formats/sigv4/verifier.h"
#include "net/http.h"
#include "services/core/access.h"
#include "services/core/control.h"
#include "services/r2/buckets.h"
#include "services/r2/object_store.h"

namespace levada::services::s3 {

/// What operations work with. All outlive the door.
struct S3Services {
  r2::ObjectStore& store;
  r2::Buckets& buckets;
  const Control& control;
  const Clock& clock;
};

/// Lives until the handler's task has ended.
struct S3Call {
  net::Request& request;
  const S3Services& services;
  std::string id;           ///< of the request, as in the log and x-amz-request-id
  std::string bucket_name;  ///< "" for the service as a whole
  std::string key;          ///< "" for a bucket
  std::vector<sigv4::QueryParameter> query;
  std::optional<sigv4::Authorization> authorization;  ///< none: anonymous
  sigv4::SigningKey signing_key;
  Principal principal;                            ///< empty when anonymous
  Account account;                                ///< of the principal
  std::shared_ptr<const r2::KnownBucket> bucket;  ///< null where none is needed

  bool is_anonymous() const { return !authorization.has_value(); }
  /// The first of that name.
  const std::string* Query(std::string_view name) const;
  std::string QueryOr(std::string_view name, std::string_view otherwise) const;
  std::optional<std::string_view> Header(std::string_view name) const {
    return request.headers.Find(name);
  }
  Actor actor() const;
};

/// What the request is about.
enum class S3Level : uint8_t { kService, kBucket, kObject };

/// What the call needs of the token: an action on the bucket. There is no default.
class S3Need {
 public:
  static S3Need Read() { return S3Need(Action::kRead, true); }
  /// As Read, and granted to everybody for objects of a public bucket.
  static S3Need PublicRead() {
    S3Need need(Action::kRead, true);
    need.may_be_public_ = true;
    return need;
  }
  static S3Need Write() { return S3Need(Action::kWrite, true); }
  static S3Need Admin() { return S3Need(Action::kAdmin, true); }
  /// Of a bucket that is not there yet.
  static S3Need AdminOfNew() { return S3Need(Action::kAdmin, false); }
  /// A valid token; the handler shows only what it may see.
  static S3Need AnyToken() { return S3Need(std::nullopt, false); }

  std::optional<Action> action() const { return action_; }
  bool needs_bucket() const { return needs_bucket_; }
  bool may_be_public() const { return may_be_public_; }

 private:
  S3Need(std::optional<Action> action, bool needs_bucket)
      : action_(action), needs_bucket_(needs_bucket) {}
  std::optional<Action> action_;
  bool needs_bucket_;
  bool may_be_public_ = false;
};

struct S3Operation {
  std::string_view name;  ///< as S3's reference has it: "UploadPartCopy"
  std::string_view method;
  S3Level level;
  std::string_view query;   ///< a parameter that has to be there, "" for none
  std::string_view header;  ///< likewise
  S3Need need;
  std::string_view summary;  ///< one line for the reference
  std::function<net::Task<Result<net::Response>>(S3Call&)> handle;
};

std::vector<S3Operation> BucketOperations();
std::vector<S3Operation> ListingOperations();
std::vector<S3Operation> ObjectOperations();
std::vector<S3Operation> MultipartOperations();
/// All of them, in the order in which the first that fits is the one that was meant.
std::vector<S3Operation> AllOperations();

/// 200 with an XML document, or another status.
net::Response XmlResponse(std::string document, int status = 200);
/// The error document of any failure.
net::Response ErrorResponse(const Status& status, const S3Call& call);

/// An integer of the query within [0, max]; InvalidArgument with S3's words for another.
Result<uint64_t> QueryNumber(const S3Call& call, std::string_view name, uint64_t otherwise,
                             uint64_t max);
/// encoding-type: whether names are to be encoded.
Result<bool> WantsUrlEncoding(const S3Call& call);
/// What a Parse function of formats/s3xml refused, as an S3Error.
Status RefusedDocument(const Status& status);
/// The whole body, checked against what was signed and announced. InvalidRequest over the limit.
net::Task<Result<std::string>> ReadDocument(S3Call& call, uint64_t bytes_max);
/// Likewise, of a document beside which the checksum headers mean something else.
net::Task<Result<std::string>> ReadUnchecked(S3Call& call, uint64_t bytes_max);
/// A header's number; InvalidArgument for another text.
Result<uint64_t> HeaderNumber(std::string_view name, std::string_view text);

/// Borrowed from `headers`.
std::vector<sigv4::HeaderView> ViewsOf(const net::Headers& headers);

sigv4::S3Error NotImplemented(std::string what);

}  // namespace levada::services::s3
