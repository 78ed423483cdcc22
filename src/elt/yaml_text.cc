#include "elt/yaml_text.h"

#include <algorithm>
#include <cstdint>

#include "base/text_columns.h"
#include "elt/value.h"

namespace levada::elt {
namespace {

constexpr size_t kNowhere = std::string_view::npos;

std::string Hex(unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {kDigits[byte >> 4], kDigits[byte & 15]};
}

std::optional<YamlProblem> FindControlCharacter(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != 0x7F) continue;
    if (byte == '\t' || byte == '\n') continue;
    if (byte == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (byte == '\r' && i + 1 == text.size()) continue;
    const bool zero = byte == 0;
    return YamlProblem{.offset = i,
                       .message = zero ? "NUL byte in the file" : "control character in the file",
                       .label = "byte 0x" + Hex(byte),
                       .help = zero ? "save the file as UTF-8 text; UTF-16 is not read"
                                    : "remove it; in a quoted value write it as an escape: \"\\x" +
                                          Hex(byte) + "\""};
  }
  return std::nullopt;
}

std::optional<YamlProblem> FindDirective(std::string_view text) {
  for (size_t i = 0; i != kNowhere && i < text.size();) {
    if (text[i] == '%') {
      return YamlProblem{.offset = i,
                         .message = "a line cannot start with \"%\"",
                         .label = "YAML would read a directive",
                         .help = "remove the line; no YAML directives are needed here"};
    }
    const size_t line_break = text.find('\n', i);
    i = line_break == kNowhere ? kNowhere : line_break + 1;
  }
  return std::nullopt;
}

std::optional<YamlProblem> CheckFlowIndicators(std::string_view text) {
  const auto count = static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return c == '[' || c == '{' || c == ','; }));
  if (count <= kPlanNodesMax) return std::nullopt;
  return YamlProblem{.code = FaultCode::kPlanTooLarge,
                     .message = "the file has " + std::to_string(count) +
                                " of \"[\", \"{\" and \",\", more than " +
                                std::to_string(kPlanNodesMax),
                     .help = "split it into several pipelines"};
}

size_t LineBreak(std::string_view text, size_t from) {
  size_t end = std::min(text.find('\n', from), text.size());
  if (end > from && text[end - 1] == '\r') --end;
  return end;
}

/// Behind the closing quote of the scalar that opens at `begin`, or nullopt.
std::optional<size_t> CloseQuote(std::string_view text, size_t begin) {
  const char quote = text[begin];
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote != '\'' || i + 1 >= text.size() || text[i + 1] != '\'') return i + 1;
      ++i;
    }
  }
  return std::nullopt;
}

}  // namespace

size_t ValidUtf8Prefix(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const size_t length = Utf8CharacterBytes(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return i;
}

std::optional<YamlProblem> FindTextProblem(std::string_view text) {
  if (text.size() > kPlanBytesMax) {
    return YamlProblem{.code = FaultCode::kPlanTooLarge,
                       .message = "the file has " + std::to_string(text.size()) +
                                  " bytes, more than " + std::to_string(kPlanBytesMax),
                       .help = "split it into several pipelines"};
  }
  if (auto problem = FindControlCharacter(text)) return problem;
  if (const size_t valid = ValidUtf8Prefix(text); valid < text.size()) {
    return YamlProblem{.offset = valid,
                       .message = "the file is not valid UTF-8",
                       .label = "byte 0x" + Hex(static_cast<unsigned char>(text[valid])),
                       .help = "save it in the encoding UTF-8"};
  }
  if (auto problem = FindDirective(text)) return problem;
  return CheckFlowIndicators(text);
}

ScalarExtent FindScalarExtent(std::string_view text, size_t begin, std::string_view value) {
  const size_t line_end = LineBreak(text, begin);
  if (begin >= text.size()) return {.first_line_end = line_end, .end = line_end};
  const char first = text[begin];
  if (first == '"' || first == '\'') {
    const std::optional<size_t> end = CloseQuote(text, begin);
    return {.first_line_end = std::min(end.value_or(line_end), line_end),
            .end = end,
            .closed = end.has_value()};
  }
  if (first == '|' || first == '>') return {.first_line_end = begin + 1};
  if (text.substr(begin, value.size()) == value) {
    return {.first_line_end = begin + value.size(), .end = begin + value.size()};
  }
  size_t last = text.find_last_not_of(" \t", line_end - 1);
  return {.first_line_end = std::max(last == kNowhere ? begin : last + 1, begin + 1)};
}

}  // namespace levada::elt
