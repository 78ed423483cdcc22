#include "expressions/syntax.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "elt/yaml_text.h"
#include "expressions/tokens.h"

namespace levada::expressions {
namespace {

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// Words that are no names of columns unless they stand in double quotes.
constexpr std::array<std::string_view, 17> kKeywords = {
    "and", "as",   "between", "case", "cast", "else", "end",  "false", "in",
    "is",  "like", "not",     "null", "or",   "then", "true", "when"};

constexpr const char* kCaseForm = "write case when CONDITION then VALUE else VALUE end";

// One function for each level of precedence, loosest first. A failed step leaves problem_ set and
// returns nothing; whoever called it returns at once.
class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Parsed Run() {
    if (Peek().kind == TokenKind::kEnd) {
      return {std::nullopt, {Peek().range, "an empty expression", "write a column or a value"}};
    }
    auto tree = Or();
    if (tree && Peek().kind != TokenKind::kEnd) {
      tree = Fail(Peek(), "expected an operator or the end, got " + Seen(Peek()), Advice());
      if (problem_.help.empty()) problem_.help = AdviceBehindAValue();
    }
    return {std::move(tree), std::move(problem_)};
  }

 private:
  using Tree = std::optional<Syntax>;

  Tree Or() { return LeftToRight({"or"}, &Parser::And); }
  Tree And() { return LeftToRight({"and"}, &Parser::Not); }

  Tree Not() {
    if (!IsKeyword("not")) return Predicate();
    const Deeper deeper(*this);
    if (!deeper.ok()) return TooDeep();
    const size_t begin = Take().range.begin;
    Tree operand = Not();
    if (!operand) return operand;
    return Call("not", begin, std::move(*operand));
  }

  Tree Predicate() {
    Tree left = Concatenation();
    while (left) {
      if (IsKeyword("is")) {
        left = IsNull(std::move(*left));
      } else if (const std::string symbol = Comparison(); !symbol.empty()) {
        Take();
        Tree right = Concatenation();
        if (!right) return right;
        if (!Comparison().empty()) {
          return Fail(Peek(), "comparisons do not chain", "write a < b and b < c");
        }
        left = Call(symbol, left->range.begin, std::move(*left), std::move(*right));
      } else if (IsKeyword("in") || IsKeyword("between") || IsKeyword("like") ||
                 (IsKeyword("not") && IsOneOf(Peek(1), {"in", "between", "like"}))) {
        const size_t begin = left->range.begin;
        const bool negated = IsKeyword("not");
        if (negated) Take();
        if (IsKeyword("in")) {
          left = In(std::move(*left));
        } else if (IsKeyword("like")) {
          Take();
          Tree pattern = Concatenation();
          if (!pattern) return pattern;
          left = Call("like", begin, std::move(*left), std::move(*pattern));
        } else {
          left = Between(std::move(*left));
        }
        if (left && negated) left = Call("not", begin, std::move(*left));
      } else {
        break;
      }
    }
    return left;
  }

  Tree IsNull(Syntax operand) {
    Take();
    const bool negated = IsKeyword("not");
    if (negated) Take();
    if (!IsKeyword("null")) {
      return Fail(Peek(), "expected null after is, got " + Seen(Peek()),
                  "compare values with =, a boolean stands for itself");
    }
    Take();
    const size_t begin = operand.range.begin;
    return Call(negated ? "is not null" : "is null", begin, std::move(operand));
  }

  Tree In(Syntax operand) {
    Take();
    Syntax call{SyntaxKind::kCall, "in", operand.range, {}};
    call.arguments.push_back(std::move(operand));
    if (!IsSymbol("(")) {
      return Fail(Peek(), "expected (, got " + Seen(Peek()), "write x in (1, 2)");
    }
    Take();
    if (IsSymbol(")")) return Fail(Peek(), "an empty list", "in () is never true");
    if (!List(call.arguments)) return std::nullopt;
    return Made(std::move(call));
  }

