#pragma once
// The StagingFile of a bucket: bytes gathered to parts of one size, each sent by a thread of its
// own while the next is filled.

#include <arrow/buffer_builder.h>

#include <future>
#include <memory>
#include <string>

#include "places/place.h"
#include "places/s3/s3_objects.h"
#include "places/sha256.h"

namespace levada::places {

/// The name by which the upload of an object that is to become `path` is known: what is staged.
struct S3Staged {
  std::string path;    ///< below the place's root
  std::string upload;  ///< its id at the server

  /// "orders/part-0.parquet?upload=ID"; with as many parts as the path.
  std::string ToText() const;
};
/// nullopt for what is no staged name: a path.
std::optional<S3Staged> ParseStaged(const std::string& text);

/// Sends to `upload`, which it aborts unless it was sealed. At most two parts of `part_bytes` are
/// in memory, from the pool of `ctx`.
Result<std::unique_ptr<StagingFile>> MakeS3StagingFile(const Context& ctx,
                                                       std::shared_ptr<S3Client> client,
                                                       S3Upload upload, S3Staged staged,
                                                       int64_t part_bytes);

}  // namespace levada::places
