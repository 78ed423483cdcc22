#pragma once
// The source of a copy: another object, which the token must be allowed to read.

#include <memory>
#include <optional>
#include <string>

#include "formats/s3xml/object_requests.h"
#include "services/r2/object_reader.h"
#include "services/r2/object_receiver.h"
#include "services/s3/s3_call.h"

namespace levada::services::s3 {

struct CopySource {
  r2::OpenedObject object;
  std::string bucket_name;
  std::string key;
  bool has_version = false;
  std::optional<r2::CustomerKey> customer_key;
};

/// x-amz-copy-source of the call: found, allowed, its conditions held, its key right.
net::Task<Result<CopySource>> OpenCopySource(S3Call& call);

/// What to compute while copying: what the request asks for, else what the source has.
Result<std::optional<checksums::Algorithm>> CopyAlgorithmOf(const S3Call& call,
                                                            const r2::ObjectRecord& from);

/// The bytes of a range of the source.
std::unique_ptr<r2::ObjectSource> MakeCopyBody(S3Call& call, CopySource source, r2::ByteRange range,
                                               std::optional<checksums::Algorithm> algorithm);

/// {"ChecksumCRC32C", "yZRlqg=="}
s3xml::ChecksumElement ElementOf(const r2::StoredChecksum& checksum);

}  // namespace levada::services::s3