  Tree Between(Syntax operand) {
    Take();
    Tree low = Concatenation();
    if (!low) return low;
    if (!IsKeyword("and")) {
      return Fail(Peek(), "expected and, got " + Seen(Peek()), "write x between LOW and HIGH");
    }
    Take();
    Tree high = Concatenation();
    if (!high) return high;
    const size_t begin = operand.range.begin;
    return Call("between", begin, std::move(operand), std::move(*low), std::move(*high));
  }

  Tree Concatenation() { return LeftToRight({"||"}, &Parser::Sum); }
  Tree Sum() { return LeftToRight({"+", "-"}, &Parser::Product); }
  Tree Product() { return LeftToRight({"*", "/", "%"}, &Parser::Signed); }

  Tree Signed() {
    if (!IsSymbol("-") && !IsSymbol("+")) return Converted();
    const Deeper deeper(*this);
    if (!deeper.ok()) return TooDeep();
    const Token sign = Take();
    Tree operand = Signed();
    if (!operand || sign.text == "+") return operand;
    // The least integer has no positive counterpart, so a literal takes its sign with it.
    const bool is_number = operand->kind == SyntaxKind::kInteger ||
                           operand->kind == SyntaxKind::kDecimal ||
                           operand->kind == SyntaxKind::kFloat;
    if (is_number && operand->text.front() != '-') {
      operand->text.insert(0, "-");
      operand->range.begin = sign.range.begin;
      return operand;
    }
    return Call("negate", sign.range.begin, std::move(*operand));
  }

  Tree Converted() {
    Tree operand = Primary();
    while (operand && IsSymbol("::")) {
      Take();
      operand = Cast(std::move(*operand));
    }
    return operand;
  }

  // The type that follows, with what stands in its parentheses.
  Tree Cast(Syntax operand) {
    if (Peek().kind != TokenKind::kWord) {
      return Fail(Peek(), "expected a type, got " + Seen(Peek()), "for example decimal(18,2)");
    }
    Syntax cast{SyntaxKind::kCast, Take().text, operand.range, {}};
    if (IsSymbol("(")) {
      cast.text += Take().text;
      while (!IsSymbol(")")) {
        if (Peek().kind == TokenKind::kEnd || IsSymbol("(")) {
          return Fail(Peek(), "expected ) after the type, got " + Seen(Peek()),
                      "for example decimal(18,2)");
        }
        cast.text += Take().text;  // zones have slashes: timestamp(us, Europe/Lisbon)
      }
      cast.text += Take().text;
    }
    cast.arguments.push_back(std::move(operand));
    return Made(std::move(cast));
  }

  Tree Primary() {
    const Deeper deeper(*this);
    if (!deeper.ok()) return TooDeep();
    const Token& token = Peek();
    switch (token.kind) {
      case TokenKind::kText:
        return Leaf(SyntaxKind::kText);
      case TokenKind::kInteger:
        return Leaf(SyntaxKind::kInteger);
      case TokenKind::kDecimal:
        return Leaf(SyntaxKind::kDecimal);
      case TokenKind::kFloat:
        return Leaf(SyntaxKind::kFloat);
      case TokenKind::kColumn:
        return Leaf(SyntaxKind::kColumn);
      case TokenKind::kWord:
        return Word();
      case TokenKind::kSymbol:
        if (IsSymbol("(")) return Parenthesised();
        break;
      case TokenKind::kEnd:
        break;
    }
    const std::string advice = Advice();
    return Fail(token, "expected a value, got " + Seen(token),
                advice.empty() ? "write a column, a number or a text in single quotes" : advice);
  }

  Tree Parenthesised() {
    const size_t begin = Take().range.begin;
    Tree inner = Or();
    if (!inner || !Expect(")")) return std::nullopt;
    inner->range = {begin, last_end_};
    return inner;
  }

