#pragma once
// Event notifications: which queues hear of what becomes of a bucket's objects, and in what words.
// Shapes: Cloudflare's documentation, "R2 event notifications". Pure: no I/O.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace levada::services::r2 {

enum class ObjectAction : uint8_t {
  kPutObject,
  kCopyObject,
  kCompleteMultipartUpload,
  kDeleteObject,
  kLifecycleDeletion,
};
/// "PutObject"
std::string_view NameOf(ObjectAction action);
std::optional<ObjectAction> ObjectActionOf(std::string_view name);

struct NotificationRule {
  std::string id;      ///< 32 hex digits
  uint64_t queue = 0;  ///< by its number, which outlives its name
  std::vector<ObjectAction> actions;
  std::string prefix = {};  ///< of keys; "": all
  std::string suffix = {};
  std::string description = {};
  WallMicros created = 0;

  bool Matches(ObjectAction action, std::string_view key) const;
  bool operator==(const NotificationRule&) const = default;
};

/// Everything that a message says of a bucket, and whom it is sent to.
struct BucketEvents {
  std::string account;  ///< its id
  std::string bucket;
  std::vector<NotificationRule> rules;
};

/// Another object, which was copied.
struct CopiedFrom {
  std::string bucket;
  std::string key;
};

struct ObjectEvent {
  ObjectAction action = ObjectAction::kPutObject;
  std::string_view key;
  int64_t at_ms = 0;
  /// Of what is there now; a deletion has neither.
  std::optional<uint64_t> bytes = {};
  std::string_view etag = {};
  const CopiedFrom* copied_from = nullptr;
};

/// Each once, however many of its rules match; in the order of their numbers.
std::vector<uint64_t> QueuesOf(const std::vector<NotificationRule>& rules, ObjectAction action,
                               std::string_view key);
/// The message, JSON.
std::string MessageOf(const BucketEvents& of, const ObjectEvent& event);

/// As Control keeps them, JSON, and back; nullopt for what is none.
std::string TextOf(const std::vector<NotificationRule>& rules);
std::optional<std::vector<NotificationRule>> ParseNotificationRules(std::string_view text);

}  // namespace levada::services::r2
