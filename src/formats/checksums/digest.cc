#include "formats/checksums/digest.h"

#include <algorithm>

namespace levada::checksums {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kHex = "0123456789abcdef";

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

Digest::Digest(std::string_view bytes) : size_(std::min(bytes.size(), kDigestBytesMax)) {
  std::copy_n(bytes.begin(), size_, bytes_.begin());
}

std::optional<Digest> Digest::FromBase64(std::string_view text, size_t size) {
  if (size > kDigestBytesMax || text.size() != (size + 2) / 3 * 4) return std::nullopt;
  std::string bytes;
  uint32_t pending = 0;
  int pending_bits = 0;
  for (const char character : text) {
    if (bytes.size() == size) {
      if (character != '=') return std::nullopt;
      continue;
    }
    const size_t value = kBase64.find(character);
    if (value == std::string_view::npos) return std::nullopt;
    pending = pending << 6 | static_cast<uint32_t>(value);
    pending_bits += 6;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    bytes.push_back(static_cast<char>(pending >> pending_bits & 0xff));
    pending &= (1u << pending_bits) - 1;
  }
  if (bytes.size() != size || pending != 0) return std::nullopt;
  return Digest(bytes);
}

std::optional<Digest> Digest::FromHex(std::string_view text, size_t size) {
  if (size > kDigestBytesMax || text.size() != 2 * size) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexValue(text[i]);
    const int low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return Digest(bytes);
}

std::string Digest::Base64() const {
  std::string text;
  text.reserve((size_ + 2) / 3 * 4);
  for (size_t i = 0; i < size_; i += 3) {
    const auto byte = [&](size_t at) -> uint32_t {
      return at < size_ ? static_cast<uint8_t>(bytes_[at]) : 0;
    };
    const uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    text.push_back(kBase64[group >> 18]);
    text.push_back(kBase64[group >> 12 & 63]);
    text.push_back(i + 1 < size_ ? kBase64[group >> 6 & 63] : '=');
    text.push_back(i + 2 < size_ ? kBase64[group & 63] : '=');
  }
  return text;
}

std::string Digest::Hex() const {
  std::string text;
  text.reserve(2 * size_);
  for (const char byte : bytes()) {
    text.push_back(kHex[static_cast<uint8_t>(byte) >> 4]);
    text.push_back(kHex[static_cast<uint8_t>(byte) & 15]);
  }
  return text;
}

}  // namespace levada::checksums
