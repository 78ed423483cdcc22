#include "services/r2/r2_error.h"

#include <array>
#include <memory>
#include <utility>

#include "services/core/on_thread.h"

namespace levada::services::r2 {
namespace {

constexpr const char* kTypeId = "levada::services::r2::R2Error";

using Code = R2ErrorCode;

// In the order of the enumeration. The numbers are Cloudflare's: documentation of R2, "Error
// codes", and miniflare's r2/errors. The words are S3's, which SDKs and people search for.
constexpr std::array<R2ErrorWords, 28> kWords = {{
    {Code::kInternal, 500, "InternalError", 10001,
     "We encountered an internal error. Please try again."},
    {Code::kTooBusy, 503, "SlowDown", 10058, "Please reduce your request rate."},
    {Code::kDiskFull, 507, "InsufficientStorage", 10001,
     "The disk of this server is full: it reads and deletes, and writes again when there is room."},
    {Code::kDamaged, 500, "InternalError", 10001,
     "This object is damaged on disk. The server's log names it."},
    {Code::kNoSuchBucket, 404, "NoSuchBucket", 10006, "The specified bucket does not exist."},
    {Code::kBucketTaken, 409, "BucketAlreadyExists", 10004,
     "The requested bucket name is not available. The bucket namespace is shared by all accounts "
     "of "
     "this server. Select a different name and try again."},
    {Code::kBucketExists, 409, "BucketAlreadyOwnedByYou", 10004,
     "The bucket you tried to create already exists, and you own it."},
    {Code::kBucketNotEmpty, 409, "BucketNotEmpty", 10008,
     "The bucket you tried to delete is not empty."},
    {Code::kBadBucketName, 400, "InvalidBucketName", 10005,
     "The specified bucket name is not valid: 3 to 63 lower-case letters, digits, hyphens and "
     "dots, a letter or digit at both ends and beside each dot, and not four numbers with dots."},
    {Code::kNoSuchKey, 404, "NoSuchKey", 10007, "The specified key does not exist."},
    {Code::kNoSuchVersion, 404, "NoSuchVersion", 10007, "The specified version does not exist."},
    {Code::kBadKey, 400, "KeyTooLongError", 10020, "Your key is too long: at most 1024 bytes."},
    {Code::kMetadataTooLarge, 400, "MetadataTooLarge", 10012,
     "Your metadata headers exceed the maximum allowed metadata size: 8192 bytes."},
    {Code::kEntityTooLarge, 400, "EntityTooLarge", 100100,
     "Your proposed upload exceeds the maximum allowed object size."},
    {Code::kEntityTooSmall, 400, "EntityTooSmall", 10011,
     "Your proposed upload is smaller than the minimum allowed object size."},
    {Code::kIncompleteBody, 400, "IncompleteBody", 10029,
     "The request body terminated unexpectedly."},
    {Code::kMissingLength, 411, "MissingContentLength", 10029,
     "You must provide the Content-Length HTTP header."},
    {Code::kBadDigest, 400, "BadDigest", 10037,
     "The checksum you specified did not match what we received."},
    {Code::kBadPayloadHash, 400, "XAmzContentSHA256Mismatch", 10037,
     "The provided 'x-amz-content-sha256' header does not match what was computed."},
    {Code::kBadRange, 416, "InvalidRange", 10039, "The requested range is not satisfiable."},
    {Code::kPrecondition, 412, "PreconditionFailed", 10031,
     "At least one of the pre-conditions you specified did not hold."},
    {Code::kNotModified, 304, "NotModified", 10032, "Not Modified"},
    {Code::kNoSuchUpload, 404, "NoSuchUpload", 10024,
     "The specified multipart upload does not exist. The upload ID may be invalid, or the upload "
     "may have been aborted or completed."},
    {Code::kBadPart, 400, "InvalidPart", 10025,
     "One or more of the specified parts could not be found. The part may not have been uploaded, "
     "or the specified entity tag may not match the part's entity tag."},
    {Code::kBadPartOrder, 400, "InvalidPartOrder", 10025,
     "The list of parts was not in ascending order. Parts must be ordered by part number."},
    {Code::kBadArgument, 400, "InvalidArgument", 10029, "Invalid Argument"},
    {Code::kBadCustomerKey, 400, "InvalidRequest", 10029,
     "The object was stored using a form of Server Side Encryption. The correct parameters must be "
     "provided to retrieve the object."},
    {Code::kIsDeleteMarker, 405, "MethodNotAllowed", 10007,
     "The specified method is not allowed against this resource."},
}};

constexpr bool AreInOrder() {
  for (size_t i = 0; i < kWords.size(); ++i) {
    if (static_cast<size_t>(kWords[i].code) != i) return false;
  }
  return kWords.size() == static_cast<size_t>(Code::kIsDeleteMarker) + 1;
}
static_assert(AreInOrder());

class Detail final : public arrow::StatusDetail {
 public:
  explicit Detail(Code code) : code_(code) {}
  const char* type_id() const override { return kTypeId; }
  std::string ToString() const override { return std::string(WordsOf(code_).s3_code); }
  Code code() const { return code_; }

 private:
  Code code_;
};

}  // namespace

bool IsR2Error(const Status& status) {
  if (IsBusy(status)) return true;
  return status.detail() != nullptr && std::string_view(status.detail()->type_id()) == kTypeId;
}

const R2ErrorWords& WordsOf(R2ErrorCode code) { return kWords[static_cast<size_t>(code)]; }

Status R2Error(R2ErrorCode code, std::string message) {
  if (message.empty()) message = WordsOf(code).message;
  return Status(arrow::StatusCode::Invalid, std::move(message), std::make_shared<Detail>(code));
}

R2ErrorCode R2ErrorCodeOf(const Status& status) {
  if (IsBusy(status)) return Code::kTooBusy;
  if (IsR2Error(status)) return static_cast<const Detail&>(*status.detail()).code();
  switch (CodeOf(status)) {
    case FaultCode::kDiskFull:
      return Code::kDiskFull;
    case FaultCode::kStoreDamaged:
      return Code::kDamaged;
    default:
      return Code::kInternal;
  }
}

std::string R2MessageOf(const Status& status, bool is_of_bucket) {
  if (IsR2Error(status) && !IsBusy(status)) return status.message();
  if (is_of_bucket && R2ErrorCodeOf(status) == Code::kDamaged) {
    return "A record of this bucket is damaged on disk. The server's log names it.";
  }
  return std::string(WordsOf(R2ErrorCodeOf(status)).message);
}

}  // namespace levada::services::r2
