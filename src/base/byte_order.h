#pragma once
// Unsigned numbers as bytes of a fixed order, in formats of ours.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace levada {

/// The lowest `bytes` bytes of `value`, the highest of them first: such keys sort as the numbers.
inline void AppendBigEndian(std::string& out, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 255));
  }
}

/// Of at most 8 bytes.
inline uint64_t ReadBigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = (value << 8) | static_cast<uint8_t>(c);
  return value;
}

inline void AppendLittleEndian(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 255));
}

/// Of at most 8 bytes.
inline uint64_t ReadLittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i > 0; --i) {
    value = (value << 8) | static_cast<uint8_t>(bytes[i - 1]);
  }
  return value;
}

}  // namespace levada
