#include "formats/aesql/token_cursor.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace levada::aesql {
namespace {

constexpr std::array<std::string_view, 31> kKeywords = {
    "select",  "from", "where", "group", "by",    "having",   "order",    "limit",
    "offset",  "as",   "asc",   "desc",  "and",   "or",       "not",      "in",
    "between", "like", "ilike", "true",  "false", "interval", "distinct", "null",
    "is",      "case", "when",  "then",  "else",  "join",     "union"};

struct Advice {
  std::string_view word;
  std::string_view help;
};
constexpr std::string_view kOneDataset =
    "a query reads one dataset or one subquery; there are no joins";
constexpr std::string_view kNoSets = "a query is one SELECT; send each as a query of its own";
constexpr std::string_view kReadOnly =
    "a query is SELECT, SHOW TABLES, SHOW TIMEZONES or SHOW TIMEZONE; datasets are written by "
    "Workers";
constexpr std::string_view kNoSettings =
    "the answer's form is set by FORMAT, nothing else can be set";

constexpr std::array<Advice, 52> kAdvice = {{
    {"join", kOneDataset},
    {"inner", kOneDataset},
    {"left", kOneDataset},
    {"right", kOneDataset},
    {"full", kOneDataset},
    {"cross", kOneDataset},
    {"natural", kOneDataset},
    {"asof", kOneDataset},
    {"any", kOneDataset},
    {"semi", kOneDataset},
    {"anti", kOneDataset},
    {"global", kOneDataset},
    {"array", "there is no ARRAY JOIN"},
    {"lateral", kOneDataset},
    {"union", kNoSets},
    {"intersect", kNoSets},
    {"except", kNoSets},
    {"with", "there is no WITH; write a subquery behind FROM"},
    {"settings", kNoSettings},
    {"into", "the answer comes back over HTTP, there is no INTO OUTFILE"},
    {"prewhere", "write WHERE"},
    {"final", "leave it out: rows are never merged"},
    {"sample", "rows carry their weight in _sample_interval"},
    {"qualify", "filter in a query around a subquery"},
    {"window", "there are no window functions"},
    {"over", "there are no window functions"},
    {"partition", "there are no window functions"},
    {"filter", "write countIf, sumIf or avgIf"},
    {"fetch", "write LIMIT"},
    {"top", "write LIMIT at the end"},
    {"distinct", "GROUP BY the expressions instead, or count(DISTINCT column)"},
    {"case", "write if(condition, value, otherwise)"},
    {"cast", "convert with toDateTime, toUInt8 or toUInt32"},
    {"is", "there is no NULL: a blob that was not written is '', a double is 0"},
    {"null", "there is no NULL: a blob that was not written is '', a double is 0"},
    {"exists", "a subquery stands behind FROM and nowhere else"},
    {"select", "a subquery stands behind FROM and nowhere else"},
    {"insert", kReadOnly},
    {"update", kReadOnly},
    {"delete", kReadOnly},
    {"create", kReadOnly},
    {"alter", kReadOnly},
    {"drop", kReadOnly},
    {"truncate", kReadOnly},
    {"attach", kReadOnly},
    {"detach", kReadOnly},
    {"grant", kReadOnly},
    {"set", kReadOnly},
    {"use", kReadOnly},
    {"system", kReadOnly},
    {"explain", kReadOnly},
    {"describe",
     "every dataset has the columns dataset, timestamp, _sample_interval, index1, "
     "blob1 to blob20 and double1 to double20"},
}};

}  // namespace

const Token& TokenCursor::Peek(size_t ahead) const {
  return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
}

Token TokenCursor::Take() {
  const Token& token = Peek();
  last_end_ = token.range.end;
  if (position_ + 1 < tokens_.size()) ++position_;
  return token;
}

bool TokenCursor::IsSymbol(std::string_view symbol, size_t ahead) const {
  return Peek(ahead).kind == TokenKind::kSymbol && Peek(ahead).text == symbol;
}

bool TokenCursor::IsWord(std::string_view word, size_t ahead) const {
  return Peek(ahead).kind == TokenKind::kWord && EqualsIgnoringCase(Peek(ahead).text, word);
}

bool TokenCursor::IsOneOf(std::initializer_list<std::string_view> words, size_t ahead) const {
  return std::ranges::any_of(words, [&](std::string_view word) { return IsWord(word, ahead); });
}

bool TokenCursor::TakeSymbol(std::string_view symbol) {
  if (!IsSymbol(symbol)) return false;
  Take();
  return true;
}

bool TokenCursor::TakeWord(std::string_view word) {
  if (!IsWord(word)) return false;
  Take();
  return true;
}

std::string TokenCursor::Written(size_t begin) const {
  std::string written;
  for (size_t i = begin; i < position_; ++i) {
    const Range& range = tokens_[i].range;
    if (i > begin && tokens_[i - 1].range.end != range.begin) written += ' ';
    written += sql_.substr(range.begin, range.end - range.begin);
  }
  return written;
}

std::string TokenCursor::Seen() const {
  switch (Peek().kind) {
    case TokenKind::kEnd:
      return "the end";
    case TokenKind::kText:
      return "a string";
    default:
      return "\"" + Peek().text + "\"";
  }
}

std::nullopt_t TokenCursor::Fail(ProblemCode code, Range range, std::string message,
                                 std::string help) {
  if (!problem_) problem_ = Problem{code, range, std::move(message), std::move(help)};
  return std::nullopt;
}

std::nullopt_t TokenCursor::Expected(std::string_view what, std::string help) {
  if (Peek().kind == TokenKind::kWord) {
    if (const std::string_view advice = AdviceOnWord(Peek().text); !advice.empty()) help = advice;
  }
  return Fail(ProblemCode::kSyntax, Peek().range,
              "expected " + std::string(what) + ", got " + Seen(), std::move(help));
}

bool IsKeyword(std::string_view word) {
  return std::ranges::any_of(
      kKeywords, [&](std::string_view keyword) { return EqualsIgnoringCase(word, keyword); });
}

std::string_view AdviceOnWord(std::string_view word) {
  for (const Advice& advice : kAdvice) {
    if (EqualsIgnoringCase(word, advice.word)) return advice.help;
  }
  return {};
}

}  // namespace levada::aesql
