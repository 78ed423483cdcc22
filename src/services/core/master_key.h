#pragma once
// The master key: 32 bytes in a file of its own, outside the database it protects. It finds a token
// without storing it, and seals what must be read again in clear (S3 secrets, passwords of
// origins, secrets of Workers).
//
// Format of the file: one key a line, "<key id> <64 hex digits>", newest last; mode 0600. New
// secrets are sealed with the newest, old ones are opened with the one they name.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fault.h"
#include "base/secret.h"
#include "os/disk.h"

namespace levada::services {

/// Immutable; thread-safe.
class MasterKey final {
 public:
  /// nullopt when there is no such file. Errors: kBadValue for a file that is no key file or that
  /// others may read.
  static Result<std::optional<MasterKey>> Load(os::Disk& disk, const std::string& path);
  /// Writes a file with one new key, which must not be there yet.
  static Result<MasterKey> Make(os::Disk& disk, const std::string& path, Random& random);
  /// Of given keys; for tests.
  static MasterKey Of(std::string_view bytes32);

  /// What a token is found by: hex HMAC-SHA256 under each key, newest first.
  std::vector<std::string> LookupsOf(const Secret& token) const;
  std::string LookupOf(const Secret& token) const { return LookupsOf(token).front(); }
  /// AES-256-GCM under the newest key; `context` is what it belongs to ("token:<id>:s3") and has to
  /// be given again, so that one row's secret cannot be put into another's.
  Result<std::string> Seal(const Secret& secret, std::string_view context, Random& random) const;
  /// kStoreDamaged when it was not sealed with one of these keys for this context.
  Result<Secret> Open(std::string_view sealed, std::string_view context) const;
  const std::string& newest_id() const { return keys_.back().id; }

 private:
  class KeyedHmac;
  /// Each use has a key of its own, so that what one reveals says nothing of another.
  struct Key {
    Key(std::string name, std::string_view bytes32);

    std::string id;
    std::shared_ptr<KeyedHmac> finding;
    std::array<uint8_t, 32> sealing{};
  };
  std::vector<Key> keys_;
};

/// `size` random bytes.
std::string RandomBytes(Random& random, size_t size);

}  // namespace levada::services
