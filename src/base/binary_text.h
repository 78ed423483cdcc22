#pragma once
// Bytes as text and back: hex, base64, base64url. Each reader takes what its writer writes and
// nothing else: a value has one text, the case of hex digits apart.

#include <optional>
#include <string>
#include <string_view>

namespace levada {

/// In lower case.
std::string HexOf(std::string_view bytes);
/// Digits of either case; nullopt unless all are hex digits, two a byte.
std::optional<std::string> BytesOfHex(std::string_view hex);

/// RFC 4648 section 4, with padding.
std::string Base64Of(std::string_view bytes);
std::optional<std::string> BytesOfBase64(std::string_view text);

/// RFC 4648 section 5, without padding.
std::string Base64UrlOf(std::string_view bytes);
std::optional<std::string> BytesOfBase64Url(std::string_view text);

}  // namespace levada
