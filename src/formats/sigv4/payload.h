#pragma once
// What x-amz-content-sha256 declares of a body: its hash, no hash, or one of S3's three streaming
// forms, in which the body comes as aws-chunked (aws_chunked_decoder.h).
//
// Source: S3 API reference, "Authenticating Requests: Using the Authorization Header", the table of
// values of x-amz-content-sha256.

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/sigv4/s3_error.h"

namespace levada::sigv4 {

enum class PayloadKind : uint8_t {
  kHash,                      ///< the SHA-256 of the body as it is sent
  kUnsigned,                  ///< UNSIGNED-PAYLOAD
  kStreamingSigned,           ///< STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  kStreamingSignedTrailer,    ///< STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
  kStreamingUnsignedTrailer,  ///< STREAMING-UNSIGNED-PAYLOAD-TRAILER
};

struct Payload {
  PayloadKind kind = PayloadKind::kUnsigned;
  /// As it was sent: a line of the canonical request.
  std::string text;

  /// For kHash: 64 lower-case digits that the body's SHA-256 has to equal before anything is
  /// committed.
  std::string sha256() const;
};

bool IsStreaming(PayloadKind kind);
/// Whether the body's chunks carry signatures.
bool IsSignedStreaming(PayloadKind kind);
/// Whether trailers follow the last chunk.
bool HasTrailers(PayloadKind kind);
/// "UNSIGNED-PAYLOAD" and the like; empty for kHash.
std::string_view TextOf(PayloadKind kind);

/// InvalidArgument for a text that is none of S3's, NotImplemented for its two forms of version 4A.
Result<Payload> ParsePayload(std::string_view text);

/// XAmzContentSHA256Mismatch, for whoever hashed the body.
S3Error PayloadMismatch(const Payload& declared, std::string computed);

}  // namespace levada::sigv4
