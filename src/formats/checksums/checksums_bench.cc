// GB/s of each checksum on one core, over pieces of 64 KiB as a body gives them, and of zlib's
// CRC-32 beside ours. The argument of the first is Algorithm.

#include <benchmark/benchmark.h>
#include <zlib.h>

#include <cstdlib>
#include <string>

#include "formats/checksums/checksum.h"
#include "formats/checksums/crc.h"
#include "formats/checksums/multipart.h"

namespace levada::checksums {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;

void Counted(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kPieceBytes));
}

void Update(benchmark::State& state) {
  const auto algorithm = static_cast<Algorithm>(state.range(0));
  auto checksum = Checksum::Make(algorithm);
  if (!checksum.ok()) std::abort();
  const std::string piece(kPieceBytes, 'x');
  for (auto _ : state) {
    if (!checksum->Update(piece).ok()) std::abort();
  }
  Counted(state);
  state.SetLabel(std::string(NameOf(algorithm)));
}
BENCHMARK(Update)->DenseRange(0, 7);

void ByTables(benchmark::State& state) {
  const std::string piece(kPieceBytes, 'x');
  uint64_t crc = 0;
  for (auto _ : state) {
    crc = ExtendCrcByTables(static_cast<CrcKind>(state.range(0)), crc, piece);
    benchmark::DoNotOptimize(crc);
  }
  Counted(state);
}
BENCHMARK(ByTables)->DenseRange(0, 2);

void Zlib(benchmark::State& state) {
  const std::string piece(kPieceBytes, 'x');
  uLong crc = 0;
  for (auto _ : state) {
    crc = crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), kPieceBytes);
    benchmark::DoNotOptimize(crc);
  }
  Counted(state);
}
BENCHMARK(Zlib);

/// Time of one part, of as many as an upload may have.
void FullObject(benchmark::State& state) {
  std::vector<Part> parts(kPartsMax, Part{Digest("12345678"), 8 << 20});
  parts.back().size = 5;
  for (auto _ : state) {
    auto digest = FullObjectChecksum(Algorithm::kCrc64Nvme, parts);
    if (!digest.ok()) std::abort();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kPartsMax));
}
BENCHMARK(FullObject);

}  // namespace
}  // namespace levada::checksums
