#pragma once
// Integers of 128 and 256 bits as decimal texts.

#include <cstdint>
#include <span>
#include <string>

namespace levada::chnative {

/// `bytes` are 16 or 32, little-endian, in two's complement where `is_signed`.
void AppendWideInteger(std::span<const uint8_t> bytes, bool is_signed, std::string& text);

}  // namespace levada::chnative
