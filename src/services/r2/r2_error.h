#pragma once
// R2Error: why R2 did not do what it was asked, known by name to all of its doors: each tells it in
// the words of its own protocol. It travels inside a Status; every other failure in a Status is
// ours, and internal to a client.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::services::r2 {

enum class R2ErrorCode : uint8_t {
  kInternal,
  kTooBusy,
  kDiskFull,
  kDamaged,
  kNoSuchBucket,
  kBucketTaken,  ///< by another account
  kBucketExists,
  kBucketNotEmpty,
  kBadBucketName,
  kNoSuchKey,
  kNoSuchVersion,
  kBadKey,
  kMetadataTooLarge,
  kEntityTooLarge,
  kEntityTooSmall,
  kIncompleteBody,
  kMissingLength,
  kBadDigest,
  kBadPayloadHash,
  kBadRange,
  kPrecondition,
  kNotModified,
  kNoSuchUpload,
  kBadPart,
  kBadPartOrder,
  kBadArgument,
  kBadCustomerKey,
  kIsDeleteMarker,
};

/// How the doors tell a code.
struct R2ErrorWords {
  R2ErrorCode code;
  int http_status;
  std::string_view s3_code;
  int64_t r2_code;  ///< of the v4 API and of bindings
  std::string_view message;
};
const R2ErrorWords& WordsOf(R2ErrorCode code);

/// `message` empty: the code's own.
Status R2Error(R2ErrorCode code, std::string message = {});
/// Whether it is one of these, Busy among them, and none of the store's own: nothing was written.
bool IsR2Error(const Status& status);
/// Of any failure: full disks, damage and what is not R2's own get theirs too.
R2ErrorCode R2ErrorCodeOf(const Status& status);
/// What a client may read of it. `is_of_bucket`: what failed was asked of a bucket and not of one
/// of its objects.
std::string R2MessageOf(const Status& status, bool is_of_bucket = false);

}  // namespace levada::services::r2
