#include "formats/aesql/tokens.h"

#include <array>
#include <utility>

#include "base/utf8.h"

namespace levada::aesql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsWord(char c) { return IsWordStart(c) || IsDigit(c); }

// Two bytes before one.
constexpr std::array<std::string_view, 17> kSymbols = {
    "!=", "<>", "<=", ">=", "(", ")", ",", ".", ";", "+", "-", "*", "/", "%", "=", "<", ">"};

struct Advice {
  std::string_view symbol;
  std::string_view help;
};
// What people bring from other dialects.
constexpr std::array<Advice, 10> kAdvice = {{
    {"||", "join strings with format('{}{}', a, b)"},
    {"::", "convert with toDateTime, toUInt8 or toUInt32"},
    {"&", "write AND, OR, NOT, or bitAnd(a, b)"},
    {"|", "write AND, OR, NOT, or bitOr(a, b)"},
    {"!", "write NOT, or != for not equal"},
    {"#", "a comment begins with --"},
    {"[", "there are no arrays; names are quoted by \"double quotes\""},
    {"{", "there are no parameters: write the value"},
    {"?", "there are no parameters: write the value"},
    {"$", "a macro of Grafana is filled in by Grafana; set the data source's column"},
}};

class Tokenizer final {
 public:
  explicit Tokenizer(std::string_view sql) : sql_(sql) {}

  std::variant<std::vector<Token>, Problem> Run() {
    while (true) {
      if (!SkipGap()) return std::move(problem_);
      if (position_ == sql_.size()) break;
      if (!Next()) return std::move(problem_);
    }
    tokens_.push_back({TokenKind::kEnd, "", {sql_.size(), sql_.size()}});
    return std::move(tokens_);
  }

 private:
  bool StartsWith(std::string_view prefix) const {
    return sql_.substr(position_, prefix.size()) == prefix;
  }

  bool SkipGap() {
    while (position_ < sql_.size()) {
      if (IsSpace(sql_[position_])) {
        ++position_;
      } else if (StartsWith("--")) {
        position_ = std::min(sql_.find('\n', position_), sql_.size());
      } else if (StartsWith("/*")) {
        if (!SkipComment()) return false;
      } else {
        break;
      }
    }
    return true;
  }

  bool SkipComment() {
    const size_t begin = position_;
    const size_t end = sql_.find("*/", begin + 2);
    if (end == sql_.npos) {
      return Fail(ProblemCode::kSyntax, {begin, begin + 2}, "a comment without an end",
                  "close it with */");
    }
    // Some readers nest comments and some do not: they would go on at different places.
    if (const size_t inner = sql_.find("/*", begin + 2); inner < end) {
      return Fail(ProblemCode::kSyntax, {inner, inner + 2}, "a comment in a comment",
                  "end the first one before it");
    }
    position_ = end + 2;
    return true;
  }

  bool Next() {
    const char c = sql_[position_];
    if (c == '\'') return Text();
    if (c == '"' || c == '`') return Name(c);
    const bool is_fraction =
        c == '.' && position_ + 1 < sql_.size() && IsDigit(sql_[position_ + 1]);
    if (IsDigit(c) || is_fraction) return Number();
    if (IsWordStart(c)) {
      const size_t begin = position_;
      while (position_ < sql_.size() && IsWord(sql_[position_])) ++position_;
      return Add(TokenKind::kWord, begin, std::string(sql_.substr(begin, position_ - begin)));
    }
    return Symbol();
  }

  bool Symbol() {
    for (const std::string_view symbol : kSymbols) {
      if (!StartsWith(symbol)) continue;
      const size_t begin = position_;
      position_ += symbol.size();
      return Add(TokenKind::kSymbol, begin, std::string(symbol == "<>" ? "!=" : symbol));
    }
    for (const Advice& advice : kAdvice) {
      if (!StartsWith(advice.symbol)) continue;
      return Fail(ProblemCode::kSyntax, {position_, position_ + advice.symbol.size()},
                  "unexpected \"" + std::string(advice.symbol) + "\"", std::string(advice.help));
    }
    const auto byte = static_cast<unsigned char>(sql_[position_]);
    if (byte >= 0x80) {
      return Fail(ProblemCode::kSyntax, {position_, position_ + 1},
                  "a character that no name has without quotes",
                  "write names in \"double quotes\" and strings in 'single quotes'");
    }
    if (byte < ' ' || byte == 0x7f) {
      return Fail(ProblemCode::kSyntax, {position_, position_ + 1}, "unexpected control character",
                  "");
    }
    return Fail(ProblemCode::kSyntax, {position_, position_ + 1},
                "unexpected \"" + std::string(1, sql_[position_]) + "\"", "");
  }

