#pragma once
// Literals: what is written as a value, checked and brought into the one form that we write for the
// engine. For the sources of this folder only.

#include <optional>
#include <string>
#include <string_view>

#include "formats/aesql/query.h"
#include "formats/aesql/refusal.h"
#include "formats/aesql/syntax.h"

namespace levada::aesql {

/// Of a literal of any kind. Integers have 64 bits, doubles are finite.
std::optional<Node> BindLiteral(const Syntax& syntax, Refusal& refusal);

/// The literal with the other sign.
std::optional<Node> NegateLiteral(Node literal, Refusal& refusal);

/// `literal`, a string, as a datetime of `zone`: "2025-10-27", "2025-10-27 16:55:25", with a T
/// between, with a fraction that is dropped, or seconds since 1970. The engine would read more and
/// would fail for the rest in words of its own.
std::optional<Node> TimeOfText(Node literal, const std::string& zone, Refusal& refusal);

/// Whether a timezone may be called so; whether there is one, the engine knows.
bool IsZoneName(std::string_view name);

}  // namespace levada::aesql
