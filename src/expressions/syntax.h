#pragma once
// Syntax: the text of an expression as a tree, before any column or type is known.
//
//     amount * (1 - discount)
//     case when country in ('DE', 'AT') then 'dach' else lower(country) end
//     seen_at >= '2026-01-01' and note is not null
//
// The grammar is the part of SQL that looks at one row; docs/guide/expressions.md has all of it.
// Every operator is a call of a function that is named by the operator, so the rest of this part
// knows four kinds of nodes only.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"

namespace levada::expressions {

/// Longer texts are refused: an expression is written by a person.
inline constexpr size_t kExpressionBytesMax = 32 << 10;
/// Of nodes in one another; trees are walked by recursion.
inline constexpr int kDepthMax = 200;

/// Bytes of an expression's text, half open.
struct Range {
  size_t begin = 0;
  size_t end = 0;
};

/// What is wrong with an expression, and where.
struct Problem {
  Range range;
  std::string message;  ///< "expected a value, got \")\""
  std::string help;     ///< may be empty
  FaultCode code = FaultCode::kBadExpression;
};

enum class SyntaxKind : uint8_t {
  kNull,
  kBool,     ///< text: "true" or "false"
  kInteger,  ///< text: digits
  kDecimal,  ///< text: digits.digits
  kFloat,    ///< text: with an exponent
  kText,     ///< text: the string without its quotes
  kColumn,   ///< text: the name
  kCast,     ///< text: the type as written; one argument
  kCall,     ///< text: the function in lower case, or the operator: "+", "and", "is null", "case"
};

/// A node. `case` has its arguments as condition, value, condition, value, ..., otherwise; NULL
/// stands where no `else` was written.
struct Syntax {
  SyntaxKind kind = SyntaxKind::kNull;
  std::string text;
  Range range;
  std::vector<Syntax> arguments;
  int depth = 0;  ///< of the nodes below; at most kDepthMax
};

/// A tree or a problem.
struct Parsed {
  std::optional<Syntax> syntax;
  Problem problem;
};

Parsed Parse(std::string_view text);

}  // namespace levada::expressions
