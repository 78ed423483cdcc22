#pragma once
// S3Address: which bucket and prefix a URL means, and at which server.
//
//     s3://lake/orders?region=eu-central-1
//     s3://lake/orders?endpoint_override=127.0.0.1:8788&scheme=http&region=auto
//
// The parameters are those of Arrow's file systems, so that one URL serves levada, pyarrow and
// others alike. What the URL leaves out comes from the environment that AWS's SDKs read:
// AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION, AWS_CA_BUNDLE.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::places {

/// The value of an environment variable; nullopt where it is not set.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

struct S3Address {
  std::string bucket;
  std::string prefix;  ///< below the bucket, without "/" at its ends; may be empty
  std::string region = "us-east-1";
  std::string origin;     ///< "https://s3.eu-central-1.amazonaws.com", of every request
  std::string authority;  ///< what the header Host says
  std::string base_path;  ///< "/lake", or "" where the bucket is in the host's name
  std::string ca_file;    ///< PEM; empty: the system's

  /// "s3://lake/orders"; with `path` below it. Without the server, which is no part of a name.
  std::string Location(std::string_view path = {}) const;
};

bool IsS3Url(std::string_view location);
/// "region" and the others that ParseS3Url knows.
bool IsS3Parameter(std::string_view name);

/// kBadValue, in words that quote no parameter's value: unknown parameters, a bucket that is no
/// name of one, credentials in the URL.
Result<S3Address> ParseS3Url(const std::string& url, const Variables& variables);

}  // namespace levada::places
