#pragma once
// The pages of docs/errors inside the binary, for `levada explain`. The table is generated at build
// time (cmake/Embed.cmake).

#include <span>
#include <string_view>

namespace levada::app {

struct ErrorPage {
  std::string_view code;  ///< "LV1002"
  std::string_view text;  ///< Markdown
};

/// By code.
std::span<const ErrorPage> ErrorPages();

}  // namespace levada::app
