#pragma once
// LifecycleConfiguration: what is deleted or moved when. Only the document and S3's rules for it;
// which of them a server obeys is decided by the service.
//
// Source: S3 API reference, PutBucketLifecycleConfiguration and LifecycleRule; ceph/s3-tests for
// the codes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fault.h"

namespace levada::s3xml {

constexpr size_t kLifecycleRulesMax = 1'000;  // S3's

/// After `days` (of a transition 0 counts) or on `date`, midnight UTC: exactly one of the two.
struct LifecycleTransition {
  std::optional<uint32_t> days;
  std::optional<WallMicros> date;
  std::string storage_class;  ///< as given, not empty
  bool operator==(const LifecycleTransition&) const = default;
};

struct NoncurrentTransition {
  uint32_t days = 0;
  std::optional<uint32_t> newer_versions;  ///< 1 to 100
  std::string storage_class;
  bool operator==(const NoncurrentTransition&) const = default;
};

struct LifecycleRule {
  std::string id;  ///< "" without one: S3 then makes one up
  bool enabled = false;

  /// Which objects: all where nothing is set.
  std::optional<std::string> prefix;
  bool prefix_is_legacy = false;  ///< stood in the rule itself, not in a Filter; then it is set
  std::optional<uint64_t> size_greater_than;
  std::optional<uint64_t> size_less_than;
  /// The filter asks for tags, which are not kept: such a rule must not be taken for one without.
  bool has_tags = false;

  /// At most one of the three.
  std::optional<uint32_t> expiration_days;
  std::optional<WallMicros> expiration_date;
  bool expired_object_delete_marker = false;

  std::optional<uint32_t> noncurrent_expiration_days;
  std::optional<uint32_t> newer_noncurrent_versions;  ///< 1 to 100; only beside the days
  std::optional<uint32_t> abort_incomplete_days;
  std::vector<LifecycleTransition> transitions;
  std::vector<NoncurrentTransition> noncurrent_transitions;
  bool operator==(const LifecycleRule&) const = default;
};

/// Unknown elements are ignored but in a filter, where one less would delete more. MalformedXML for
/// what S3's schema refuses, among it no rule, more than kLifecycleRulesMax, a rule with neither
/// Filter nor Prefix or with both; InvalidArgument for an ID that is long or stands twice, days
/// that are not positive, a date not at midnight; InvalidRequest for a rule without an action and
/// sizes that fit nothing.
Result<std::vector<LifecycleRule>> ParseLifecycleConfiguration(std::string_view body);
/// Precondition: no rule has tags.
std::string WriteLifecycleConfiguration(const std::vector<LifecycleRule>& rules);

}  // namespace levada::s3xml
