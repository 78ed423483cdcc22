#pragma once
// Tokens: the words of an expression's text.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "expressions/syntax.h"

namespace levada::expressions {

enum class TokenKind : uint8_t {
  kEnd,
  kWord,    ///< a keyword, function or column; `text` as written
  kColumn,  ///< "in double quotes": a column and nothing else
  kText,    ///< 'in single quotes'
  kInteger,
  kDecimal,
  kFloat,
  kSymbol,  ///< ( ) , + - * / % || :: = != < <= > >=; <> is given as !=
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  ///< without quotes
  Range range;
};

/// The tokens with kEnd at the end, or the first thing that is none.
std::variant<std::vector<Token>, Problem> Tokenize(std::string_view text);

}  // namespace levada::expressions
