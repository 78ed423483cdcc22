#pragma once
// Arithmetic of polynomials over GF(2) modulo the polynomial of a CRC: what tables, fold constants
// and the combining of checks are computed from, at compile time where the exponent is known.
// Internal to this folder.
//
// All three CRCs are reflected: the first bit of a byte is its lowest, and so a polynomial of
// degree below `width` is held with its highest bit first, bit width-1-i being the coefficient of
// x^i.

#include <cstdint>

namespace levada::checksums {

struct CrcPolynomial {
  int width;           ///< 32 or 64
  uint64_t reflected;  ///< without its highest coefficient

  constexpr uint64_t one() const { return uint64_t{1} << (width - 1); }
  constexpr uint64_t mask() const { return ~uint64_t{0} >> (64 - width); }
};

// Catalogue of parametrised CRC algorithms (reveng.sourceforge.io): CRC-32/ISO-HDLC, CRC-32/ISCSI,
// CRC-64/NVME. In all three the register begins as ones and is inverted at the end.
constexpr CrcPolynomial kPolynomial32{32, 0xedb88320};
constexpr CrcPolynomial kPolynomial32c{32, 0x82f63b78};
constexpr CrcPolynomial kPolynomial64Nvme{64, 0x9a6c9329ac4bc9b5};

constexpr uint64_t TimesX(const CrcPolynomial& modulus, uint64_t a) {
  return (a >> 1) ^ ((a & 1) != 0 ? modulus.reflected : 0);
}

constexpr uint64_t Multiply(const CrcPolynomial& modulus, uint64_t a, uint64_t b) {
  uint64_t product = 0;
  for (uint64_t bit = modulus.one(); bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = TimesX(modulus, b);
  }
  return product;
}

/// base^exponent
constexpr uint64_t Power(const CrcPolynomial& modulus, uint64_t base, uint64_t exponent) {
  uint64_t power = modulus.one();
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) power = Multiply(modulus, power, base);
    base = Multiply(modulus, base, base);
  }
  return power;
}

constexpr uint64_t PowerOfX(const CrcPolynomial& modulus, uint64_t exponent) {
  return Power(modulus, modulus.one() >> 1, exponent);
}

}  // namespace levada::checksums
