#include "formats/aesql/syntax.h"

#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "formats/aesql/expression_parser.h"
#include "formats/aesql/token_cursor.h"

namespace levada::aesql {
namespace {

// One function for each clause, in the order of the language. What fails leaves the problem in the
// cursor and gives false or nothing.
class StatementParser final {
 public:
  StatementParser(std::string_view sql, std::vector<Token> tokens)
      : cursor_(sql, std::move(tokens)), expressions_(cursor_) {}

  std::variant<Statement, Problem> Run() {
    std::optional<Statement> statement = WholeStatement();
    if (!statement) return cursor_.problem();
    return std::move(*statement);
  }

 private:
  std::optional<Statement> WholeStatement() {
    Statement statement;
    if (cursor_.IsWord("select")) {
      std::optional<Select> select = SelectFrom(0);
      if (!select) return std::nullopt;
      statement.select = std::move(*select);
    } else if (cursor_.TakeWord("show")) {
      const std::optional<StatementKind> kind = Shown();
      if (!kind) return std::nullopt;
      statement.kind = *kind;
    } else if (cursor_.Peek().kind == TokenKind::kEnd) {
      return cursor_.Fail(ProblemCode::kSyntax, cursor_.Peek().range, "an empty query",
                          "write SELECT or SHOW TABLES");
    } else {
      return cursor_.Expected("SELECT or SHOW", "a query is SELECT or SHOW TABLES");
    }
    if (!FormatClause(statement.format)) return std::nullopt;
    while (cursor_.TakeSymbol(";")) continue;
    if (cursor_.Peek().kind == TokenKind::kEnd) return statement;
    if (cursor_.last_end() > 0 && cursor_.IsOneOf({"select", "show"})) {
      return cursor_.Fail(ProblemCode::kSyntax, cursor_.Peek().range, "a second statement",
                          "send one statement at a time");
    }
    return cursor_.Expected(kind_of_end_, "");
  }

  std::optional<StatementKind> Shown() {
    if (cursor_.TakeWord("tables")) return StatementKind::kShowTables;
    if (cursor_.TakeWord("timezones")) return StatementKind::kShowTimezones;
    if (cursor_.TakeWord("timezone")) return StatementKind::kShowTimezone;
    return cursor_.Expected("TABLES, TIMEZONES or TIMEZONE", "nothing else can be shown");
  }

  bool FormatClause(Format& format) {
    if (!cursor_.TakeWord("format")) return true;
    constexpr const char* kFormats = "the formats are JSON, JSONEachRow and TabSeparated";
    if (cursor_.TakeWord("json")) {
      format = Format::kJson;
    } else if (cursor_.TakeWord("jsoneachrow")) {
      format = Format::kJsonEachRow;
    } else if (cursor_.TakeWord("tabseparated")) {
      format = Format::kTabSeparated;
    } else {
      cursor_.Expected("a format", kFormats);
      return false;
    }
    kind_of_end_ = "the end behind FORMAT";
    return true;
  }

  std::optional<Select> SelectFrom(int depth) {
    if (depth > kSubqueryDepthMax) {
      return cursor_.Fail(
          ProblemCode::kTooLarge, cursor_.Peek().range,
          "more than " + std::to_string(kSubqueryDepthMax) + " subqueries in one another", "");
    }
    Select select;
    select.range = cursor_.Take().range;
    if (!Items(select.items)) return std::nullopt;
    if (cursor_.TakeWord("from") && !From(select, depth)) return std::nullopt;
    if (cursor_.TakeWord("where") && !Into(select.where)) return std::nullopt;
    if (cursor_.TakeWord("group") && !GroupBy(select)) return std::nullopt;
    if (cursor_.TakeWord("having") && !Into(select.having)) return std::nullopt;
    if (cursor_.TakeWord("order") && !OrderBy(select)) return std::nullopt;
    if (cursor_.TakeWord("limit") && !Limit(select)) return std::nullopt;
    if (cursor_.TakeWord("offset")) {
      select.offset = Count("OFFSET");
      if (!select.offset) return std::nullopt;
    }
    return select;
  }

  bool Items(std::vector<SelectItem>& items) {
    do {
      SelectItem item;
      item.range = cursor_.Peek().range;
      if (!cursor_.TakeSymbol("*")) {
        const size_t begin = cursor_.position();
        item.expression = expressions_.Expression();
        if (!item.expression) return false;
        item.range = item.expression->range;
        item.name = item.expression->kind == SyntaxKind::kName ? item.expression->text
                                                               : cursor_.Written(begin);
        if (!Alias(item)) return false;
      }
      items.push_back(std::move(item));
    } while (cursor_.TakeSymbol(","));
    return true;
  }

  bool Alias(SelectItem& item) {
    if (!cursor_.TakeWord("as")) {
      if (cursor_.Peek().kind == TokenKind::kName ||
          (cursor_.Peek().kind == TokenKind::kWord && !IsClause() &&
           AdviceOnWord(cursor_.Peek().text).empty())) {
        cursor_.Expected("AS, a comma or FROM", "write AS before an alias");
        return false;
      }
      return true;
    }
    std::optional<Token> name = Name("an alias");
    if (!name) return false;
    item.alias = item.name = name->text;
    item.range = name->range;
    return true;
  }

  bool IsClause() const {
    return cursor_.IsOneOf(
        {"from", "where", "group", "having", "order", "limit", "offset", "format"});
  }

