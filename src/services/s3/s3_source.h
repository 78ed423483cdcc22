#pragma once
// S3Source: the body of a request as bytes of an object: S3's chunks undone and their signatures
// checked, and at the end everything the client said of the bytes compared with what came.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/sigv4/aws_chunked_decoder.h"
#include "services/r2/object_receiver.h"
#include "services/s3/s3_call.h"

namespace levada::services::s3 {

class S3Source final : public r2::ObjectSource {
 public:
  /// Reads what the headers announce; `call` outlives it. S3Errors for headers that contradict each
  /// other or say nothing sensible; MissingContentLength for a body of unknown size.
  static Result<std::unique_ptr<S3Source>> Make(S3Call& call);
  /// Of an object or a part, which comes with its length: MissingContentLength also for no body, of
  /// which an empty object would be made.
  static Result<std::unique_ptr<S3Source>> MakeOfObject(S3Call& call);
  /// Of a request whose x-amz-checksum headers are not about its body.
  static Result<std::unique_ptr<S3Source>> MakeWithoutChecksum(S3Call& call);

  net::Task<Result<std::string_view>> Read() override;
  std::optional<uint64_t> declared_bytes() const override { return declared_bytes_; }
  std::vector<checksums::Algorithm> algorithms() const override;
  /// BadDigest, XAmzContentSHA256Mismatch.
  Result<std::vector<r2::StoredChecksum>> Check(const r2::Computed& computed) override;

 private:
  explicit S3Source(S3Call& call) : call_(call) {}
  Status ReadHeaders(bool with_checksum);
  Status ReadChecksumHeaders();
  Result<std::string_view> Decode();

  S3Call& call_;
  std::optional<uint64_t> declared_bytes_;
  std::optional<checksums::Digest> md5_;
  std::optional<std::string> payload_sha256_;  // hex
  std::optional<checksums::Algorithm> algorithm_;
  std::optional<std::string> expected_;  // base64, of a header; a trailer brings it later
  std::optional<sigv4::AwsChunkedDecoder> decoder_;
  std::string_view arrived_;  // of the request's body, not decoded yet
};

/// Of a header as in x-amz-checksum-algorithm; InvalidRequest for none of S3's.
Result<checksums::Algorithm> ParseAlgorithm(std::string_view name);

/// Everything of `source` in memory, checked.
net::Task<Result<std::string>> ReadChecked(r2::ObjectSource& source, uint64_t bytes_max);

}  // namespace levada::services::s3
