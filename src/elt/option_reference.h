#pragma once
// References in option values: `${env:NAME}` and `${file:PATH}`; `$${` stands for a literal `${`.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "elt/options.h"

namespace levada::elt {

/// A value with its references replaced may be this long at most.
inline constexpr size_t kResolvedBytesMax = 1 << 20;

/// What is wrong with a reference. `offset` and `length` are its place in the value.
struct ReferenceProblem {
  size_t offset = 0;
  size_t length = 0;
  std::string message;
  std::string help;
};

/// True when `text` has anything that ResolveReferences would change or refuse.
bool HasReference(std::string_view text);

/// The first reference that is not well formed; nothing is looked up.
std::optional<ReferenceProblem> CheckReferences(std::string_view text);

/// The text with its references replaced, or the first problem. Messages name the reference and
/// never show what it stands for.
struct Resolved {
  std::string text;
  std::optional<ReferenceProblem> problem;
};
Resolved ResolveReferences(std::string_view text, const Environment& environment);

}  // namespace levada::elt
