#pragma once
// What URLs of sources and targets have in common.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace levada {

/// "%41" as "A"; nullopt for a "%" that two hex digits do not follow.
std::optional<std::string> PercentDecoded(std::string_view text);

/// As a form has it, where '+' is a blank: "a+b%2Fc" as "a b/c".
std::optional<std::string> FormDecoded(std::string_view text);

/// One of "a=1&b=2".
struct UrlParameter {
  std::string_view written;  ///< "a=1"
  std::string_view name;
  std::optional<std::string_view> value;  ///< still encoded; none without a "="
};
/// Of what stands behind the "?" of a URL, which has to outlive them.
std::vector<UrlParameter> UrlParameters(std::string_view text);

}  // namespace levada
