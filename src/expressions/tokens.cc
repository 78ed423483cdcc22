#include "expressions/tokens.h"

#include <array>
#include <utility>

namespace levada::expressions {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
// Bytes of other alphabets' letters are above 127 in UTF-8.
bool IsWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsWord(char c) { return IsWordStart(c) || IsDigit(c) || c == '$'; }

// Two bytes before one.
constexpr std::array<std::string_view, 17> kSymbols = {
    "||", "::", "!=", "<>", "<=", ">=", "(", ")", ",", "+", "-", "*", "/", "%", "=", "<", ">"};

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  std::variant<std::vector<Token>, Problem> Run() {
    while (true) {
      while (position_ < text_.size() && IsSpace(text_[position_])) ++position_;
      if (position_ == text_.size()) break;
      if (!Next()) return problem_;
    }
    tokens_.push_back({TokenKind::kEnd, "", {text_.size(), text_.size()}});
    return std::move(tokens_);
  }

 private:
  bool Next() {
    const char c = text_[position_];
    if (c == '\'') return Quoted('\'', TokenKind::kText, "text");
    if (c == '"') return Quoted('"', TokenKind::kColumn, "column name");
    const bool is_fraction =
        c == '.' && position_ + 1 < text_.size() && IsDigit(text_[position_ + 1]);
    if (IsDigit(c) || is_fraction) return Number();
    if (IsWordStart(c)) {
      const size_t begin = position_;
      while (position_ < text_.size() && IsWord(text_[position_])) ++position_;
      return Add(TokenKind::kWord, begin, std::string(text_.substr(begin, position_ - begin)));
    }
    return Symbol();
  }

  bool Symbol() {
    for (const std::string_view symbol : kSymbols) {
      if (text_.substr(position_, symbol.size()) != symbol) continue;
      const size_t begin = position_;
      position_ += symbol.size();
      return Add(TokenKind::kSymbol, begin, std::string(symbol == "<>" ? "!=" : symbol));
    }
    const std::string seen(1, text_[position_]);
    std::string help;
    if (seen == ".") help = "fields of a column are not reached here: flatten it first";
    if (seen == "&" || seen == "!") help = "write and, or, not";
    if (seen == ";") help = "an expression has no end mark";
    if (seen == "`" || seen == "[") help = "write names in double quotes";
    const bool is_plain = seen[0] > ' ' && seen[0] < 0x7f;
    return Fail({position_, position_ + 1},
                is_plain ? "unexpected \"" + seen + "\"" : "unexpected control character",
                std::move(help));
  }

  // A quote is written as two.
  bool Quoted(char quote, TokenKind kind, const std::string& what) {
    const size_t begin = position_++;
    std::string content;
    while (position_ < text_.size()) {
      const char c = text_[position_++];
      if (c == quote) {
        if (position_ == text_.size() || text_[position_] != quote) {
          if (kind == TokenKind::kColumn && content.empty()) {
            return Fail({begin, position_}, "a column without a name",
                        "text is written in single quotes: ''");
          }
          return Add(kind, begin, std::move(content));
        }
        ++position_;
      }
      content += c;
    }
    return Fail({begin, text_.size()}, what + " without an end",
                std::string("close it with ") + quote + "; inside, write the quote twice");
  }

  bool Number() {
    const size_t begin = position_;
    TokenKind kind = TokenKind::kInteger;
    Digits();
    if (position_ < text_.size() && text_[position_] == '.') {
      kind = TokenKind::kDecimal;
      ++position_;
      Digits();
    }
    if (position_ < text_.size() && (text_[position_] == 'e' || text_[position_] == 'E')) {
      kind = TokenKind::kFloat;
      ++position_;
      if (position_ < text_.size() && (text_[position_] == '+' || text_[position_] == '-')) {
        ++position_;
      }
      const size_t exponent = position_;
      Digits();
      if (position_ == exponent) {
        return Fail({begin, position_}, "a number without an exponent", "write 1e3, or 1000");
      }
    }
    if (position_ < text_.size() && IsWord(text_[position_])) {
      return Fail({begin, position_ + 1}, "a number that goes on as a word",
                  "a name that begins with a digit is written in double quotes");
    }
    return Add(kind, begin, std::string(text_.substr(begin, position_ - begin)));
  }

  void Digits() {
    while (position_ < text_.size() && IsDigit(text_[position_])) ++position_;
  }

  bool Add(TokenKind kind, size_t begin, std::string text) {
    tokens_.push_back({kind, std::move(text), {begin, position_}});
    return true;
  }

  bool Fail(Range range, std::string message, std::string help) {
    problem_ = {range, std::move(message), std::move(help)};
    return false;
  }

  const std::string_view text_;
  size_t position_ = 0;
  std::vector<Token> tokens_;
  Problem problem_;
};

}  // namespace

std::variant<std::vector<Token>, Problem> Tokenize(std::string_view text) {
  return Tokenizer(text).Run();
}

}  // namespace levada::expressions
