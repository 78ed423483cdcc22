#pragma once
// What the routes of R2's v4 door share: the bucket of a path, a body, a refusal.

#include <cstdint>
#include <memory>
#include <string>

#include "base/fault.h"
#include "net/http.h"
#include "services/core/route.h"
#include "services/r2/r2_access.h"

namespace levada::services::r2 {

/// Any failure in the envelope. `is_of_bucket`: what failed was asked of a bucket and not of one of
/// its objects.
net::Response Refusal(const Status& status, bool is_of_bucket = false);

/// The bucket of the path, if it is one of the account.
Result<std::shared_ptr<const KnownBucket>> BucketOf(const R2Access& access, const Call& call);

/// The body; "" when it cannot be read or is too long, which is no JSON either.
net::Task<std::string> ReadSmall(Call& call);

}  // namespace levada::services::r2
