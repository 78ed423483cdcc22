#include "formats/checksums/crc.h"

#include <array>
#include <bit>
#include <cstring>

#include "formats/checksums/crc_fold.h"
#include "formats/checksums/crc_polynomial.h"

namespace levada::checksums {
namespace {

static_assert(std::endian::native == std::endian::little);

/// [k][b]: what a byte b does to the register when k zero bytes follow it.
using Tables = std::array<std::array<uint64_t, 256>, 8>;

constexpr Tables MakeTables(const CrcPolynomial& polynomial) {
  Tables tables{};
  for (uint64_t byte = 0; byte < 256; ++byte) {
    uint64_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = TimesX(polynomial, value);
    tables[0][byte] = value;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint64_t value = tables[k - 1][byte];
      tables[k][byte] = (value >> 8) ^ tables[0][value & 0xff];
    }
  }
  return tables;
}

/// Carrying the first half of a block over D bits multiplies it by x^(64+D), the last by x^D; the
/// product of two reflected words is that of their polynomials times x, hence one less.
constexpr FoldConstants MakeFoldConstants(const CrcPolynomial& polynomial) {
  const auto over = [&](uint64_t bits) {
    const int shift = 64 - polynomial.width;
    return std::array<uint64_t, 2>{PowerOfX(polynomial, bits + 63) << shift,
                                   PowerOfX(polynomial, bits - 1) << shift};
  };
  return {over(512), over(128)};
}

struct Crc {
  CrcPolynomial polynomial;
  Tables tables;
  FoldConstants fold;
};

constexpr Crc Make(const CrcPolynomial& polynomial) {
  return {polynomial, MakeTables(polynomial), MakeFoldConstants(polynomial)};
}

constexpr std::array<Crc, 3> kCrcs = {Make(kPolynomial32), Make(kPolynomial32c),
                                      Make(kPolynomial64Nvme)};

const Crc& Of(CrcKind kind) { return kCrcs[static_cast<size_t>(kind)]; }

uint64_t ByTables(const Tables& tables, uint64_t state, const uint8_t* bytes, size_t size) {
  for (; size >= 8; bytes += 8, size -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes, 8);
    word ^= state;
    state = tables[7][word & 0xff] ^ tables[6][word >> 8 & 0xff] ^ tables[5][word >> 16 & 0xff] ^
            tables[4][word >> 24 & 0xff] ^ tables[3][word >> 32 & 0xff] ^
            tables[2][word >> 40 & 0xff] ^ tables[1][word >> 48 & 0xff] ^ tables[0][word >> 56];
  }
  for (; size > 0; ++bytes, --size) {
    state = (state >> 8) ^ tables[0][(state ^ *bytes) & 0xff];
  }
  return state;
}

}  // namespace

int CrcBytes(CrcKind kind) { return Of(kind).polynomial.width / 8; }

uint64_t ExtendCrcByTables(CrcKind kind, uint64_t crc, std::string_view bytes) {
  const Crc& it = Of(kind);
  const uint64_t inverted = it.polynomial.mask();
  return inverted ^ ByTables(it.tables, crc ^ inverted,
                             reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

uint64_t ExtendCrc(CrcKind kind, uint64_t crc, std::string_view bytes) {
  static const bool can_fold = CanFold();
  if (bytes.size() < kFoldBytesMin || !can_fold) return ExtendCrcByTables(kind, crc, bytes);
  const Crc& it = Of(kind);
  const uint64_t inverted = it.polynomial.mask();
  const auto* begin = reinterpret_cast<const uint8_t*>(bytes.data());
  const std::array<uint8_t, 16> folded = Fold(it.fold, crc ^ inverted, begin, bytes.size());
  const size_t done = bytes.size() / 16 * 16;
  const uint64_t state = ByTables(it.tables, 0, folded.data(), folded.size());
  return inverted ^ ByTables(it.tables, state, begin + done, bytes.size() - done);
}

CrcShift::CrcShift(CrcKind kind, uint64_t bytes)
    : kind_(kind),
      bytes_(bytes),
      power_(Power(Of(kind).polynomial, PowerOfX(Of(kind).polynomial, 8), bytes)) {}

uint64_t CrcShift::Combine(uint64_t first, uint64_t second) const {
  // The inversions of the three registers cancel out.
  return Multiply(Of(kind_).polynomial, power_, first) ^ second;
}

}  // namespace levada::checksums
