#pragma once
// TokenCursor: where a parser stands in the tokens, and the first thing that went wrong. For the
// sources of this folder only: the parser of expressions and the one of statements share one.

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/aesql/tokens.h"

namespace levada::aesql {

class TokenCursor final {
 public:
  TokenCursor(std::string_view sql, std::vector<Token> tokens)
      : sql_(sql), tokens_(std::move(tokens)) {}

  /// The token `ahead` of the next; the end stands behind all.
  const Token& Peek(size_t ahead = 0) const;
  Token Take();
  bool IsSymbol(std::string_view symbol, size_t ahead = 0) const;
  /// Keywords know no case. Quoted names are none.
  bool IsWord(std::string_view word, size_t ahead = 0) const;
  bool IsOneOf(std::initializer_list<std::string_view> words, size_t ahead = 0) const;
  /// Takes the token if it is that.
  bool TakeSymbol(std::string_view symbol);
  bool TakeWord(std::string_view word);

  /// How many tokens were taken.
  size_t position() const { return position_; }
  /// Where the token before ended.
  size_t last_end() const { return last_end_; }
  /// What stands in the tokens [begin, position()), gaps and comments as one blank.
  std::string Written(size_t begin) const;
  /// How a message names the next token: the end, a string, "word".
  std::string Seen() const;

  /// Keeps the first problem; gives nothing, for any optional.
  std::nullopt_t Fail(ProblemCode code, Range range, std::string message, std::string help);
  /// kSyntax at the next token: "expected X, got ...".
  std::nullopt_t Expected(std::string_view what, std::string help);
  const Problem& problem() const { return *problem_; }

 private:
  const std::string_view sql_;
  const std::vector<Token> tokens_;
  size_t position_ = 0;
  size_t last_end_ = 0;
  std::optional<Problem> problem_;
};

/// Whether a word is taken by the language, so that a name like it is written in double quotes.
bool IsKeyword(std::string_view word);

/// Why something of other dialects that begins with this word is not here and what is instead;
/// empty for a word that begins nothing of the kind.
std::string_view AdviceOnWord(std::string_view word);

}  // namespace levada::aesql
