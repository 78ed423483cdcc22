#include "services/s3/s3_source.h"

#include <algorithm>

#include "base/ascii.h"
#include "services/r2/r2_error.h"

namespace levada::services::s3 {

using checksums::Algorithm;
using checksums::Digest;
using r2::R2Error;
using r2::R2ErrorCode;
using sigv4::PayloadKind;

namespace {

constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";
// Headers of that prefix that are no checksum.
constexpr std::string_view kChecksumWords[] = {"x-amz-checksum-algorithm", "x-amz-checksum-mode",
                                               "x-amz-checksum-type"};

/// S3's: MD5 is not among them, nor are R2's own.
bool IsOfS3(Algorithm algorithm) {
  return algorithm != Algorithm::kMd5 && algorithm != Algorithm::kSha384 &&
         algorithm != Algorithm::kSha512;
}

sigv4::S3Error ManyChecksums() {
  return sigv4::InvalidRequest(
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
}

}  // namespace

Result<Algorithm> ParseAlgorithm(std::string_view name) {
  const std::optional<Algorithm> algorithm = checksums::AlgorithmOfName(name);
  if (!algorithm || !IsOfS3(*algorithm)) {
    return sigv4::InvalidRequest(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid "
        "types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  }
  return *algorithm;
}

Result<std::unique_ptr<S3Source>> S3Source::Make(S3Call& call) {
  std::unique_ptr<S3Source> source(new S3Source(call));
  ARROW_RETURN_NOT_OK(source->ReadHeaders(true));
  return source;
}

Result<std::unique_ptr<S3Source>> S3Source::MakeOfObject(S3Call& call) {
  if (!call.Header("Content-Length") && !call.Header("Transfer-Encoding")) {
    return R2Error(R2ErrorCode::kMissingLength);
  }
  return Make(call);
}

Result<std::unique_ptr<S3Source>> S3Source::MakeWithoutChecksum(S3Call& call) {
  std::unique_ptr<S3Source> source(new S3Source(call));
  ARROW_RETURN_NOT_OK(source->ReadHeaders(false));
  return source;
}

Status S3Source::ReadHeaders(bool with_checksum) {
  declared_bytes_ = call_.request.body->declared_size();
  if (!declared_bytes_ && !call_.Header("x-amz-decoded-content-length")) {
    return R2Error(R2ErrorCode::kMissingLength);
  }
  if (const auto given = call_.Header("Content-MD5")) {
    md5_ = Digest::FromBase64(*given, checksums::DigestBytes(Algorithm::kMd5));
    if (!md5_) {
      return sigv4::S3Error{400, "InvalidDigest", "The Content-MD5 you specified was invalid.", {}};
    }
  }
  if (with_checksum) ARROW_RETURN_NOT_OK(ReadChecksumHeaders());
  if (!call_.authorization) return Status::OK();
  const sigv4::Payload& payload = call_.authorization->payload;
  if (payload.kind == PayloadKind::kHash) payload_sha256_ = payload.sha256();
  if (!sigv4::IsStreaming(payload.kind)) return Status::OK();
  const std::vector<sigv4::HeaderView> headers = ViewsOf(call_.request.headers);
  ARROW_ASSIGN_OR_RAISE(sigv4::ChunkedBody body, sigv4::ParseChunkedBody(headers, payload.kind));
  declared_bytes_ = body.decoded_bytes;
  for (const std::string& trailer : body.trailers) {
    const std::optional<Algorithm> algorithm = checksums::AlgorithmOfHeader(trailer);
    if (!algorithm || !IsOfS3(*algorithm)) continue;
    if (algorithm_) return ManyChecksums();
    algorithm_ = algorithm;
  }
  std::optional<sigv4::ChunkSignatures> signatures;
  if (sigv4::IsSignedStreaming(payload.kind)) {
    signatures.emplace(*call_.authorization, call_.signing_key);
  }
  decoder_.emplace(std::move(body), std::move(signatures));
  return Status::OK();
}

Status S3Source::ReadChecksumHeaders() {
  for (const net::HeaderField& field : call_.request.headers.fields()) {
    if (!StartsIgnoringCase(field.name, kChecksumPrefix)) continue;
    const std::string name = LowerAscii(field.name);
    if (std::ranges::find(kChecksumWords, name) != std::end(kChecksumWords)) continue;
    const std::optional<Algorithm> algorithm = checksums::AlgorithmOfHeader(name);
    if (!algorithm || !IsOfS3(*algorithm)) {
      return sigv4::InvalidRequest("The algorithm type you specified in " + name +
                                   " header is invalid.");
    }
    if (algorithm_) return ManyChecksums();
    if (!Digest::FromBase64(field.value, checksums::DigestBytes(*algorithm))) {
      return sigv4::InvalidRequest("Value for " + name + " header is invalid.");
    }
    algorithm_ = algorithm;
    expected_ = field.value;
  }
  return Status::OK();
}

std::vector<Algorithm> S3Source::algorithms() const {
  std::vector<Algorithm> wanted;
  if (payload_sha256_) wanted.push_back(Algorithm::kSha256);
  if (algorithm_ && (algorithm_ != Algorithm::kSha256 || !payload_sha256_)) {
    wanted.push_back(*algorithm_);
  }
  return wanted;
}

net::Task<Result<std::string_view>> S3Source::Read() {
  while (true) {
    if (decoder_ && !arrived_.empty()) {
      Result<std::string_view> data = Decode();
      if (!data.ok() || !data->empty()) co_return data;
      continue;
    }
    Result<std::string_view> piece = co_await call_.request.body->Read();
    if (!piece.ok()) co_return piece.status();
    if (!decoder_) co_return piece;
    if (piece->empty()) {
      const Status ended = decoder_->Finish();
      if (!ended.ok()) co_return ended;
      co_return std::string_view();
    }
    arrived_ = *piece;
  }
}

Result<std::string_view> S3Source::Decode() {
  ARROW_ASSIGN_OR_RAISE(const sigv4::AwsChunkedDecoder::Step step, decoder_->Next(arrived_));
  arrived_.remove_prefix(step.taken);
  return step.data;
}

Result<std::vector<r2::StoredChecksum>> S3Source::Check(const r2::Computed& computed) {
  if (md5_ && *md5_ != computed.md5) {
    return R2Error(R2ErrorCode::kBadDigest,
                   "The Content-MD5 you specified did not match what we received.");
  }
  if (payload_sha256_) {
    const Digest* digest = computed.Find(Algorithm::kSha256);
    if (digest == nullptr || digest->Hex() != *payload_sha256_) {
      return R2Error(R2ErrorCode::kBadPayloadHash);
    }
  }
  std::vector<r2::StoredChecksum> kept;
  if (!algorithm_) return kept;
  if (decoder_) {
    const std::string header(checksums::HeaderOf(*algorithm_));
    const auto at = std::ranges::find(decoder_->trailers(), header, &sigv4::Trailer::name);
    if (at != decoder_->trailers().end()) expected_ = at->value;
  }
  const Digest* digest = computed.Find(*algorithm_);
  if (digest == nullptr || (expected_ && *expected_ != digest->Base64())) {
    return R2Error(R2ErrorCode::kBadDigest,
                   "The " + std::string(checksums::NameOf(*algorithm_)) +
                       " you specified did not match the calculated checksum.");
  }
  kept.push_back({*algorithm_, checksums::ChecksumType::kFullObject, digest->Base64()});
  return kept;
}

net::Task<Result<std::string>> ReadChecked(r2::ObjectSource& source, uint64_t bytes_max) {
  const std::optional<uint64_t> declared = source.declared_bytes();
  std::string text;
  while (true) {
    const Result<std::string_view> piece = co_await source.Read();
    if (!piece.ok()) co_return piece.status();
    if (piece->empty()) break;
    if (text.size() + piece->size() > bytes_max) {
      co_return sigv4::S3Error{400, "MaxMessageLengthExceeded", "Your request was too large.", {}}
          .ToStatus();
    }
    text += *piece;
  }
  if (declared && *declared != text.size()) co_return R2Error(R2ErrorCode::kIncompleteBody);
  r2::Computed computed;
  computed.bytes = text.size();
  for (const Algorithm algorithm : source.algorithms()) {
    const Result<Digest> digest = checksums::DigestOf(algorithm, text);
    if (!digest.ok()) co_return digest.status();
    computed.others.emplace_back(algorithm, *digest);
  }
  const Result<Digest> md5 = checksums::DigestOf(Algorithm::kMd5, text);
  if (!md5.ok()) co_return md5.status();
  computed.md5 = *md5;
  const auto checked = source.Check(computed);
  if (!checked.ok()) co_return checked.status();
  co_return text;
}

}  // namespace levada::services::s3
