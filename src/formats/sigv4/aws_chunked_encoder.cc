#include "formats/sigv4/aws_chunked_encoder.h"

#include <array>
#include <charconv>

namespace levada::sigv4 {
namespace {

constexpr std::string_view kSignatureMark = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature:";
constexpr uint64_t kSignatureDigits = 64;

std::string HexNumber(uint64_t number) {
  std::array<char, 16> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return std::string(digits.data(), written.ptr);
}

}  // namespace

AwsChunkedEncoder::AwsChunkedEncoder(PayloadKind kind, std::optional<ChunkSignatures> signatures)
    : kind_(kind), signatures_(std::move(signatures)) {}

std::string AwsChunkedEncoder::Line(std::string_view data) {
  std::string line = HexNumber(data.size());
  if (IsSignedStreaming(kind_) && signatures_) {
    line += kSignatureMark;
    line += signatures_->Chunk(Sha256Of(data));
  }
  return line += "\r\n";
}

std::string AwsChunkedEncoder::Head(std::string_view data) { return Line(data); }

std::string AwsChunkedEncoder::Tail(std::span<const Trailer> trailers) {
  std::string tail = Line("");
  if (HasTrailers(kind_)) {
    std::string signed_lines;
    for (const Trailer& trailer : trailers) {
      tail += trailer.name + ":" + trailer.value + "\r\n";
      signed_lines += trailer.name + ":" + trailer.value + "\n";
    }
    if (IsSignedStreaming(kind_) && signatures_) {
      tail += kTrailerSignature;
      tail += signatures_->Trailers(signed_lines) + "\r\n";
    }
  }
  return tail += "\r\n";
}

uint64_t EncodedBytes(PayloadKind kind, uint64_t decoded_bytes, uint64_t chunk_bytes,
                      std::span<const Trailer> trailers) {
  const uint64_t mark =
      IsSignedStreaming(kind) ? kSignatureMark.size() + kSignatureDigits : uint64_t{0};
  const auto frame = [&](uint64_t size) { return HexNumber(size).size() + mark + 2 + size + 2; };
  uint64_t bytes = decoded_bytes / chunk_bytes * frame(chunk_bytes) + frame(0);
  if (decoded_bytes % chunk_bytes != 0) bytes += frame(decoded_bytes % chunk_bytes);
  if (!HasTrailers(kind)) return bytes;
  for (const Trailer& trailer : trailers) {
    bytes += trailer.name.size() + 1 + trailer.value.size() + 2;
  }
  if (IsSignedStreaming(kind)) bytes += kTrailerSignature.size() + kSignatureDigits + 2;
  return bytes;
}

}  // namespace levada::sigv4
