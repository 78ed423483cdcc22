#include "formats/aesql/syntax.h"

#include "base/testing.h"
#include "formats/aesql/tokens.h"

namespace levada::aesql {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// The tree in a form that shows how it is put together: (+ a (* b 2)).
std::string Shown(const Syntax& syntax) {
  std::string text = syntax.text;
  if (syntax.kind == SyntaxKind::kText) return "'" + text + "'";
  if (syntax.kind == SyntaxKind::kInterval) return text + " " + syntax.unit;
  if (syntax.kind != SyntaxKind::kCall && syntax.kind != SyntaxKind::kOperator) return text;
  text = "(" + text;
  if (syntax.distinct) text += " distinct";
  if (syntax.has_parameters) {
    text += " [";
    for (const Syntax& parameter : syntax.parameters) text += Shown(parameter);
    text += "]";
  }
  if (!syntax.unit.empty()) text += " " + syntax.unit;
  for (const Syntax& argument : syntax.arguments) text += " " + Shown(argument);
  return text + ")";
}

std::string Shown(const Problem& problem) {
  return "!" + std::to_string(problem.range.begin) + " " + std::string(CodeName(problem.code)) +
         ": " + problem.message;
}

std::string Help(std::string_view sql) {
  const auto parsed = Parse(sql);
  const auto* problem = std::get_if<Problem>(&parsed);
  return problem == nullptr ? "accepted" : problem->help;
}

/// Of an expression, which stands behind SELECT.
std::string Tree(const std::string& expression) {
  const auto parsed = Parse("SELECT " + expression);
  if (const auto* problem = std::get_if<Problem>(&parsed)) return Shown(*problem);
  return Shown(*std::get<Statement>(parsed).select.items.at(0).expression);
}

std::string Refused(std::string_view sql) {
  const auto parsed = Parse(sql);
  const auto* problem = std::get_if<Problem>(&parsed);
  return problem == nullptr ? "accepted" : Shown(*problem);
}

Select Selected(std::string_view sql) {
  auto parsed = Parse(sql);
  if (const auto* problem = std::get_if<Problem>(&parsed))
    throw std::runtime_error(Shown(*problem));
  return std::move(std::get<Statement>(parsed).select);
}

TEST(Syntax, KnowsPrecedence) {
  EXPECT_EQ(Tree("a + b * c"), "(+ a (* b c))");
  EXPECT_EQ(Tree("(a + b) * c"), "(* (+ a b) c)");
  EXPECT_EQ(Tree("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(Tree("a or b and not c = d or e"), "(or a (and b (not (= c d))) e)");
  EXPECT_EQ(Tree("not a and b"), "(and (not a) b)");
  EXPECT_EQ(Tree("-a * - -b"), "(* (negate a) (negate (negate b)))");
  EXPECT_EQ(Tree("a + 1 <> b % 2"), "(!= (+ a 1) (% b 2))");
  EXPECT_EQ(Tree("a between 1 and 2 and b"), "(and (between a 1 2) b)");
  EXPECT_EQ(Tree("a not between b + 1 and c"), "(not between a (+ b 1) c)");
  EXPECT_EQ(Tree("a NOT IN (1, 'x')"), "(not in a 1 'x')");
  EXPECT_EQ(Tree("a LIKE 'x' OR a not ilike b"), "(or (like a 'x') (not ilike a b))");
}

TEST(Syntax, ReadsLiterals) {
  EXPECT_EQ(Tree("1.50"), "1.50");
  EXPECT_EQ(Tree(".5 + 5. + 1e3 + 1.5E-3"), "(+ (+ (+ .5 5.) 1e3) 1.5E-3)");
  EXPECT_EQ(Tree("'it''s'"), "'it's'");
  EXPECT_EQ(Tree("'back\\slash \\\\'"), "'back\\slash \\\\'");
  EXPECT_EQ(Tree("TRUE = False"), "(= true false)");
  EXPECT_EQ(Tree("interval '42' Day"), "42 DAY");
}

TEST(Syntax, ReadsCalls) {
  EXPECT_EQ(Tree("now()"), "(now)");
  EXPECT_EQ(Tree("COUNT(*)"), "(COUNT *)");
  EXPECT_EQ(Tree("count(distinct a)"), "(count distinct a)");
  EXPECT_EQ(Tree("topK(10)(a)"), "(topK [10] a)");
  EXPECT_EQ(Tree("topK()(a)"), "(topK [] a)");
  EXPECT_EQ(Tree("position('a' IN b)"), "(position 'a' b)");
  EXPECT_EQ(Tree("extract(year FROM a - 1)"), "(extract YEAR (- a 1))");
  EXPECT_EQ(Tree("if(a in (1), f(b), \"if\")"), "(if (in a 1) (f b) if)");
}

TEST(Syntax, ReadsClauses) {
  const Select select = Selected(
      "SELECT *, a AS b, sum(c)/ 2 FROM \"my-dataset\" WHERE a GROUP BY b, 2 HAVING c ORDER BY d "
      "DESC, e asc, f LIMIT 5 OFFSET 7");
  EXPECT_FALSE(select.items[0].expression.has_value());
  EXPECT_EQ(select.items[1].name, "b");
  EXPECT_EQ(select.items[2].name, "sum(c)/ 2");
  EXPECT_EQ(select.from->dataset, "my-dataset");
  EXPECT_EQ(select.group_by.size(), 2u);
  EXPECT_TRUE(select.order_by[0].descending);
  EXPECT_FALSE(select.order_by[1].descending || select.order_by[2].descending);
  EXPECT_EQ(select.limit, 5u);
  EXPECT_EQ(select.offset, 7u);
  EXPECT_FALSE(Selected("SELECT 1 LIMIT ALL").limit.has_value());
  EXPECT_EQ(Selected("SELECT a FROM (SELECT b FROM c)").from->subquery->from->dataset, "c");
}

TEST(Syntax, ReadsFormatsAndStatements) {
  EXPECT_EQ(std::get<Statement>(Parse("select 1")).format, Format::kJson);
  EXPECT_EQ(std::get<Statement>(Parse("select 1 format jsoneachrow;;")).format,
            Format::kJsonEachRow);
  EXPECT_EQ(std::get<Statement>(Parse("SHOW TABLES FORMAT TabSeparated")).format,
            Format::kTabSeparated);
  EXPECT_EQ(std::get<Statement>(Parse("show timezones")).kind, StatementKind::kShowTimezones);
  EXPECT_EQ(std::get<Statement>(Parse("show timezone")).kind, StatementKind::kShowTimezone);
}

TEST(Syntax, EndsCommentsWhereEverybodyDoes) {
  EXPECT_EQ(Refused("/* grafana \"x\" */ SELECT 1 -- end"), "accepted");
  EXPECT_EQ(Refused("SELECT /* a -- b */ 1 -- c /* d\n FORMAT JSON"), "accepted");
  EXPECT_EQ(Refused("SELECT /* a /* b */ 1 */"), "!12 syntax: a comment in a comment");
  EXPECT_EQ(Refused("SELECT /*/ 1"), "!7 syntax: a comment without an end");
  EXPECT_EQ(Refused("SELECT 1 # c"), "!9 syntax: unexpected \"#\"");
  EXPECT_EQ(Tree("1 /*! + 1 */"), "1") << "a comment of MySQL is a comment";
}

TEST(Syntax, RefusesQuotesThatTwoReadersEndAtDifferentPlaces) {
  EXPECT_THAT(Tree("'a\\' OR 1=1 --'"), StartsWith("!9 bad_literal: a backslash before a quote"));
  EXPECT_THAT(Tree("'a\\\\\\'"), StartsWith("!11 bad_literal: a backslash before a quote"));
  EXPECT_THAT(Tree("'a\\''"), HasSubstr("a backslash before a quote"));
  EXPECT_THAT(Tree("\"a\\\""), HasSubstr("a name with a backslash"));
}

TEST(Syntax, SaysWhatTheLanguageLeavesOut) {
  EXPECT_EQ(Refused("SELECT 1 FROM a JOIN b"),
            "!16 syntax: expected an operator, the next clause or the end, got \"JOIN\"");
  EXPECT_THAT(Help("SELECT 1 FROM a JOIN b"), HasSubstr("no joins"));
  EXPECT_THAT(Help("SELECT 1 FROM a LEFT JOIN b"), HasSubstr("no joins"));
  EXPECT_THAT(Help("SELECT 1 FROM a, b"), HasSubstr("one dataset"));
  EXPECT_THAT(Help("SELECT 1 UNION ALL SELECT 2"), HasSubstr("one SELECT"));
  EXPECT_THAT(Help("WITH a AS (SELECT 1) SELECT 1"), HasSubstr("subquery behind FROM"));
  EXPECT_THAT(Refused("SELECT * FROM file('/etc/passwd')"), HasSubstr("table function"));
  EXPECT_THAT(Refused("SELECT * FROM numbers(10)"), HasSubstr("table function"));
  EXPECT_THAT(Help("SELECT * FROM system.tables"), HasSubstr("no databases"));
  EXPECT_THAT(Help("SELECT 1 FROM a SETTINGS max_threads = 1"), HasSubstr("FORMAT"));
  EXPECT_THAT(Help("SELECT 1 FROM a INTO OUTFILE 'x'"), HasSubstr("OUTFILE"));
  EXPECT_THAT(Help("SELECT 1 FROM a AS b"), HasSubstr("no alias"));
  EXPECT_THAT(Help("SELECT 1 FROM my-dataset"), HasSubstr("double quotes"));
  EXPECT_THAT(Help("SELECT 1 FROM 'a'"), HasSubstr("double quotes"));
  EXPECT_THAT(Help("SELECT (SELECT 1)"), HasSubstr("behind FROM and nowhere else"));
  EXPECT_THAT(Help("SELECT a IN (SELECT 1)"), HasSubstr("behind FROM and nowhere else"));
  EXPECT_THAT(Help("SELECT CASE WHEN a THEN b END"), HasSubstr("if(condition"));
  EXPECT_THAT(Help("SELECT CAST(a AS b)"), HasSubstr("toDateTime"));
  EXPECT_THAT(Help("SELECT a::b"), HasSubstr("toDateTime"));
  EXPECT_THAT(Help("SELECT a IS NULL"), HasSubstr("no NULL"));
  EXPECT_THAT(Help("SELECT NULL"), HasSubstr("no NULL"));
  EXPECT_THAT(Help("SELECT DISTINCT a FROM b"), HasSubstr("GROUP BY"));
  EXPECT_THAT(Help("SELECT sum(a) OVER (PARTITION BY b)"), HasSubstr("window"));
  EXPECT_THAT(Help("SELECT a b FROM c"), HasSubstr("AS"));
  EXPECT_THAT(Help("SELECT a.b FROM a"), HasSubstr("without its dataset"));
  EXPECT_THAT(Help("SELECT INTERVAL 1 DAY"), HasSubstr("INTERVAL '42' DAY"));
  EXPECT_THAT(Help("SELECT INTERVAL '1' WEEK"), HasSubstr("units"));
  EXPECT_THAT(Help("SELECT 1 FORMAT CSV"), HasSubstr("JSONEachRow"));
  EXPECT_THAT(Help("SELECT a FROM (SELECT 1 FORMAT JSON)"), HasSubstr("end of the query"));
  EXPECT_THAT(Help("SELECT 1 LIMIT 1, 2"), HasSubstr("OFFSET"));
  EXPECT_THAT(Help("SELECT 1 ORDER BY a NULLS LAST"), HasSubstr("no NULL"));
  EXPECT_THAT(Help("INSERT INTO a VALUES (1)"), HasSubstr("written by Workers"));
  EXPECT_THAT(Help("DROP TABLE a"), HasSubstr("written by Workers"));
  EXPECT_THAT(Help("SHOW DATABASES"), HasSubstr("nothing else"));
  EXPECT_THAT(Help("SELECT 1; SELECT 2"), HasSubstr("one statement"));
  EXPECT_THAT(Help("SELECT {a:String}"), HasSubstr("no parameters"));
  EXPECT_THAT(Help("SELECT a == b"), HasSubstr("one ="));
  EXPECT_THAT(Help("SELECT $timeSeries"), HasSubstr("Grafana"));
}

TEST(Syntax, SaysWhere) {
  EXPECT_EQ(Refused(""), "!0 syntax: an empty query");
  EXPECT_EQ(Refused("-- nothing"), "!10 syntax: an empty query");
  EXPECT_EQ(Tree("a +"), "!10 syntax: expected a value, got the end");
  EXPECT_EQ(Tree("(a"), "!9 syntax: expected ), got the end");
  EXPECT_EQ(Tree("f(a,)"), "!11 syntax: expected a value, got \")\"");
  EXPECT_EQ(Tree("a < b < c"), "!13 syntax: comparisons do not chain");
  EXPECT_EQ(Tree("a in ()"), "!13 syntax: an empty list");
  EXPECT_EQ(Tree("1x"), "!7 syntax: a number that goes on as a word");
  EXPECT_EQ(Tree("'open"), "!7 syntax: a string without an end");
  EXPECT_EQ(Tree("\"\""), "!7 syntax: an empty name");
  EXPECT_EQ(Tree("größe"), "!9 syntax: a character that no name has without quotes");
  EXPECT_EQ(Refused("SELECT 1 LIMIT 99999999999999999999"),
            "!15 bad_literal: LIMIT is too large: 99999999999999999999");
  const std::string sql = "SELECT 'ü',\n  1x";
  const auto problem = std::get<Problem>(Parse(sql));
  EXPECT_THAT(Describe(sql, problem), HasSubstr("at line 2, column 3; a name that begins"));
}

TEST(Syntax, IsText) {
  EXPECT_THAT(Refused("SELECT '\xff'"), HasSubstr("not UTF-8"));
  EXPECT_THAT(Refused(std::string_view("SELECT '\0'", 10)), HasSubstr("NUL"));
  EXPECT_THAT(Refused("SELECT \x01"), HasSubstr("control character"));
}

TEST(Syntax, HasLimits) {
  const auto repeated = [](std::string_view piece, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += piece;
    return text;
  };
  EXPECT_THAT(Tree(repeated("(", 5000) + "a"), HasSubstr("in one another"));
  EXPECT_THAT(Tree(repeated("- ", 5000) + "a"), HasSubstr("in one another"));
  EXPECT_THAT(Tree(repeated("not ", 5000) + "a"), HasSubstr("in one another"));
  EXPECT_THAT(Tree(repeated("f(", 5000)), HasSubstr("in one another"));
  EXPECT_THAT(Tree("a" + repeated(" + a", 3000)), HasSubstr("in one another"));
  EXPECT_THAT(Tree(repeated("position(", 3000)), HasSubstr("in one another"));
  EXPECT_THAT(Refused(repeated("SELECT 1 FROM (", 3000)), HasSubstr("subqueries"));
  EXPECT_THAT(Refused(std::string(kQueryBytesMax + 1, ' ')), HasSubstr("too_large"));
  EXPECT_THAT(Tree("a = 1" + repeated(" or a = 1", 3000)), StartsWith("(or (="))
      << "conditions are wide, not deep";
  EXPECT_THAT(Tree("a in (1" + repeated(", 1", 5000) + ")"), StartsWith("(in a 1"));
}

}  // namespace
}  // namespace levada::aesql
