#pragma once
// What S3 answers to requests about one object or a batch of them, and its errors. Plain structs,
// and the text of each.
//
// ETags are without quotes. Checksums are written in the order given, under the names given, which
// come from our code.
//
// Source: S3 API reference, with the element order of its examples.

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "formats/s3xml/object_requests.h"

namespace levada::s3xml {

struct InitiateMultipartUploadResult {
  std::string bucket;
  std::string key;
  std::string upload_id;
};
std::string WriteInitiateMultipartUpload(const InitiateMultipartUploadResult& result);

struct CompleteMultipartUploadResult {
  std::string location;  ///< the URL of the object
  std::string bucket;
  std::string key;
  std::string etag;
  std::vector<ChecksumElement> checksums;
  std::string checksum_type;  ///< "" is left out
};
std::string WriteCompleteMultipartUpload(const CompleteMultipartUploadResult& result);

/// Of CopyObject and of UploadPartCopy.
struct CopyResult {
  WallMicros last_modified = 0;
  std::string etag;
  std::vector<ChecksumElement> checksums;
  std::string checksum_type;  ///< "" is left out, and always of a part
};
/// CopyObjectResult.
std::string WriteCopyObject(const CopyResult& result);
/// CopyPartResult.
std::string WriteCopyPart(const CopyResult& result);

struct DeletedObject {
  std::string key;
  std::string version_id;                ///< as in the request; "" is left out
  bool delete_marker = false;            ///< one was made or one was deleted
  std::string delete_marker_version_id;  ///< "" is left out
};
struct DeleteError {
  std::string key;
  std::string version_id;  ///< "" is left out
  std::string code;
  std::string message;
};
struct DeleteResult {
  std::vector<DeletedObject> deleted;  ///< none for a quiet request
  std::vector<DeleteError> errors;
};
std::string WriteDelete(const DeleteResult& result);

struct ErrorDocument {
  std::string code;
  std::string message;
  /// More elements, in order: {"BucketName", "b"}. Their names come from our code.
  std::vector<std::pair<std::string, std::string>> fields;
  std::string resource;  ///< the path; "" is left out
  std::string request_id;
  std::string host_id;  ///< "" is left out
};
/// The one document without a namespace.
std::string WriteError(const ErrorDocument& error);

}  // namespace levada::s3xml
