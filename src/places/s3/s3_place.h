#pragma once
// A Place in an S3 bucket, below a prefix.
//
// A staged file is a multipart upload that is left open: no reader and no list of objects shows it,
// and completing it is what publishes it, in one step. (S3A's "magic committer" works so too.) Its
// name is that of the object with the upload's id behind it, "orders/part-0.parquet?upload=...".
// What is staged cannot be read. Whoever takes a dataset over aborts what others have open, so that
// a process that comes back late completes nothing.
//
// A record is an object, and its tag is the object's ETag; conditional writes (If-None-Match: *,
// If-Match) decide between writers. A server that ignores them is found out by trying, at the first
// lock. Locks are leases, in s3_lock.h.
//
// Every answer of the server is durable, so Settle and Prune have nothing to do.

#include <memory>
#include <string>

#include "places/place.h"
#include "places/s3/s3_client.h"
#include "places/s3/s3_lock.h"

namespace levada::places {

struct S3PlaceLimits {
  /// Of each part but the last one; a file has at most 10,000. Cloudflare's R2 wants them equal.
  int64_t part_bytes = int64_t{8} << 20;
  LeaseTimes lease;
};

std::unique_ptr<Place> MakeS3Place(std::shared_ptr<S3Client> client, Random& random,
                                   S3PlaceLimits limits = {});

}  // namespace levada::places
