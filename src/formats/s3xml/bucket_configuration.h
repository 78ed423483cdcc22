#pragma once
// Two short documents about a bucket: where it is, and whether it keeps versions.
//
// Source: S3 API reference, CreateBucket, GetBucketLocation, PutBucketVersioning.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fault.h"

namespace levada::s3xml {

/// The LocationConstraint of a CreateBucketConfiguration; nullopt where there is none, where it is
/// empty, and of an empty body, which most clients send. Its directory buckets and tags are
/// ignored. MalformedXML else.
Result<std::optional<std::string>> ParseCreateBucketConfiguration(std::string_view body);
/// What ParseCreateBucketConfiguration reads.
std::string WriteCreateBucketConfiguration(const std::optional<std::string>& location);
/// The answer of GetBucketLocation, a document of its own: LocationConstraint, empty for nullopt,
/// which clients take for us-east-1.
std::string WriteLocationConstraint(const std::optional<std::string>& location);

enum class VersioningStatus : uint8_t { kEnabled, kSuspended };

struct VersioningConfiguration {
  std::optional<VersioningStatus> status;  ///< none: never set
  std::optional<bool> mfa_delete;          ///< MfaDelete was given, as Enabled (true) or Disabled
  bool operator==(const VersioningConfiguration&) const = default;
};

/// MalformedXML for any other status.
Result<VersioningConfiguration> ParseVersioningConfiguration(std::string_view body);
std::string WriteVersioningConfiguration(const VersioningConfiguration& configuration);

}  // namespace levada::s3xml
