#include "base/text_columns.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace levada {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Combining marks and joiners of the scripts most met; the rest is counted one cell too wide, which
// moves a caret.
constexpr auto kZeroWidth = std::to_array<Range>({
    {0x0300, 0x036f},
    {0x0483, 0x0489},
    {0x0591, 0x05bd},
    {0x0610, 0x061a},
    {0x064b, 0x065f},
    {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff},
    {0x200b, 0x200d},
    {0x20d0, 0x20ff},
    {0x2060, 0x2060},
    {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f},
    {0xfeff, 0xfeff},
    {0xe0100, 0xe01ef},
});
// East Asian Wide and Fullwidth (Unicode TR 11), in blocks.
constexpr auto kDoubleWidth = std::to_array<Range>({
    {0x1100, 0x115f},
    {0x2e80, 0x303e},
    {0x3041, 0xa4cf},
    {0xac00, 0xd7a3},
    {0xf900, 0xfaff},
    {0xfe30, 0xfe6f},
    {0xff00, 0xff60},
    {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff},
    {0x1f900, 0x1f9ff},
    {0x20000, 0x3fffd},
});
// Marks, embeddings, overrides and isolates of direction: they would let a file reorder what we
// print around it.
constexpr auto kDirection = std::to_array<Range>({
    {0x061c, 0x061c},
    {0x200e, 0x200f},
    {0x2028, 0x202e},
    {0x2066, 0x2069},
});

template <size_t N>
bool Within(const std::array<Range, N>& ranges, char32_t c) {
  return std::ranges::any_of(
      ranges, [c](const Range& range) { return c >= range.first && c <= range.last; });
}

struct Decoded {
  char32_t character = 0;
  size_t byte_count = 0;  // 0: not UTF-8
};

Decoded Decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t count = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < count) return {};
  char32_t character = lead & (0x7f >> count);
  for (size_t i = 1; i < count; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    character = character << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  if (character < kSmallest[count] || character > 0x10ffff || surrogate) return {};
  return {character, count};
}

}  // namespace

size_t Utf8CharacterBytes(std::string_view text) { return Decode(text).byte_count; }

ShownCharacter NextShown(std::string_view text) {
  const Decoded decoded = Decode(text);
  if (decoded.byte_count == 0) return {1, "\xef\xbf\xbd", 1};
  const char32_t c = decoded.character;
  const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
  if (control || Within(kDirection, c)) return {decoded.byte_count, " ", 1};
  const int columns = c < 0x300 ? 1 : Within(kZeroWidth, c) ? 0 : Within(kDoubleWidth, c) ? 2 : 1;
  return {decoded.byte_count, text.substr(0, decoded.byte_count), columns};
}

std::string ShownText(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const ShownCharacter character = NextShown(text);
    shown += character.bytes;
    text.remove_prefix(character.byte_count);
  }
  return shown;
}

}  // namespace levada