  Tree Word() {
    const std::string word = Lower(Peek().text);
    if (word == "true" || word == "false") {
      Tree leaf = Leaf(SyntaxKind::kBool);
      leaf->text = word;
      return leaf;
    }
    if (word == "null") return Leaf(SyntaxKind::kNull);
    if (word == "case") return Case();
    if (word == "cast") return WrittenCast();
    if (std::ranges::find(kKeywords, word) != kKeywords.end()) {
      return Fail(Peek(), "expected a value, got " + Seen(Peek()),
                  "a column of this name is written in double quotes");
    }
    if (Peek(1).kind == TokenKind::kSymbol && Peek(1).text == "(") {
      Syntax call{SyntaxKind::kCall, word, Peek().range, {}};
      Take();
      Take();
      if (IsSymbol(")")) {
        Take();
      } else if (!List(call.arguments)) {
        return std::nullopt;
      }
      return Made(std::move(call));
    }
    return Leaf(SyntaxKind::kColumn);
  }

  Tree WrittenCast() {
    const size_t begin = Take().range.begin;
    if (!Expect("(")) return std::nullopt;
    Tree operand = Or();
    if (!operand) return operand;
    if (!IsKeyword("as")) {
      return Fail(Peek(), "expected as, got " + Seen(Peek()), "write cast(VALUE as TYPE)");
    }
    Take();
    Tree cast = Cast(std::move(*operand));
    if (!cast || !Expect(")")) return std::nullopt;
    cast->range = {begin, last_end_};
    return cast;
  }

  // case when CONDITION then VALUE ... [else VALUE] end
  Tree Case() {
    Syntax call{SyntaxKind::kCall, "case", Take().range, {}};
    if (!IsKeyword("when")) {
      return Fail(Peek(), "expected when, got " + Seen(Peek()), kCaseForm);
    }
    while (IsKeyword("when")) {
      Take();
      Tree condition = Or();
      if (!condition) return condition;
      if (!IsKeyword("then")) return Fail(Peek(), "expected then, got " + Seen(Peek()), kCaseForm);
      Take();
      Tree value = Or();
      if (!value) return value;
      call.arguments.push_back(std::move(*condition));
      call.arguments.push_back(std::move(*value));
    }
    Syntax otherwise{SyntaxKind::kNull, "", Peek().range, {}};
    if (IsKeyword("else")) {
      Take();
      Tree value = Or();
      if (!value) return value;
      otherwise = std::move(*value);
    }
    if (!IsKeyword("end")) {
      return Fail(Peek(), "expected when, else or end, got " + Seen(Peek()), kCaseForm);
    }
    Take();
    call.arguments.push_back(std::move(otherwise));
    return Made(std::move(call));
  }

  // a op b op c, as ((a op b) op c); also of different operators of one level.
  Tree LeftToRight(std::initializer_list<std::string_view> operators, Tree (Parser::*operand)()) {
    Tree left = (this->*operand)();
    while (left) {
      const bool is_word = Peek().kind == TokenKind::kWord;
      if (!is_word && Peek().kind != TokenKind::kSymbol) break;
      const std::string seen = is_word ? Lower(Peek().text) : Peek().text;
      if (std::ranges::find(operators, seen) == operators.end()) break;
      Take();
      Tree right = (this->*operand)();
      if (!right) return right;
      left = Call(seen, left->range.begin, std::move(*left), std::move(*right));
    }
    return left;
  }

  // Values up to the closing parenthesis, which is taken.
  bool List(std::vector<Syntax>& values) {
    while (true) {
      Tree value = Or();
      if (!value) return false;
      values.push_back(std::move(*value));
      if (IsSymbol(",")) {
        Take();
        continue;
      }
      return Expect(")");
    }
  }

  template <typename... Arguments>
  Tree Call(std::string name, size_t begin, Arguments&&... arguments) {
    Syntax call{SyntaxKind::kCall, std::move(name), {begin, last_end_}, {}};
    (call.arguments.push_back(std::forward<Arguments>(arguments)), ...);
    return Made(std::move(call));
  }

  // A node that ends with the token before, unless it stands on too many others.
  Tree Made(Syntax node) {
    node.range.end = last_end_;
    for (const Syntax& argument : node.arguments)
      node.depth = std::max(node.depth, argument.depth + 1);
    if (node.depth > kDepthMax) return TooDeep();
    return node;
  }

