#include "services/s3/s3_copy.h"

#include <utility>
#include <vector>

#include "base/url.h"
#include "services/r2/r2_error.h"
#include "services/s3/s3_headers.h"
#include "services/s3/s3_source.h"

namespace levada::services::s3 {
namespace {

using checksums::Algorithm;
using r2::R2Error;
using r2::R2ErrorCode;

constexpr std::string_view kCopyPrefix = "x-amz-copy-source-";
constexpr std::string_view kVersionQuery = "?versionId=";

class CopyBody final : public r2::ObjectSource {
 public:
  CopyBody(std::unique_ptr<r2::ObjectReader> reader, uint64_t bytes,
           std::optional<Algorithm> algorithm)
      : reader_(std::move(reader)), bytes_(bytes), algorithm_(algorithm) {}

  net::Task<Result<std::string_view>> Read() override { return reader_->Next(); }
  std::optional<uint64_t> declared_bytes() const override { return bytes_; }
  std::vector<Algorithm> algorithms() const override {
    return algorithm_ ? std::vector<Algorithm>{*algorithm_} : std::vector<Algorithm>();
  }
  Result<std::vector<r2::StoredChecksum>> Check(const r2::Computed& computed) override {
    std::vector<r2::StoredChecksum> kept;
    for (const auto& [algorithm, digest] : computed.others) {
      kept.push_back({algorithm, checksums::ChecksumType::kFullObject, digest.Base64()});
    }
    return kept;
  }

 private:
  std::unique_ptr<r2::ObjectReader> reader_;
  uint64_t bytes_;
  std::optional<Algorithm> algorithm_;
};

sigv4::S3Error BadSource(std::string_view given) {
  return sigv4::InvalidArgument(
      "Invalid copy source: expected \"/bucket/key\", percent-encoded, or with "
      "\"?versionId=<id>\"",
      "x-amz-copy-source", std::string(given));
}

struct SourceName {
  std::string bucket;
  std::string key;
  std::optional<r2::VersionChoice> version;
};

/// "[/]bucket/key[?versionId=id]", percent-encoded; encoding as a whole is what some clients do.
Result<SourceName> ParseSource(std::string_view given) {
  SourceName name;
  std::string_view path = given;
  const size_t query = path.find(kVersionQuery);
  if (query != std::string_view::npos) {
    name.version = r2::VersionChoice::Parse(path.substr(query + kVersionQuery.size()));
    if (!name.version) {
      return sigv4::InvalidArgument(
          "Invalid version id specified: the source of the copy has no such version",
          "x-amz-copy-source", std::string(given));
    }
    path = path.substr(0, query);
  }
  const std::optional<std::string> decoded = PercentDecoded(path);
  if (!decoded) return BadSource(given);
  std::string_view rest = *decoded;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == rest.size()) {
    return BadSource(given);
  }
  name.bucket = rest.substr(0, slash);
  name.key = rest.substr(slash + 1);
  return name;
}

}  // namespace

net::Task<Result<CopySource>> OpenCopySource(S3Call& call) {
  const Result<SourceName> name = ParseSource(*call.Header("x-amz-copy-source"));
  if (!name.ok()) co_return name.status();
  // Copying reads: the token has to be one that may, and the bucket one of its account.
  const auto bucket = call.services.buckets.Find(name->bucket);
  if (!bucket.ok()) co_return bucket.status();
  if (*bucket == nullptr) co_return R2Error(R2ErrorCode::kNoSuchBucket);
  if ((*bucket)->resource.account != call.principal.account ||
      !call.principal.May(Service::kR2, Action::kRead, name->bucket)) {
    co_return sigv4::AccessDenied("Access Denied: this token may not read the source of the copy");
  }
  const Result<std::optional<r2::CustomerKey>> key = CustomerKeyOf(call, kCopyPrefix);
  if (!key.ok()) co_return key.status();
  Result<r2::OpenedObject> opened = co_await call.services.store.OpenObject(
      (*bucket)->bucket(), name->key, name->version.value_or(r2::VersionChoice{}));
  if (!opened.ok()) co_return opened.status();
  if (Evaluate(ConditionsOf(call, kCopyPrefix), &opened->record) != r2::Verdict::kHolds) {
    co_return R2Error(R2ErrorCode::kPrecondition);
  }
  const Status key_fits = CheckCustomerKey(opened->record, *key);
  if (!key_fits.ok()) co_return key_fits;
  co_return CopySource{*std::move(opened), name->bucket, name->key, name->version.has_value(),
                       *key};
}

Result<std::optional<Algorithm>> CopyAlgorithmOf(const S3Call& call, const r2::ObjectRecord& from) {
  if (const auto asked = call.Header("x-amz-checksum-algorithm")) {
    ARROW_ASSIGN_OR_RAISE(const Algorithm algorithm, ParseAlgorithm(*asked));
    return std::optional<Algorithm>(algorithm);
  }
  if (from.checksums.empty()) return std::optional<Algorithm>();
  return std::optional<Algorithm>(from.checksums.front().algorithm);
}

std::unique_ptr<r2::ObjectSource> MakeCopyBody(S3Call& call, CopySource source, r2::ByteRange range,
                                               std::optional<Algorithm> algorithm) {
  return std::make_unique<CopyBody>(
      call.services.store.Read(std::move(source.object), range, std::move(source.customer_key)),
      range.bytes, algorithm);
}

s3xml::ChecksumElement ElementOf(const r2::StoredChecksum& checksum) {
  return {"Checksum" + std::string(checksums::NameOf(checksum.algorithm)), checksum.text};
}

}  // namespace levada::services::s3
