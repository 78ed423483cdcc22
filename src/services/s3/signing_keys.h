#pragma once
// SigningKeys: keys that signatures were right by, so that the next request of the same client need
// not unseal its secret and derive one again, which is a fifth of a small read. A key stands for a
// secret, a day and a region, and a token's secret never changes: whether the token is still valid
// is asked elsewhere, each time.

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "formats/sigv4/verifier.h"

namespace levada::services::s3 {

/// One thread at a time.
class SigningKeys final {
 public:
  /// Of the authorization's access key, day and region; nullptr: not kept. Until the next Keep.
  const sigv4::SigningKey* Find(const sigv4::Authorization& authorization) const;
  /// Only when the authorization was verified by it: what strangers send must not push out what
  /// clients need.
  void Keep(const sigv4::Authorization& authorization, const sigv4::SigningKey& key);
  size_t size() const { return keys_.size(); }

  /// More clients than one daemon has in a day. When there are as many it begins anew: most of them
  /// are of days that are over.
  static constexpr size_t kKeysMax = 4096;

 private:
  static std::string NameOf(const sigv4::Authorization& authorization);
  std::map<std::string, sigv4::SigningKey, std::less<>> keys_;
};

}  // namespace levada::services::s3
