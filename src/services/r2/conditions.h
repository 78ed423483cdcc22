#pragma once
// Preconditions of a request on an object, as HTTP has them (RFC 9110 section 13) and as R2's
// bindings have them. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/r2/object_record.h"

namespace levada::services::r2 {

/// A list of entity tags, or any.
struct EtagList {
  struct Etag {
    std::string value;  ///< without quotes
    bool is_weak = false;
  };
  bool is_any = false;
  std::vector<Etag> etags;
};

/// `"abc", W/"def"`, `*`, and the bare value that many S3 clients send.
EtagList ParseEtagList(std::string_view text);

struct Conditions {
  std::optional<EtagList> match;               ///< If-Match: strong comparison
  std::optional<EtagList> none_match;          ///< If-None-Match: weak comparison
  std::optional<int64_t> modified_since_ms;    ///< holds when the object is newer
  std::optional<int64_t> unmodified_since_ms;  ///< holds when it is not
  /// Of an object that is not there modified_since fails too; to HTTP it holds.
  bool missing_fails_modified_since = false;
  bool by_seconds = true;  ///< times are compared as whole seconds

  bool empty() const { return !match && !none_match && !modified_since_ms && !unmodified_since_ms; }
};

enum class Verdict : uint8_t {
  kHolds,
  kFails,
  kNotModified,  ///< none_match or modified_since fails: 304 to a read, a failure to a write
};

/// In the order of RFC 9110: unmodified_since is not looked at beside match, nor modified_since
/// beside none_match. Of an object that is not there (null) match fails, the times hold.
Verdict Evaluate(const Conditions& conditions, const ObjectRecord* object);

}  // namespace levada::services::r2
