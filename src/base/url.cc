#include "base/url.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace levada {

std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (;;) {
    const size_t percent = std::min(text.find('%'), text.size());
    decoded += text.substr(0, percent);
    text.remove_prefix(percent);
    if (text.empty()) return decoded;
    if (text.size() < 3) return std::nullopt;
    uint8_t byte = 0;
    const auto parsed = std::from_chars(text.data() + 1, text.data() + 3, byte, 16);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + 3) return std::nullopt;
    decoded += static_cast<char>(byte);
    text.remove_prefix(3);
  }
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
