#pragma once
// AwsChunkedDecoder: the bytes of an object out of a body in S3's aws-chunked encoding, as they
// arrive, with the signatures of its chunks and its trailers checked. It stands between the HTTP
// body, whose own chunked transfer encoding is undone already, and whoever stores or hashes the
// object. It computes no checksum of the object: a trailer that names one is handed on.
//
//     for (std::string_view bytes : body) {
//       while (!bytes.empty()) {
//         auto step = decoder.Next(bytes);       // an S3Error ends the request
//         bytes.remove_prefix(step->taken);
//         object.Append(step->data);
//       }
//     }
//     decoder.Finish();                          // IncompleteBody unless the end was seen
//
// Data is passed on before the signature behind it was checked, which is behind the chunk: nothing
// may be committed before Finish is OK.
//
//     chunk    = size-in-hex [";chunk-signature=" 64-hex] CRLF data CRLF
//     body     = chunk* last-chunk-of-size-0-without-data trailer* CRLF
//     trailer  = name ":" value end          in the two forms with trailers
//     end      = CRLF | LF CRLF              the second is minio-go's, as S3's documentation prints
//                                            it
//
// In the signed form with trailers the last of them is x-amz-trailer-signature.
//
// Source: S3 API reference, "Transferring Payload in Multiple Chunks (Chunked Upload)", "Including
// Trailing Headers (Chunked Upload)"; docs/wire/sigv4.md has the clients that were read.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/sigv4/chunk_signatures.h"
#include "formats/sigv4/payload.h"

namespace levada::sigv4 {

struct ChunkedLimits {
  /// Only the last chunk with data may be smaller, as in S3: each chunk costs a signature.
  uint64_t chunk_bytes_min = 8'192;
  /// S3's largest single upload. Chunks are not buffered, so that this bounds no memory.
  uint64_t chunk_bytes_max = uint64_t{5} << 30;
  /// Names in x-amz-trailer. Clients send one.
  size_t trailers_max = 8;
};

/// A chunk's line without its CRLF: 16 digits, ";chunk-signature=" and 64 digits are 97.
constexpr size_t kChunkLineBytesMax = 128;
/// A trailer's line. The longest of S3's, with a SHA-512 in base64, is 111.
constexpr size_t kTrailerLineBytesMax = 1'024;

/// What the headers of a request declare of its aws-chunked body.
struct ChunkedBody {
  PayloadKind kind = PayloadKind::kStreamingUnsignedTrailer;
  uint64_t decoded_bytes = 0;         ///< x-amz-decoded-content-length
  std::vector<std::string> trailers;  ///< x-amz-trailer, in lower case
};

/// MissingContentLength without a decoded length that is a number; InvalidRequest for trailers that
/// are none of S3's (x-amz-checksum-*), too many, or in a form without them. Precondition:
/// IsStreaming(kind).
Result<ChunkedBody> ParseChunkedBody(std::span<const HeaderView> headers, PayloadKind kind,
                                     const ChunkedLimits& limits = {});

struct Trailer {
  std::string name;  ///< in lower case: "x-amz-checksum-crc32c"
  std::string value;

  friend bool operator==(const Trailer&, const Trailer&) = default;
};

/// One thread at a time.
class AwsChunkedDecoder final {
 public:
  /// `signatures` are needed in the two signed forms, and not looked at in the unsigned one.
  AwsChunkedDecoder(ChunkedBody body, std::optional<ChunkSignatures> signatures,
                    const ChunkedLimits& limits = {});

  struct Step {
    size_t taken = 0;       ///< at least 1
    std::string_view data;  ///< of the object; within the bytes given
  };
  /// Takes from the front of `bytes`, which must not be empty, up to one piece of data. What it
  /// gives does not depend on how a body is cut. Errors, which repeat at each further call:
  /// - IncompleteBody: no aws-chunked encoding, more or fewer bytes of data than declared, bytes
  ///   behind the end;
  /// - InvalidChunkSizeError: a small chunk that is not the last, or one over the limit;
  /// - SignatureDoesNotMatch: of a chunk or of the trailers;
  /// - MalformedTrailerError: not a trailer, not announced, twice, or announced and missing.
  Result<Step> Next(std::string_view bytes);
  /// IncompleteBody unless the whole body was taken; the error of Next where there was one.
  Status Finish() const;

  bool done() const { return state_ == State::kDone; }
  /// Of data, so far.
  uint64_t decoded_bytes() const { return decoded_bytes_; }
  /// Complete once done(), without the signature.
  const std::vector<Trailer>& trailers() const { return trailers_; }

 private:
  enum class State : uint8_t { kChunkLine, kData, kDataEnd, kTrailerLine, kDone };
  struct Line {
    size_t taken = 0;
    std::optional<std::string_view> text;  // with its LF; nullopt: it goes on
  };

  Result<Step> Advance(std::string_view bytes);
  Result<Step> TakeData(std::string_view bytes);
  Result<Line> TakeLine(std::string_view bytes, size_t size_max);
  Status ReadChunkLine(std::string_view line);
  Status BeginChunk(uint64_t size);
  Status EndData(std::string_view line);
  Status ReadTrailerLine(std::string_view line);
  Status ReadTrailer(std::string_view line);
  Status EndTrailers();

  ChunkedBody body_;
  std::optional<ChunkSignatures> signatures_;
  ChunkedLimits limits_;
  State state_ = State::kChunkLine;
  Status failed_;
  std::string line_;       // of which a part was given
  std::string kept_line_;  // what Line::text points into when it came in parts
  uint64_t chunk_count_ = 0;
  uint64_t chunk_bytes_ = 0;       // of the chunk, or of the last one
  uint64_t chunk_bytes_left_ = 0;  // still to come
  uint64_t decoded_bytes_ = 0;
  std::string chunk_signature_;  // as given
  Sha256 hash_;                  // of the chunk's data
  std::vector<Trailer> trailers_;
  std::string trailer_lines_;                   // as they are signed
  std::optional<std::string> trailers_signed_;  // the signature given
  bool expects_crlf_ = false;                   // after a trailer that ended in LF alone
};

}  // namespace levada::sigv4
