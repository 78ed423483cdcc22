#pragma once
// What a Place asks of a bucket, as calls with results: objects, their conditions, lists and
// multipart uploads. Each is one request, or the pages of one list. Keys are whole.
//
// Source: S3 API reference, of the operation that each is called after.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "places/place.h"
#include "places/s3/s3_client.h"

namespace levada::places {

struct S3Object {
  int64_t bytes = 0;
  std::string etag;
};

struct S3Part {
  int number = 0;
  int64_t bytes = 0;
  std::string etag;
};

struct S3Upload {
  std::string key;
  std::string id;
};

struct S3Listed {
  struct Entry {
    std::string key;
    int64_t bytes = 0;
  };
  std::vector<Entry> objects;
  std::vector<std::string> prefixes;  ///< with their "/" at the end
};

/// nullopt when there is no such object.
Result<std::optional<S3Object>> HeadObject(Context& ctx, S3Client& client, const std::string& key);

/// The whole object; nullopt when there is none, kTargetIo when it is larger than `limit_bytes`.
Result<std::optional<Record>> GetObject(Context& ctx, S3Client& client, const std::string& key,
                                        int64_t limit_bytes);
/// `bytes` of it from `offset`, fewer at its end. kTargetFileMissing when it is gone or, with
/// `etag`, another one.
Result<std::string> GetRange(Context& ctx, S3Client& client, const std::string& key, int64_t offset,
                             int64_t bytes, const std::string& etag);

/// The ETag of what was written. kFenced when what is there is not what is expected, unless it is
/// this very content: then it was an earlier try of ours whose answer was lost.
Result<std::string> PutObject(Context& ctx, S3Client& client, const std::string& key,
                              std::string_view content, const Expectation& expected);
/// OK when there is none.
Status DeleteObject(Context& ctx, S3Client& client, const std::string& key);

/// What is directly below `prefix`, which ends with "/" or is empty.
Result<S3Listed> ListObjects(Context& ctx, S3Client& client, const std::string& prefix);

/// The id of the upload.
Result<std::string> CreateUpload(Context& ctx, S3Client& client, const std::string& key);
Status UploadPart(Context& ctx, S3Client& client, const S3Upload& upload, int number,
                  std::string_view bytes);
/// In order; nullopt when there is no such upload.
Result<std::optional<std::vector<S3Part>>> ListParts(Context& ctx, S3Client& client,
                                                     const S3Upload& upload);
/// False when there is no such upload.
Result<bool> CompleteUpload(Context& ctx, S3Client& client, const S3Upload& upload,
                            const std::vector<S3Part>& parts);
/// OK when there is none.
Status AbortUpload(Context& ctx, S3Client& client, const S3Upload& upload);
/// Those that are open of keys that begin with `prefix`.
Result<std::vector<S3Upload>> ListUploads(Context& ctx, S3Client& client,
                                          const std::string& prefix);

}  // namespace levada::places