  bool Text() {
    const size_t begin = position_++;
    std::string content;
    while (position_ < sql_.size()) {
      const char c = sql_[position_++];
      if (c == '\'') {
        if (position_ == sql_.size() || sql_[position_] != '\'') {
          return Add(TokenKind::kText, begin, std::move(content));
        }
        ++position_;
      } else if (c == '\\') {
        // In SQL a backslash is itself, in ClickHouse and MySQL it keeps the quote behind it in
        // the string. Whoever escaped for the one would be broken into by the other.
        const size_t run_begin = position_ - 1;
        while (position_ < sql_.size() && sql_[position_] == '\\') ++position_;
        const size_t run = position_ - run_begin;
        if (run % 2 == 1 && position_ < sql_.size() && sql_[position_] == '\'') {
          return Fail(ProblemCode::kBadLiteral, {position_ - 1, position_ + 1},
                      "a backslash before a quote can be read in two ways",
                      "write a quote in a string as two quotes: 'it''s'");
        }
        content.append(run - 1, '\\');
      }
      content += c;
    }
    return Fail(ProblemCode::kSyntax, {begin, sql_.size()}, "a string without an end",
                "close it with '; a quote inside is written twice");
  }

  bool Name(char quote) {
    const size_t begin = position_++;
    std::string content;
    while (position_ < sql_.size()) {
      const char c = sql_[position_++];
      if (c == '\\' || c == '\n') {
        return Fail(ProblemCode::kSyntax, {position_ - 1, position_},
                    "a name with a backslash or a line break", "");
      }
      if (c == quote) {
        if (position_ == sql_.size() || sql_[position_] != quote) {
          if (content.empty()) {
            return Fail(ProblemCode::kSyntax, {begin, position_}, "an empty name",
                        "a string is written in single quotes: ''");
          }
          return Add(TokenKind::kName, begin, std::move(content));
        }
        ++position_;
      }
      content += c;
    }
    return Fail(ProblemCode::kSyntax, {begin, sql_.size()}, "a name without an end",
                std::string("close it with ") + quote + "; inside, write the quote twice");
  }

  bool Number() {
    const size_t begin = position_;
    TokenKind kind = TokenKind::kInteger;
    Digits();
    if (position_ < sql_.size() && sql_[position_] == '.') {
      kind = TokenKind::kDouble;
      ++position_;
      Digits();
    }
    if (position_ < sql_.size() && (sql_[position_] == 'e' || sql_[position_] == 'E')) {
      kind = TokenKind::kDouble;
      ++position_;
      if (position_ < sql_.size() && (sql_[position_] == '+' || sql_[position_] == '-')) {
        ++position_;
      }
      const size_t exponent = position_;
      Digits();
      if (position_ == exponent) {
        return Fail(ProblemCode::kBadLiteral, {begin, position_}, "a number without an exponent",
                    "write 1e3, or 1000");
      }
    }
    if (position_ < sql_.size() && IsWord(sql_[position_])) {
      return Fail(ProblemCode::kSyntax, {begin, position_ + 1}, "a number that goes on as a word",
                  "a name that begins with a digit is written in \"double quotes\"");
    }
    return Add(kind, begin, std::string(sql_.substr(begin, position_ - begin)));
  }

  void Digits() {
    while (position_ < sql_.size() && IsDigit(sql_[position_])) ++position_;
  }

  bool Add(TokenKind kind, size_t begin, std::string text) {
    tokens_.push_back({kind, std::move(text), {begin, position_}});
    return true;
  }

  bool Fail(ProblemCode code, Range range, std::string message, std::string help) {
    problem_ = {code, range, std::move(message), std::move(help)};
    return false;
  }

  const std::string_view sql_;
  size_t position_ = 0;
  std::vector<Token> tokens_;
  Problem problem_;
};

}  // namespace

std::variant<std::vector<Token>, Problem> Tokenize(std::string_view sql) {
  if (sql.size() > kQueryBytesMax) {
    return Problem{ProblemCode::kTooLarge,
                   {0, 0},
                   "the query has " + std::to_string(sql.size()) + " bytes, more than " +
                       std::to_string(kQueryBytesMax),
                   ""};
  }
  if (const size_t zero = sql.find('\0'); zero != sql.npos) {
    return Problem{ProblemCode::kSyntax, {zero, zero + 1}, "a NUL byte", ""};
  }
  if (!IsUtf8(sql)) return Problem{ProblemCode::kSyntax, {0, 0}, "the query is not UTF-8", ""};
  return Tokenizer(sql).Run();
}

}  // namespace levada::aesql
