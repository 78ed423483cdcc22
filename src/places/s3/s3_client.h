#pragma once
// S3Client: signed requests to one bucket, tried again where that can help. What they mean for a
// dataset is s3_place.h.
//
// Source: S3 API reference; signatures by formats/sigv4, connections by net/http_session.h.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "net/http_session.h"
#include "places/s3/s3_address.h"
#include "places/s3/s3_credentials.h"

namespace levada::places {

/// An entity tag without its quotes.
std::string Unquoted(std::string_view etag);

struct S3Call {
  std::string method;
  std::string key;  ///< of the object in the bucket, not encoded; empty: the bucket itself
  std::vector<std::pair<std::string, std::string>> query = {};    ///< not encoded
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< besides those of signatures
  std::string_view body = {};                                     ///< borrowed
  size_t answer_bytes_max = size_t{1} << 20;
};

struct S3Answer {
  int status = 0;
  net::Headers headers;
  std::string body;
  std::string error_code;  ///< of S3: "NoSuchKey"; empty with success

  bool ok() const { return status >= 200 && status < 300; }
  /// Without its quotes; empty where there is none.
  std::string etag() const;
};

/// Makes the sessions that requests go over; a test counts them or gives its own.
using SessionMaker = std::function<Result<std::unique_ptr<net::HttpSession>>()>;

/// How often and how long a request is tried. For tests.
struct S3Retries {
  int tries = 6;
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds longest_pause{5'000};
};

/// Thread-safe; requests at once have a connection each.
class S3Client {
 public:
  S3Client(S3Address address, CredentialInput credentials, Random& random, SessionMaker sessions,
           S3Retries retries = {});

  /// Success, and the refusals that tell the caller something of the bucket: 404 but for a bucket
  /// that is not there, 409, 412 and 416. Everything else is a fault in words: kAuthFailed,
  /// kPermissionDenied, kBadValue (another region), kTargetUnwritable (no bucket), kDiskFull,
  /// kTargetUnsupported, kTargetBusy, kTargetUnreachable, kTargetConnectionLost, kTargetIo.
  /// `call.body` is sent again with each try.
  Result<S3Answer> Send(Context& ctx, const S3Call& call);

  const S3Address& address() const { return address_; }

 private:
  struct Lease;
  Result<S3Answer> TryOnce(Context& ctx, const S3Call& call, const sigv4::Credentials& keys);
  Status Pause(Context& ctx, int tries);
  Status Explain(const S3Call& call, const S3Answer& answer) const;

  const S3Address address_;
  S3Credentials credentials_;
  Random& random_;
  const SessionMaker make_session_;
  const S3Retries retries_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<net::HttpSession>> idle_;
};

}  // namespace levada::places
