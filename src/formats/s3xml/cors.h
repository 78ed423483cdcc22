#pragma once
// CORSConfiguration: which pages of other origins may read and write a bucket. Only the document
// and S3's rules for it; matching a request against it is the service's.
//
// Source: S3 API reference, PutBucketCors and CORSRule; its messages as other servers' tests have
// recorded them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::s3xml {

constexpr size_t kCorsRulesMax = 100;                  // S3's
constexpr size_t kCorsBytesMax = size_t{64} * 1024;    // S3's, of the document
constexpr uint32_t kMaxAgeSecondsMax = 2'147'483'647;  // S3's type is a signed integer

struct CorsRule {
  std::string id;  ///< "" without one
  std::vector<std::string> allowed_origins;
  std::vector<std::string> allowed_methods;
  std::vector<std::string> allowed_headers;
  std::vector<std::string> expose_headers;
  std::optional<uint32_t> max_age_seconds;
  bool operator==(const CorsRule&) const = default;
};

/// MalformedXML for no rule, for more than kCorsRulesMax, and for one without an origin or a
/// method; InvalidRequest for a method that is not GET, PUT, POST, DELETE or HEAD, for more than
/// one "*" in an origin or a header, for any in ExposeHeader, and for a header that has no name of
/// one; InvalidArgument for an ID of more than 255 characters.
Result<std::vector<CorsRule>> ParseCorsConfiguration(std::string_view body);
std::string WriteCorsConfiguration(const std::vector<CorsRule>& rules);

}  // namespace levada::s3xml
