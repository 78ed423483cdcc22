#pragma once
// AwsChunkedEncoder: the framing of an aws-chunked body, for a client of S3's and for tests. The
// data itself is not copied: a body is Head(chunk), chunk, kChunkEnd for each, then Tail(trailers).
// The decoder's header has the grammar.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/sigv4/aws_chunked_decoder.h"

namespace levada::sigv4 {

/// Follows the data of each chunk.
constexpr std::string_view kChunkEnd = "\r\n";

/// One thread at a time.
class AwsChunkedEncoder final {
 public:
  /// `signatures` as for the decoder.
  AwsChunkedEncoder(PayloadKind kind, std::optional<ChunkSignatures> signatures);

  /// What stands before the data of a chunk, which must not be empty.
  std::string Head(std::string_view data);
  /// What ends the body: the chunk without data, the trailers and, where they are signed, their
  /// signature.
  std::string Tail(std::span<const Trailer> trailers);

 private:
  std::string Line(std::string_view data);

  PayloadKind kind_;
  std::optional<ChunkSignatures> signatures_;
};

/// Content-Length of a body of so many bytes in chunks of `chunk_bytes`, the last one smaller.
/// `trailers` as Tail will get them, with values of the right length.
uint64_t EncodedBytes(PayloadKind kind, uint64_t decoded_bytes, uint64_t chunk_bytes,
                      std::span<const Trailer> trailers);

}  // namespace levada::sigv4
