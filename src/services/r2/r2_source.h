#pragma once
// The bytes of an object out of the rest of a request's body, with checksums that are known before
// they come: for the v4 API and for bindings.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/http.h"
#include "services/r2/object_receiver.h"

namespace levada::services::r2 {

struct ExpectedDigest {
  checksums::Algorithm algorithm = checksums::Algorithm::kMd5;
  checksums::Digest digest{""};
};

class R2Source final : public ObjectSource {
 public:
  /// `begun`: bytes of the object that were read already. `bytes`: of the object, when known.
  /// `body` outlives it.
  R2Source(net::RequestBody& body, std::string begun, std::optional<uint64_t> bytes,
           std::vector<ExpectedDigest> expected)
      : body_(body), begun_(std::move(begun)), bytes_(bytes), expected_(std::move(expected)) {}

  net::Task<Result<std::string_view>> Read() override;
  std::optional<uint64_t> declared_bytes() const override { return bytes_; }
  std::vector<checksums::Algorithm> algorithms() const override;
  /// kBadDigest. What was expected is kept with the object, MD5 apart, which always is.
  Result<std::vector<StoredChecksum>> Check(const Computed& computed) override;

 private:
  net::RequestBody& body_;
  std::string begun_;
  bool begun_given_ = false;
  const std::optional<uint64_t> bytes_;
  const std::vector<ExpectedDigest> expected_;
};

}  // namespace levada::services::r2