  Tree Leaf(SyntaxKind kind) {
    const Token token = Take();
    return Syntax{kind, token.text, token.range, {}};
  }

  const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
  }
  Token Take() {
    const Token token = Peek();
    last_end_ = token.range.end;
    if (position_ + 1 < tokens_.size()) ++position_;
    return token;
  }
  bool IsSymbol(std::string_view symbol) const {
    return Peek().kind == TokenKind::kSymbol && Peek().text == symbol;
  }
  static bool IsOneOf(const Token& token, std::initializer_list<std::string_view> words) {
    return token.kind == TokenKind::kWord &&
           std::ranges::find(words, Lower(token.text)) != words.end();
  }
  bool IsKeyword(std::string_view word) const { return IsOneOf(Peek(), {word}); }
  std::string Comparison() const {
    constexpr std::array<std::string_view, 6> kComparisons = {"=", "!=", "<", "<=", ">", ">="};
    if (Peek().kind != TokenKind::kSymbol) return "";
    return std::ranges::find(kComparisons, Peek().text) == kComparisons.end() ? "" : Peek().text;
  }

  bool Expect(std::string_view symbol) {
    if (!IsSymbol(symbol)) {
      Fail(Peek(), "expected " + std::string(symbol) + ", got " + Seen(Peek()), Advice());
      if (problem_.help.empty()) {
        problem_.help = symbol == "(" ? "write cast(VALUE as TYPE)" : "a ( before it has no )";
      }
      return false;
    }
    Take();
    return true;
  }

  static std::string Seen(const Token& token) {
    switch (token.kind) {
      case TokenKind::kEnd:
        return "the end";
      case TokenKind::kText:
        return "a text";
      default:
        return "\"" + token.text + "\"";
    }
  }

  // What people bring from other languages.
  std::string Advice() const {
    if (position_ == 0 || tokens_[position_ - 1].text != "=") return "";
    if (IsSymbol("=")) return "equal is one =";
    if (IsSymbol(">") || IsSymbol("<")) return "write >= or <=";
    return "";
  }

  // A whole value stands before what should not be there.
  std::string AdviceBehindAValue() const {
    if (IsSymbol(")")) return "no ( belongs to it";
    if (IsSymbol(",")) return "an expression is one value, and 1.5 is written with a point";
    if (IsKeyword("as")) return "the name stands before the expression: NAME: EXPRESSION";
    if (IsOneOf(tokens_.front(), {"select", "where"})) {
      return "write the expression alone, without the SQL around it";
    }
    return "conditions are joined by and, or; a name with blanks is written in double quotes";
  }

  Tree Fail(const Token& token, std::string message, std::string help) {
    problem_ = {token.range, std::move(message), std::move(help)};
    return std::nullopt;
  }
  Tree TooDeep() {
    return Fail(Peek(), "more than " + std::to_string(kDepthMax) + " expressions in one another",
                "derive a column in a stage before this one");
  }

  // Counts the levels of recursion.
  class Deeper {
   public:
    explicit Deeper(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Deeper() { --parser_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    bool ok() const { return parser_.depth_ <= kDepthMax; }

   private:
    Parser& parser_;
  };

  const std::vector<Token> tokens_;
  size_t position_ = 0;
  size_t last_end_ = 0;
  int depth_ = 0;
  Problem problem_;
};

}  // namespace

Parsed Parse(std::string_view text) {
  if (text.size() > kExpressionBytesMax) {
    return {std::nullopt,
            {{0, 0},
             "longer than " + std::to_string(kExpressionBytesMax) + " bytes",
             "derive columns in several stages"}};
  }
  if (const size_t valid = elt::ValidUtf8Prefix(text); valid < text.size()) {
    return {std::nullopt, {{valid, valid + 1}, "a byte that is no UTF-8", "store it as UTF-8"}};
  }
  auto tokens = Tokenize(text);
  if (auto* problem = std::get_if<Problem>(&tokens)) return {std::nullopt, std::move(*problem)};
  return Parser(std::get<std::vector<Token>>(std::move(tokens))).Run();
}

}  // namespace levada::expressions
