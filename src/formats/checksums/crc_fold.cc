#include "formats/checksums/crc_fold.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace levada::checksums {

#if defined(__x86_64__)

namespace {

#define LEVADA_FOLDING __attribute__((target("pclmul,sse4.1")))

LEVADA_FOLDING inline __m128i Load(const uint8_t* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

LEVADA_FOLDING inline __m128i Pair(const std::array<uint64_t, 2>& words) {
  return _mm_set_epi64x(static_cast<int64_t>(words[1]), static_cast<int64_t>(words[0]));
}

LEVADA_FOLDING inline __m128i Carry(__m128i block, __m128i constants) {
  return _mm_xor_si128(_mm_clmulepi64_si128(block, constants, 0x00),
                       _mm_clmulepi64_si128(block, constants, 0x11));
}

}  // namespace

bool CanFold() {
  return __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
}

LEVADA_FOLDING std::array<uint8_t, 16> Fold(const FoldConstants& constants, uint64_t state,
                                            const uint8_t* bytes, size_t size) {
  const __m128i far = Pair(constants.over_64_bytes);
  __m128i block0 = _mm_xor_si128(Load(bytes), _mm_set_epi64x(0, static_cast<int64_t>(state)));
  __m128i block1 = Load(bytes + 16);
  __m128i block2 = Load(bytes + 32);
  __m128i block3 = Load(bytes + 48);
  bytes += 64, size -= 64;
  for (; size >= 64; bytes += 64, size -= 64) {
    block0 = _mm_xor_si128(Carry(block0, far), Load(bytes));
    block1 = _mm_xor_si128(Carry(block1, far), Load(bytes + 16));
    block2 = _mm_xor_si128(Carry(block2, far), Load(bytes + 32));
    block3 = _mm_xor_si128(Carry(block3, far), Load(bytes + 48));
  }
  const __m128i near = Pair(constants.over_16_bytes);
  block0 = _mm_xor_si128(Carry(block0, near), block1);
  block0 = _mm_xor_si128(Carry(block0, near), block2);
  block0 = _mm_xor_si128(Carry(block0, near), block3);
  for (; size >= 16; bytes += 16, size -= 16) {
    block0 = _mm_xor_si128(Carry(block0, near), Load(bytes));
  }
  std::array<uint8_t, 16> folded{};
  _mm_storeu_si128(reinterpret_cast<__m128i*>(folded.data()), block0);
  return folded;
}

#else

bool CanFold() { return false; }

std::array<uint8_t, 16> Fold(const FoldConstants&, uint64_t, const uint8_t*, size_t) { return {}; }

#endif

}  // namespace levada::checksums
