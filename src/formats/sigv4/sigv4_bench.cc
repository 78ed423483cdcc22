// Time of one verification, and GB/s of the aws-chunked decoder on one core, over a body that
// arrives in pieces of 64 KiB: unsigned, and with the signatures of chunks of 64 KiB.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "formats/sigv4/aws_chunked_encoder.h"
#include "formats/sigv4/signer.h"

namespace levada::sigv4 {
namespace {

constexpr WallMicros kNow = WallMicros{1'369'353'600} * 1'000'000;
constexpr size_t kChunkBytes = 64 * 1024;
constexpr size_t kChunks = 256;

Credentials TestCredentials() { return {"AKIAIOSFODNN7EXAMPLE", Secret("secret"), ""}; }

void VerifyHeader(benchmark::State& state) {
  const std::vector<HeaderView> given = {{"Host", "127.0.0.1:8788"},
                                         {"x-amz-meta-a", "1"},
                                         {"Content-Type", "text/plain"},
                                         {"User-Agent", "Boto3/1.43.11 md/Botocore#1.43.11"}};
  const auto made =
      Sign({"GET", "/bucket/some/long/key.parquet", "versionId=1&x-id=GetObject", given},
           PayloadOf(""), TestCredentials(), "auto", kNow);
  if (!made.ok()) std::abort();
  std::vector<HeaderView> headers = given;
  for (const SignedHeader& header : made->headers) headers.push_back({header.name, header.value});
  const RequestView request{"GET", "/bucket/some/long/key.parquet", "versionId=1&x-id=GetObject",
                            headers};
  const Limits limits;
  const SigningKey key = DeriveSigningKey(TestCredentials().secret, "20130524", "auto");
  for (auto _ : state) {
    const auto authorization = ParseAuthorization(request, limits);
    if (!authorization.ok() || !Verify(request, **authorization, key, kNow, limits).ok()) {
      std::abort();
    }
  }
}
BENCHMARK(VerifyHeader);

void DeriveKey(benchmark::State& state) {
  const Credentials credentials = TestCredentials();
  for (auto _ : state) {
    benchmark::DoNotOptimize(DeriveSigningKey(credentials.secret, "20130524", "auto"));
  }
}
BENCHMARK(DeriveKey);

void Decode(benchmark::State& state) {
  const auto kind = static_cast<PayloadKind>(state.range(0));
  const Authorization seed;
  const ChunkSignatures signatures(seed, SigningKey());
  std::vector<Trailer> trailers;
  if (HasTrailers(kind)) trailers = {{"x-amz-checksum-crc32", "AAAAAA=="}};
  AwsChunkedEncoder encoder(kind, signatures);
  const std::string chunk(kChunkBytes, 'x');
  std::string body;
  for (size_t i = 0; i < kChunks; ++i) {
    body += encoder.Head(chunk) + chunk + std::string(kChunkEnd);
  }
  body += encoder.Tail(trailers);
  ChunkedBody declared{kind, kChunks * kChunkBytes, {}};
  for (const Trailer& trailer : trailers) declared.trailers.push_back(trailer.name);
  for (auto _ : state) {
    AwsChunkedDecoder decoder(declared, signatures);
    for (size_t at = 0; at < body.size(); at += kChunkBytes) {
      std::string_view piece = std::string_view(body).substr(at, kChunkBytes);
      while (!piece.empty()) {
        const auto step = decoder.Next(piece);
        if (!step.ok()) std::abort();
        benchmark::DoNotOptimize(step->data.data());
        piece.remove_prefix(step->taken);
      }
    }
    if (!decoder.Finish().ok()) std::abort();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kChunks * kChunkBytes));
  state.SetLabel(std::string(TextOf(kind)));
}
BENCHMARK(Decode)
    ->Arg(static_cast<int>(PayloadKind::kStreamingSigned))
    ->Arg(static_cast<int>(PayloadKind::kStreamingUnsignedTrailer));

}  // namespace
}  // namespace levada::sigv4
