#pragma once
// The settings of a bucket as JSON of the v4 API, both ways. Shapes: Cloudflare's API reference,
// "R2", for CORS, lifecycle and the managed domain; versioning is ours: {"status": "enabled"}.

#include <string>
#include <string_view>

#include "base/fault.h"
#include "services/r2/buckets.h"

namespace levada::services::r2 {

std::string ShowCors(const KnownBucket& bucket);
std::string ShowLifecycle(const KnownBucket& bucket);
std::string ShowVersioning(const KnownBucket& bucket);
/// `s3_address`: where its objects are read, "" for unknown.
std::string ShowPublic(const KnownBucket& bucket, std::string_view s3_address);

// kBadArgument with the member that cannot be read; nothing is changed then.
Status ChangeCors(std::string_view body, BucketSettings& settings);
Status ChangeLifecycle(std::string_view body, BucketSettings& settings);
Status ChangeVersioning(std::string_view body, BucketSettings& settings);
Status ChangePublic(std::string_view body, BucketSettings& settings);

}  // namespace levada::services::r2
