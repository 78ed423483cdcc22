#pragma once
// A PlaceLock in a bucket: a lease. Its holder writes the object "<path>.lease" again every few
// seconds; whoever finds one that does not change for longer than that takes it over. Clocks of
// machines are never compared: each waiter measures by its own. Of a holder on this machine it is
// known at once that it is dead.
//
// A holder that was away too long (stopped, or cut off) finds the lease taken and is fenced: by the
// next beat, by Write, and by the lock's text, which the new holder has written anew.

#include <chrono>
#include <memory>
#include <string>

#include "places/place.h"
#include "places/s3/s3_client.h"

namespace levada::places {

struct LeaseTimes {
  std::chrono::milliseconds beat{5'000};
  /// Without a beat for so long, the holder is gone.
  std::chrono::milliseconds patience{30'000};
};

/// The lock whose text is the object `key`. nullptr when somebody else holds it, which may take
/// `times.patience` to find out. `client` and `random` outlive the lock.
Result<std::unique_ptr<PlaceLock>> TryLease(Context& ctx, const std::shared_ptr<S3Client>& client,
                                            Random& random, const std::string& key,
                                            const LeaseTimes& times);

}  // namespace levada::places