  bool From(Select& select, int depth) {
    Source source;
    source.range = cursor_.Peek().range;
    if (cursor_.TakeSymbol("(")) {
      if (!cursor_.IsWord("select")) {
        cursor_.Expected("SELECT", "in parentheses stands a subquery");
        return false;
      }
      std::optional<Select> subquery = SelectFrom(depth + 1);
      if (!subquery) return false;
      if (!cursor_.TakeSymbol(")")) {
        cursor_.Expected(") behind the subquery",
                         cursor_.IsWord("format") ? "FORMAT stands at the end of the query" : "");
        return false;
      }
      source.subquery = std::make_unique<Select>(std::move(*subquery));
    } else {
      std::optional<Token> name = Name("a dataset or a subquery in parentheses");
      if (!name) return false;
      source.dataset = name->text;
    }
    source.range.end = cursor_.last_end();
    if (!NothingBehind(source)) return false;
    select.from = std::move(source);
    return true;
  }

  // What SQL has behind a table and this language does not.
  bool NothingBehind(const Source& source) {
    if (cursor_.IsSymbol("(")) {
      cursor_.Fail(ProblemCode::kSyntax, source.range,
                   "\"" + source.dataset + "(\" would be a table function",
                   "FROM takes a dataset or a subquery; there are no table functions");
    } else if (cursor_.IsSymbol(".")) {
      cursor_.Expected("the end of the dataset's name",
                       "there are no databases; a dataset with a point in its name is written in "
                       "\"double quotes\"");
    } else if (cursor_.IsSymbol("-")) {
      cursor_.Expected("the end of the dataset's name",
                       "a name with a dash is written in \"double quotes\"");
    } else if (cursor_.IsSymbol(",")) {
      cursor_.Expected("one dataset", "a query reads one dataset or one subquery");
    } else if (cursor_.IsWord("as") || cursor_.Peek().kind == TokenKind::kName) {
      cursor_.Expected("WHERE or another clause", "a dataset has no alias, leave it out");
    } else {
      return true;
    }
    return false;
  }

  bool GroupBy(Select& select) {
    if (!By("GROUP")) return false;
    do {
      std::optional<Syntax> expression = expressions_.Expression();
      if (!expression) return false;
      select.group_by.push_back(std::move(*expression));
    } while (cursor_.TakeSymbol(","));
    return true;
  }

  bool OrderBy(Select& select) {
    if (!By("ORDER")) return false;
    do {
      std::optional<Syntax> expression = expressions_.Expression();
      if (!expression) return false;
      const bool descending = cursor_.IsWord("desc");
      if (descending || cursor_.IsWord("asc")) cursor_.Take();
      if (cursor_.IsOneOf({"nulls", "collate"})) {
        cursor_.Expected("a comma or the next clause", "there is no NULL, and no collation");
        return false;
      }
      select.order_by.push_back({std::move(*expression), descending});
    } while (cursor_.TakeSymbol(","));
    return true;
  }

  bool By(std::string_view before) {
    if (cursor_.TakeWord("by")) return true;
    cursor_.Expected("BY behind " + std::string(before), "");
    return false;
  }

  bool Limit(Select& select) {
    if (cursor_.TakeWord("all")) return true;
    select.limit = Count("LIMIT");
    if (!select.limit) return false;
    if (cursor_.IsSymbol(",")) {
      cursor_.Expected("OFFSET", "write LIMIT 10 OFFSET 20");
      return false;
    }
    if (cursor_.IsWord("by")) {
      cursor_.Expected("the end of LIMIT", "there is no LIMIT BY");
      return false;
    }
    return true;
  }

  std::optional<uint64_t> Count(std::string_view clause) {
    const Token& token = cursor_.Peek();
    const std::string form = "write " + std::string(clause) + " 10";
    if (token.kind != TokenKind::kInteger) return cursor_.Expected("a whole number", form);
    // Rows are counted in 63 bits by the engine.
    uint64_t count = 0;
    const auto [end, error] =
        std::from_chars(token.text.data(), token.text.data() + token.text.size(), count);
    if (error != std::errc() || count > INT64_MAX) {
      return cursor_.Fail(ProblemCode::kBadLiteral, token.range,
                          std::string(clause) + " is too large: " + token.text, form);
    }
    cursor_.Take();
    return count;
  }

  bool Into(std::optional<Syntax>& clause) {
    clause = expressions_.Expression();
    return clause.has_value();
  }

  std::optional<Token> Name(std::string_view what) {
    const Token& token = cursor_.Peek();
    if (token.kind == TokenKind::kName) return cursor_.Take();
    if (token.kind != TokenKind::kWord || IsKeyword(token.text)) {
      return cursor_.Expected(what, token.kind == TokenKind::kText
                                        ? "names are written plainly or in \"double quotes\""
                                        : "");
    }
    return cursor_.Take();
  }

  TokenCursor cursor_;
  ExpressionParser expressions_;
  std::string_view kind_of_end_ = "an operator, the next clause or the end";
};

}  // namespace

std::variant<Statement, Problem> Parse(std::string_view sql) {
  auto tokens = Tokenize(sql);
  if (auto* problem = std::get_if<Problem>(&tokens)) return std::move(*problem);
  return StatementParser(sql, std::get<std::vector<Token>>(std::move(tokens))).Run();
}

}  // namespace levada::aesql
