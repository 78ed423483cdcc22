// Any body in each of the three streaming forms, whole and byte by byte: the decoder never reads
// outside it, gives the same both ways, gives data only from within the bytes it got, and ends well
// only on as many bytes as were declared.
//
// The first byte of an input says which form, the second how many bytes are declared.

#include <cstdlib>
#include <string>

#include "formats/sigv4/aws_chunked_decoder.h"

namespace {

using levada::sigv4::AwsChunkedDecoder;
using levada::sigv4::PayloadKind;

struct Read {
  std::string data;
  std::string status;
  std::vector<levada::sigv4::Trailer> trailers;
};

void Require(bool holds) {
  if (!holds) std::abort();
}

Read ReadAll(PayloadKind kind, uint64_t declared, std::string_view body, size_t step) {
  levada::sigv4::ChunkedBody expected{kind, declared, {}};
  if (HasTrailers(kind)) expected.trailers = {"x-amz-checksum-crc32c"};
  levada::sigv4::Authorization seed;
  seed.access_key = "fuzz";
  seed.day = "20130524";
  seed.region = "auto";
  seed.timestamp = "20130524T000000Z";
  seed.signature = std::string(64, '0');
  levada::sigv4::ChunkedLimits limits;
  limits.chunk_bytes_min = 4;
  AwsChunkedDecoder decoder(
      expected, levada::sigv4::ChunkSignatures(seed, levada::sigv4::SigningKey()), limits);
  Read read;
  for (size_t at = 0; at < body.size(); at += step) {
    std::string_view piece = body.substr(at, step);
    while (!piece.empty()) {
      const auto next = decoder.Next(piece);
      if (!next.ok()) {
        const auto error = levada::sigv4::S3ErrorOf(next.status());
        Require(error.code != "InternalError");
        Require(error.http_status == 400 || error.http_status == 403);
        read.status = next.status().ToString();
        return read;
      }
      Require(next->taken > 0 && next->taken <= piece.size());
      Require(next->data.empty() || (next->data.data() >= piece.data() &&
                                     next->data.end() <= piece.data() + piece.size()));
      read.data += next->data;
      piece.remove_prefix(next->taken);
    }
  }
  Require(decoder.decoded_bytes() == read.data.size() && read.data.size() <= declared);
  read.status = decoder.Finish().ToString();
  Require(decoder.done() == decoder.Finish().ok());
  Require(!decoder.done() || read.data.size() == declared);
  read.trailers = decoder.trailers();
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  constexpr PayloadKind kKinds[] = {PayloadKind::kStreamingSigned,
                                    PayloadKind::kStreamingSignedTrailer,
                                    PayloadKind::kStreamingUnsignedTrailer};
  const PayloadKind kind = kKinds[data[0] % 3];
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Read whole = ReadAll(kind, data[1], body, body.size() + 1);
  const Read pieces = ReadAll(kind, data[1], body, 1);
  Require(whole.status == pieces.status);
  Require(whole.data == pieces.data);
  Require(whole.trailers == pieces.trailers);
  return 0;
}
