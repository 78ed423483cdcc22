#include "base/url.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace levada {

std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    uint8_t byte = 0;
    const char* digits = text.data() + i + 1;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto parsed = std::from_chars(digits, digits + 2, byte, 16);
    if (parsed.ec != std::errc() || parsed.ptr != digits + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

std::optional<std::string> FormDecoded(std::string_view text) {
  std::string blanks(text);
  std::ranges::replace(blanks, '+', ' ');
  return PercentDecoded(blanks);
}

std::vector<UrlParameter> UrlParameters(std::string_view text) {
  std::vector<UrlParameter> parameters;
  while (!text.empty()) {
    UrlParameter parameter;
    parameter.written = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), parameter.written.size() + 1));
    const size_t equals = parameter.written.find('=');
    parameter.name = parameter.written.substr(0, equals);
    if (equals != std::string_view::npos) parameter.value = parameter.written.substr(equals + 1);
    parameters.push_back(parameter);
  }
  return parameters;
}

}  // namespace levada
