#include "formats/s3xml/writer.h"

#include <arrow/util/logging.h>

#include <utility>

#include "base/text_columns.h"
#include "formats/s3xml/times.h"

namespace levada::s3xml {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr char kHexDigits[] = "0123456789ABCDEF";

bool IsNoncharacter(std::string_view character) {
  return character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
}

void AppendReference(std::string& out, unsigned char c) {
  out += "&#x";
  if (c >= 16) out += kHexDigits[c >> 4];
  out += kHexDigits[c & 15];
  out += ';';
}

void AppendTag(std::string& out, std::string_view name, bool closing) {
  out += closing ? "</" : "<";
  out += name;
  out += '>';
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    size_t byte_count = 1;
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c < 0x20 || c == 0x7F) {
      AppendReference(out, c);
    } else if (c < 0x80) {
      out += static_cast<char>(c);
    } else {
      byte_count = Utf8CharacterBytes(text);
      const std::string_view character = text.substr(0, byte_count);
      out += byte_count == 0 || IsNoncharacter(character) ? kReplacement : character;
      if (byte_count == 0) byte_count = 1;
    }
    text.remove_prefix(byte_count);
  }
  return out;
}

std::string UrlEncoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                          (c >= '0' && c <= '9') ||
                          std::string_view("-._~/").find(c) != std::string_view::npos;
    if (is_plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    }
  }
  return out;
}

void Writer::Open(std::string_view name, std::string_view xmlns) {
  open_.emplace_back(name);
  if (xmlns.empty()) return AppendTag(text_, name, false);
  text_ += '<';
  text_ += name;
  text_ += " xmlns=\"";
  text_ += Escaped(xmlns);
  text_ += "\">";
}

void Writer::Close(std::string_view name) {
  ARROW_CHECK(!open_.empty() && open_.back() == name) << "closes " << name;
  open_.pop_back();
  AppendTag(text_, name, true);
}

void Writer::Characters(std::string_view text) { text_ += Escaped(text); }

void Writer::Text(std::string_view name, std::string_view text) {
  AppendTag(text_, name, false);
  text_ += Escaped(text);
  AppendTag(text_, name, true);
}

void Writer::Number(std::string_view name, uint64_t value) { Text(name, std::to_string(value)); }

void Writer::Boolean(std::string_view name, bool value) { Text(name, value ? "true" : "false"); }

void Writer::Time(std::string_view name, WallMicros time) { Text(name, FormatTime(time)); }

void Writer::ETag(std::string_view etag) { Text("ETag", '"' + std::string(etag) + '"'); }

void Writer::TextUnlessEmpty(std::string_view name, std::string_view text) {
  if (!text.empty()) Text(name, text);
}

void Writer::OptionalText(std::string_view name, const std::optional<std::string>& text) {
  if (text) Text(name, *text);
}

void Writer::OptionalNumber(std::string_view name, const std::optional<uint32_t>& value) {
  if (value) Number(name, *value);
}

std::string Writer::Finish() && {
  ARROW_CHECK(open_.empty()) << "an element is open";
  return std::move(text_);
}

}  // namespace levada::s3xml
