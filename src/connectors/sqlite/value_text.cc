#include "connectors/sqlite/value_text.h"

#include <arrow/util/utf8.h>

#include <charconv>
#include <cmath>

#include "base/binary_text.h"

namespace levada::sqlite {
namespace {

using db::sqlite::Cell;
using db::sqlite::CellType;

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr size_t kUuidBytes = 16;

void AppendInteger(int64_t value, std::string& text) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value);
  text.append(digits, end.ptr);
}

void AppendText(std::string_view value, std::string& text) {
  if (!arrow::util::ValidateUTF8(value)) {
    text += "CAST(x'";
    text += HexOf(value);
    text += "' AS TEXT)";
    return;
  }
  text += '\'';
  for (const char c : value) {
    if (c == '\'') text += '\'';
    text += c;
  }
  text += '\'';
}

bool IsHyphenPlace(size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

}  // namespace

void AppendFloat(double value, std::string& text) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value);
  const std::string_view shortest(digits, static_cast<size_t>(end.ptr - digits));
  text += shortest;
  if (shortest.find_first_of(".e") == std::string_view::npos) text += ".0";
}

bool AppendLiteral(const Cell& cell, std::string& text) {
  switch (cell.type) {
    case CellType::kNull:
      text += "NULL";
      return true;
    case CellType::kInteger:
      AppendInteger(cell.integer, text);
      return true;
    case CellType::kReal:
      if (std::isinf(cell.real)) {
        text += cell.real > 0 ? "9e999" : "-9e999";
      } else {
        AppendFloat(cell.real, text);
      }
      return true;
    case CellType::kText:
      if (cell.is_lost) return false;
      AppendText(cell.bytes, text);
      return true;
    case CellType::kBlob:
      text += "x'";
      text += HexOf(cell.bytes);
      text += '\'';
      return true;
  }
  return false;
}

std::optional<std::string> UuidOfBytes(std::string_view bytes) {
  if (bytes.size() != kUuidBytes) return std::nullopt;
  std::string uuid;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (IsHyphenPlace(uuid.size())) uuid += '-';
    uuid += HexOf(bytes.substr(i, 1));
  }
  return uuid;
}

std::optional<std::string> UuidOfText(std::string_view text) {
  constexpr size_t kDigits = 2 * kUuidBytes;
  const bool hyphens = text.size() == kDigits + 4;
  if (!hyphens && text.size() != kDigits) return std::nullopt;
  std::string uuid;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsHyphenPlace(uuid.size())) {
      uuid += '-';
      if (hyphens) {
        if (text[i] != '-') return std::nullopt;
        continue;
      }
    }
    const char lower =
        text[i] >= 'A' && text[i] <= 'F' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    if (kHexDigits.find(lower) == std::string_view::npos) return std::nullopt;
    uuid += lower;
  }
  return uuid;
}

}  // namespace levada::sqlite
