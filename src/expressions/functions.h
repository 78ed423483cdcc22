#pragma once
// Functions: what an expression can call by name, in one table that is also their reference.

#include <span>
#include <string_view>

#include "expressions/binder.h"

namespace levada::expressions {

/// One line of the reference.
struct FunctionEntry {
  std::string_view name;
  std::string_view signature;  ///< "substring(text, start[, length])"
  std::string_view doc;        ///< starts lower case, no full stop
};
/// By name.
std::span<const FunctionEntry> FunctionEntries();

/// The call of a function, or of an operator that is one: "not", "negate", "is null", "like", "||".
Binder::Bound CallFunction(Binder& binder, const Syntax& syntax, Arguments arguments);

/// a % b of integers, with the sign of a.
Binder::Bound Remainder(Binder& binder, Arguments arguments, Range range);

}  // namespace levada::expressions
