#pragma once
// Buckets: what is known of a bucket beside its objects: whose it is, whether it keeps versions,
// who may read it from where, what goes by itself. Control keeps that; here it is read and changed
// in the words of R2. On the loop.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/s3xml/cors.h"
#include "formats/s3xml/lifecycle.h"
#include "services/core/control.h"
#include "services/core/key_locks.h"
#include "services/r2/notifications.h"
#include "services/r2/object_store.h"

namespace levada::services::r2 {

struct BucketSettings {
  Versioning versioning = Versioning::kOff;
  std::vector<s3xml::CorsRule> cors;
  std::vector<s3xml::LifecycleRule> lifecycle;
  bool is_public = false;  ///< anybody may read its objects
  std::vector<NotificationRule> notifications;
};

struct KnownBucket {
  Resource resource;
  BucketSettings settings;

  Bucket bucket() const { return {resource.number, settings.versioning}; }
};

/// 3 to 63 lower-case letters, digits, hyphens, and dots as S3 has them; a host's name, and not an
/// address.
bool IsBucketName(std::string_view name);

class Buckets final {
 public:
  /// All outlive it.
  Buckets(Control& control, ObjectStore& store, net::Loop& loop, net::Workers& workers)
      : control_(control), store_(store), loop_(loop), workers_(workers), changes_(loop) {}

  /// Of any account; null when there is none. kStoreDamaged for settings that cannot be read.
  Result<std::shared_ptr<const KnownBucket>> Find(std::string_view name);
  /// kNoSuchBucket when it is gone.
  Result<Bucket> FindByNumber(int64_t account, uint64_t number);
  /// By name.
  std::vector<Resource> List(int64_t account) const;

  /// kBadBucketName, kBucketExists, kBucketTaken.
  net::Task<Result<Resource>> Create(Account account, std::string name, Actor actor);
  /// kBucketNotEmpty.
  net::Task<Status> Delete(std::shared_ptr<const KnownBucket> bucket, Actor actor);
  /// Changes what `change` changes and nothing else; the settings as they are then. `what` is for
  /// the audit log.
  net::Task<Result<BucketSettings>> Change(std::shared_ptr<const KnownBucket> bucket,
                                           std::function<Status(BucketSettings&)> change,
                                           std::string what, Actor actor);

 private:
  /// What the store goes by.
  void Tell(const Resource& bucket, const BucketSettings& settings);

  Control& control_;
  ObjectStore& store_;
  net::Loop& loop_;
  net::Workers& workers_;
  KeyLocks changes_;  // of the settings of a bucket
  std::unordered_map<uint64_t, std::shared_ptr<const KnownBucket>> known_;  // by number
};

/// JSON, and back; what Control keeps of a bucket.
std::string TextOf(const BucketSettings& settings);
Result<BucketSettings> ParseSettings(std::string_view text);

}  // namespace levada::services::r2
