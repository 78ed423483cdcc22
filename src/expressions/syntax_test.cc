#include "expressions/syntax.h"

#include "base/testing.h"

namespace levada::expressions {
namespace {

using testing::HasSubstr;

/// The tree in a form that shows how it is put together: (+ a (* b 2)).
std::string Shown(const Syntax& syntax) {
  switch (syntax.kind) {
    case SyntaxKind::kNull:
      return "null";
    case SyntaxKind::kText:
      return "'" + syntax.text + "'";
    case SyntaxKind::kCast:
      return "(" + syntax.text + " " + Shown(syntax.arguments[0]) + ")";
    case SyntaxKind::kCall: {
      std::string text = "(" + syntax.text;
      for (const Syntax& argument : syntax.arguments) text += " " + Shown(argument);
      return text + ")";
    }
    default:
      return syntax.text;
  }
}

std::string Tree(std::string_view text) {
  const Parsed parsed = Parse(text);
  if (parsed.syntax) return Shown(*parsed.syntax);
  return "!" + std::to_string(parsed.problem.range.begin) + " " + parsed.problem.message;
}

TEST(Syntax, KnowsPrecedence) {
  EXPECT_EQ(Tree("a + b * c"), "(+ a (* b c))");
  EXPECT_EQ(Tree("(a + b) * c"), "(* (+ a b) c)");
  EXPECT_EQ(Tree("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(Tree("a % b / c"), "(/ (% a b) c)");
  EXPECT_EQ(Tree("a or b and not c = d"), "(or a (and b (not (= c d))))");
  EXPECT_EQ(Tree("not a and b"), "(and (not a) b)");
  EXPECT_EQ(Tree("a || b + c"), "(|| a (+ b c))");
  EXPECT_EQ(Tree("a || b = c"), "(= (|| a b) c)");
  EXPECT_EQ(Tree("-a * b"), "(* (negate a) b)");
  EXPECT_EQ(Tree("-a::int64"), "(negate (int64 a))") << "as in PostgreSQL";
  EXPECT_EQ(Tree("a::text::int64"), "(int64 (text a))");
  EXPECT_EQ(Tree("a = b is null"), "(is null (= a b))");
}

TEST(Syntax, ReadsLiterals) {
  EXPECT_EQ(Tree("-1"), "-1");
  EXPECT_EQ(Tree("- 9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(Tree("--1"), "(negate -1)");
  EXPECT_EQ(Tree("+1.50"), "1.50");
  EXPECT_EQ(Tree(".5 + 5. + 1e3 + 1.5E-3"), "(+ (+ (+ .5 5.) 1e3) 1.5E-3)");
  EXPECT_EQ(Tree("'it''s' || ''"), "(|| 'it's' '')");
  EXPECT_EQ(Tree("TRUE and False or NULL"), "(or (and true false) null)");
  EXPECT_EQ(Tree("a\n\t<>\r\nb"), "(!= a b)");
}

TEST(Syntax, ReadsColumns) {
  EXPECT_EQ(Tree("\"order\" + \"a \"\"b\"\"\" + größe + _x1$"),
            "(+ (+ (+ order a \"b\") größe) _x1$)");
  EXPECT_EQ(Tree("Amount"), "Amount") << "columns keep their case";
  EXPECT_EQ(Tree("LOWER(a)"), "(lower a)") << "functions have none";
}

TEST(Syntax, ReadsPredicates) {
  EXPECT_EQ(Tree("a is null or b is not null"), "(or (is null a) (is not null b))");
  EXPECT_EQ(Tree("a in (1, 2 + 3)"), "(in a 1 (+ 2 3))");
  EXPECT_EQ(Tree("a not in (1)"), "(not (in a 1))");
  EXPECT_EQ(Tree("a between 1 and 2 and b"), "(and (between a 1 2) b)");
  EXPECT_EQ(Tree("a not between b + 1 and c"), "(not (between a (+ b 1) c))");
  EXPECT_EQ(Tree("a like 'x%' and a not like '_'"), "(and (like a 'x%') (not (like a '_')))");
}

TEST(Syntax, ReadsCaseAndCasts) {
  EXPECT_EQ(Tree("case when a then 1 when b then 2 else 3 end"), "(case a 1 b 2 3)");
  EXPECT_EQ(Tree("case when a then 1 end + 1"), "(+ (case a 1 null) 1)");
  EXPECT_EQ(Tree("cast(a + 1 as decimal(18, 2))"), "(decimal(18,2) (+ a 1))");
  EXPECT_EQ(Tree("a::timestamp(us, Europe/Lisbon)"), "(timestamp(us,Europe/Lisbon) a)");
  EXPECT_EQ(Tree("f()"), "(f)");
  EXPECT_EQ(Tree("f(g(a), b)"), "(f (g a) b)");
}

TEST(Syntax, SaysWhereItEnds) {
  const Parsed parsed = Parse("a + (b * 2) ");
  EXPECT_EQ(parsed.syntax->range.begin, 0u);
  EXPECT_EQ(parsed.syntax->range.end, 11u);
  EXPECT_EQ(parsed.syntax->arguments[1].range.begin, 4u);
  EXPECT_EQ(parsed.syntax->arguments[1].range.end, 11u);
}

TEST(Syntax, RefusesWhatIsNone) {
  EXPECT_EQ(Tree(""), "!0 an empty expression");
  EXPECT_EQ(Tree("  "), "!2 an empty expression");
  EXPECT_EQ(Tree("a +"), "!3 expected a value, got the end");
  EXPECT_EQ(Tree("a b"), "!2 expected an operator or the end, got \"b\"");
  EXPECT_EQ(Tree("(a"), "!2 expected ), got the end");
  EXPECT_EQ(Tree("a)"), "!1 expected an operator or the end, got \")\"");
  EXPECT_EQ(Tree("f(a,)"), "!4 expected a value, got \")\"");
  EXPECT_EQ(Tree("a < b < c"), "!6 comparisons do not chain");
  EXPECT_EQ(Tree("a == b"), "!3 expected a value, got \"=\"");
  EXPECT_EQ(Tree("a && b"), "!2 unexpected \"&\"");
  EXPECT_EQ(Tree("a.b"), "!1 unexpected \".\"");
  EXPECT_EQ(Tree("a is 1"), "!5 expected null after is, got \"1\"");
  EXPECT_EQ(Tree("a in ()"), "!6 an empty list");
  EXPECT_EQ(Tree("a in 1"), "!5 expected (, got \"1\"");
  EXPECT_EQ(Tree("a between 1 or 2"), "!12 expected and, got \"or\"");
  EXPECT_EQ(Tree("case a when 1 then 2 end"), "!5 expected when, got \"a\"");
  EXPECT_EQ(Tree("case when a then 1"), "!18 expected when, else or end, got the end");
  EXPECT_EQ(Tree("case when a 1 end"), "!12 expected then, got \"1\"");
  EXPECT_EQ(Tree("cast(a, int64)"), "!6 expected as, got \",\"");
  EXPECT_EQ(Tree("a::'text'"), "!3 expected a type, got a text");
  EXPECT_EQ(Tree("a::decimal(1"), "!12 expected ) after the type, got the end");
  EXPECT_EQ(Tree("and"), "!0 expected a value, got \"and\"");
  EXPECT_EQ(Tree("'open"), "!0 text without an end");
  EXPECT_EQ(Tree("\"open"), "!0 column name without an end");
  EXPECT_EQ(Tree("\"\""), "!0 a column without a name");
  EXPECT_EQ(Tree("1x"), "!0 a number that goes on as a word");
  EXPECT_EQ(Tree("1e"), "!0 a number without an exponent");
  EXPECT_EQ(Tree(std::string_view("a\0b", 3)), "!1 unexpected control character");
}

TEST(Syntax, IsUtf8) {
  EXPECT_THAT(Tree("'a\xff'"), HasSubstr("no UTF-8"));
  EXPECT_THAT(Tree("'\xed\xa0\x80'"), HasSubstr("no UTF-8")) << "half of a surrogate pair";
}

TEST(Syntax, HasLimits) {
  const auto repeated = [](std::string_view piece, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += piece;
    return text;
  };
  EXPECT_THAT(Tree(repeated("(", 5000) + "a"), HasSubstr("in one another"));
  EXPECT_THAT(Tree(repeated("-", 5000) + "a"), HasSubstr("in one another"));
  EXPECT_THAT(Tree(repeated("not ", 5000) + "a"), HasSubstr("in one another"));
  EXPECT_THAT(Tree("a" + repeated(" is null", 3000)), HasSubstr("in one another"));
  EXPECT_THAT(Tree("a" + repeated("::text", 3000)), HasSubstr("in one another"));
  EXPECT_THAT(Tree("a" + repeated(" + a", 3000)), HasSubstr("in one another"));
  EXPECT_THAT(Tree(repeated("case when a then ", 1000)), HasSubstr("in one another"));
  EXPECT_THAT(Tree(repeated("f(", 5000)), HasSubstr("in one another"));
  EXPECT_THAT(Tree("'" + std::string(kExpressionBytesMax, 'x') + "'"), HasSubstr("longer than"));
  EXPECT_EQ(Tree("a" + repeated(" + a", kDepthMax)).substr(0, 1), "(");
  EXPECT_EQ(Tree("a in (1" + repeated(", 1", 5000) + ")").substr(0, 3), "(in")
      << "lists are wide, not deep";
}

}  // namespace
}  // namespace levada::expressions
