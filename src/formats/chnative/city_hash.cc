#include "formats/chnative/city_hash.h"

#include <bit>
#include <cstring>
#include <utility>

namespace levada::chnative {
namespace {

// The four odd constants of CityHash 1.0.2, and the multiplier of its step from 128 to 64 bits.
constexpr uint64_t kPrime0 = 0xc3a5c85c97cb3127;
constexpr uint64_t kPrime1 = 0xb492b66fbe98f273;
constexpr uint64_t kPrime2 = 0x9ae16a3b2f90404f;
constexpr uint64_t kPrime3 = 0xc949d7c7509e6557;
constexpr uint64_t kFold = 0x9ddfea08eb382d69;

using Bytes = std::span<const uint8_t>;

uint64_t Word(Bytes bytes, size_t at) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}
uint64_t HalfWord(Bytes bytes, size_t at) {
  uint32_t word;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}
uint64_t Turn(uint64_t value, int by) { return std::rotr(value, by); }
uint64_t Mix(uint64_t value) { return value ^ (value >> 47); }

uint64_t Folded(uint64_t low, uint64_t high) {
  const uint64_t first = Mix((low ^ high) * kFold);
  return Mix((high ^ first) * kFold) * kFold;
}

uint64_t OfUpTo16(Bytes bytes) {
  const size_t size = bytes.size();
  if (size > 8) {
    const uint64_t last = Word(bytes, size - 8);
    return Folded(Word(bytes, 0), Turn(last + size, static_cast<int>(size))) ^ last;
  }
  if (size >= 4) return Folded(size + (HalfWord(bytes, 0) << 3), HalfWord(bytes, size - 4));
  if (size == 0) return kPrime2;
  const uint32_t ends = bytes[0] + (uint32_t{bytes[size / 2]} << 8);
  const uint32_t sized = static_cast<uint32_t>(size) + (uint32_t{bytes[size - 1]} << 2);
  return Mix(ends * kPrime2 ^ sized * kPrime3) * kPrime2;
}

/// 32 bytes from `at` and two seeds as 16 bytes.
Hash128 Weak(Bytes bytes, size_t at, uint64_t a, uint64_t b) {
  const uint64_t last = Word(bytes, at + 24);
  a += Word(bytes, at);
  b = Turn(b + a + last, 21);
  const uint64_t before = a;
  a += Word(bytes, at + 8) + Word(bytes, at + 16);
  b += Turn(a, 44);
  return {a + last, b + before};
}

Hash128 OfShort(Bytes bytes, Hash128 seed) {
  uint64_t a = seed.low, b = seed.high, c = 0, d = 0;
  const size_t size = bytes.size();
  if (size <= 16) {
    a = Mix(a * kPrime1) * kPrime1;
    c = b * kPrime1 + OfUpTo16(bytes);
    d = Mix(a + (size >= 8 ? Word(bytes, 0) : c));
  } else {
    c = Folded(Word(bytes, size - 8) + kPrime1, a);
    d = Folded(b + size, c + Word(bytes, size - 16));
    a += d;
    // The last step may read bytes that an earlier one has read: 1 to 16 are left for it.
    for (size_t at = 0; at + 16 < size; at += 16) {
      a = (a ^ Mix(Word(bytes, at) * kPrime1) * kPrime1) * kPrime1;
      b ^= a;
      c = (c ^ Mix(Word(bytes, at + 8) * kPrime1) * kPrime1) * kPrime1;
      d ^= c;
    }
  }
  a = Folded(a, c);
  b = Folded(d, b);
  return {a ^ b, Folded(b, a)};
}

struct State {
  uint64_t x, y, z;
  Hash128 v, w;

  void Take64(Bytes bytes, size_t at) {
    x = Turn(x + y + v.low + Word(bytes, at + 16), 37) * kPrime1;
    y = Turn(y + v.high + Word(bytes, at + 48), 42) * kPrime1;
    x ^= w.high;
    y ^= v.low;
    z = Turn(z ^ w.low, 33);
    v = Weak(bytes, at, v.high * kPrime1, x + w.low);
    w = Weak(bytes, at + 32, z + w.high, y);
    std::swap(x, z);
  }
};

Hash128 OfSeeded(Bytes bytes, Hash128 seed) {
  const size_t size = bytes.size();
  if (size < 128) return OfShort(bytes, seed);
  State s{seed.low, seed.high, size * kPrime1, {}, {}};
  s.v.low = Turn(s.y ^ kPrime1, 49) * kPrime1 + Word(bytes, 0);
  s.v.high = Turn(s.v.low, 42) * kPrime1 + Word(bytes, 8);
  s.w.low = Turn(s.y + s.z, 35) * kPrime1 + s.x;
  s.w.high = Turn(s.x + Word(bytes, 88), 53) * kPrime1;
  size_t at = 0;
  for (; size - at >= 128; at += 128) {
    s.Take64(bytes, at);
    s.Take64(bytes, at + 64);
  }
  s.y += Turn(s.w.low, 37) * kPrime0 + s.z;
  s.x += Turn(s.v.low + s.z, 49) * kPrime0;
  // What is left, by 32 bytes from the end, which may begin within what was read.
  for (size_t done = 0; done < size - at;) {
    done += 32;
    s.y = Turn(s.y - s.x, 42) * kPrime0 + s.v.high;
    s.w.low += Word(bytes, size - done + 16);
    s.x = Turn(s.x, 49) * kPrime0 + s.w.low;
    s.w.low += s.v.low;
    s.v = Weak(bytes, size - done, s.v.low, s.v.high);
  }
  s.x = Folded(s.x, s.v.low);
  s.y = Folded(s.y, s.w.low);
  return {Folded(s.x + s.v.high, s.w.high) + s.y, Folded(s.x + s.w.high, s.y + s.v.high)};
}

}  // namespace

Hash128 CityHash128(Bytes bytes) {
  const size_t size = bytes.size();
  if (size >= 16) {
    return OfSeeded(bytes.subspan(16), {Word(bytes, 0) ^ kPrime3, Word(bytes, 8)});
  }
  if (size >= 8) {
    return OfSeeded({}, {Word(bytes, 0) ^ (size * kPrime0), Word(bytes, size - 8) ^ kPrime1});
  }
  return OfSeeded(bytes, {kPrime0, kPrime1});
}

}  // namespace levada::chnative
