#pragma once
// Whether bytes are text.

#include <string_view>

namespace levada {

/// Valid UTF-8: no surrogates, nothing overlong.
bool IsUtf8(std::string_view bytes);

}  // namespace levada
