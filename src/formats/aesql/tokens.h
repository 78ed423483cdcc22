#pragma once
// Tokens: the words of a query's text. Comments end here: `-- to the end of the line` and
// `/* between */` are gaps, and what two readers could end at different places (a comment in a
// comment, a backslash before a quote) is refused, so that no text means one thing to whoever put
// it together and another to us.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "formats/aesql/problem.h"

namespace levada::aesql {

/// Longer queries are refused: dashboards with long IN lists stay well below.
inline constexpr size_t kQueryBytesMax = 64 << 10;

enum class TokenKind : uint8_t {
  kEnd,
  kWord,     ///< a keyword, function, column or dataset; `text` as written
  kName,     ///< "quoted" or `quoted`: a column, alias or dataset and nothing else
  kText,     ///< 'in single quotes'
  kInteger,  ///< digits
  kDouble,   ///< with a point or an exponent
  kSymbol,   ///< ( ) , . ; + - * / % = != < <= > >=; <> is given as !=
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;  ///< without quotes; a quote inside is written twice
  Range range;
};

/// The tokens with kEnd at the end, or the first thing that is none. Refuses what is not UTF-8,
/// holds a NUL byte or is longer than kQueryBytesMax.
std::variant<std::vector<Token>, Problem> Tokenize(std::string_view sql);

}  // namespace levada::aesql
