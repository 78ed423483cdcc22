#pragma once
// The long stretches of a CRC by carry-less multiplication of the x86-64 instruction set: 64 bytes
// a step, to a remainder of 16 bytes that tables finish. Internal to this folder.

#include <array>
#include <cstddef>
#include <cstdint>

namespace levada::checksums {

/// Fewer bytes are not worth folding, and cannot be.
constexpr size_t kFoldBytesMin = 64;

/// Powers of x that carry a half of a 16-byte block over a distance: [0] its first eight bytes, [1]
/// its last. As 64-bit words with the coefficient of x^i in bit 63-i.
struct FoldConstants {
  std::array<uint64_t, 2> over_64_bytes;
  std::array<uint64_t, 2> over_16_bytes;
};

/// Whether this processor can.
bool CanFold();

/// 16 bytes whose CRC, begun with a register of zeros, is that of the `size / 16 * 16` bytes from
/// `bytes` on, begun with `state`. Preconditions: CanFold(), size >= kFoldBytesMin.
std::array<uint8_t, 16> Fold(const FoldConstants& constants, uint64_t state, const uint8_t* bytes,
                             size_t size);

}  // namespace levada::checksums
