#include <gtest/gtest.h>

#include "base/testing.h"
#include "elt/fake_catalog.h"
#include "elt/value.h"

namespace levada::elt {
namespace {

using testing::HasSubstr;

std::string At(const Span& span) {
  return std::to_string(span.line) + ":" + std::to_string(span.column) + "+" +
         std::to_string(span.length);
}

Value Parsed(const std::string& text) { return ValueOf(ParseYaml(fake::MakeSource(text))); }

/// The one diagnostic of a refusal.
Diagnostic Refused(const std::string& text) {
  const Result<Value> value = ParseYaml(fake::MakeSource(text));
  if (value.ok()) throw std::runtime_error("accepted: " + text);
  return FaultOf(value.status()).diagnostics().at(0);
}

std::string Refusal(const std::string& text) {
  const Diagnostic diagnostic = Refused(text);
  return CodeName(diagnostic.code) + " " + At(diagnostic.span) + " " + diagnostic.message;
}

TEST(PlanYaml, KnowsWhereEveryNodeIsWritten) {
  const Value root = Parsed(
      "name: orders\n"
      "list:\n"
      "  - one\n"
      "  - 'two words' # comment\n"
      "map: { a: \"x\\ty\", b: [1, 2] }\n");
  ASSERT_EQ(root.kind, Value::Kind::kMap);
  EXPECT_EQ(At(root.span), "1:1+1");
  EXPECT_EQ(At(root.entries[0].key_span), "1:1+4");
  EXPECT_EQ(At(root.entries[0].value.span), "1:7+6");
  const Value& list = root.entries[1].value;
  EXPECT_EQ(At(list.span), "3:3+1");
  EXPECT_EQ(At(list.items[0].span), "3:5+3");
  EXPECT_EQ(At(list.items[1].span), "4:5+11");
  EXPECT_EQ(list.items[1].text, "two words");
  const Value& map = root.entries[2].value;
  EXPECT_EQ(At(map.span), "5:6+1");
  EXPECT_EQ(At(map.entries[0].value.span), "5:11+6");
  EXPECT_EQ(map.entries[0].value.text, "x\ty");
  EXPECT_EQ(At(map.entries[1].value.span), "5:22+1");
  EXPECT_EQ(At(map.entries[1].value.items[1].span), "5:26+1");
}

TEST(PlanYaml, QuotesMakeTextOfAnything) {
  const Value root = Parsed("a: true\nb: \"true\"\nc: 'x''y'\nd: |\n  two\n  lines\n");
  EXPECT_FALSE(root.entries[0].value.quoted);
  EXPECT_TRUE(root.entries[1].value.quoted);
  EXPECT_EQ(root.entries[2].value.text, "x'y");
  EXPECT_EQ(At(root.entries[2].value.span), "3:4+6");
  EXPECT_EQ(root.entries[3].value.text, "two\nlines\n");
  EXPECT_EQ(At(root.entries[3].value.span), "4:4+1");
}

TEST(PlanYaml, ScalarsKnowTheBytesThatHoldThem) {
  const std::string text = "a: plain\nb: 'q''t'\nc: |\n  block\nd: x\n";
  const Value root = Parsed(text);
  const auto bytes = [&](size_t i) {
    const Value& value = root.entries[i].value;
    return text.substr(value.begin, value.end - value.begin);
  };
  EXPECT_EQ(bytes(0), "plain");
  EXPECT_EQ(bytes(1), "'q''t'");
  EXPECT_EQ(bytes(2), "|\n  block\n");
  EXPECT_EQ(bytes(3), "x");
}

TEST(PlanYaml, AbsentValuesPointAtTheirKeyOrDash) {
  const Value root = Parsed("a:\nnull: 5\nlist:\n  -\n  - x\nlast:\n");
  EXPECT_EQ(root.entries[0].value.kind, Value::Kind::kNull);
  EXPECT_EQ(At(root.entries[0].value.span), "1:1+1");
  EXPECT_EQ(root.entries[1].key, "null");
  EXPECT_EQ(At(root.entries[2].value.items[0].span), "4:3+1");
  EXPECT_EQ(At(root.entries[3].value.span), "6:1+4");
}

TEST(PlanYaml, ANullThatIsWrittenPointsAtItself) {
  const Value root = Parsed("a: null\nb:\n  ~\nc: { d: NULL, null: e }\n");
  EXPECT_EQ(At(root.entries[0].value.span), "1:4+4");
  EXPECT_EQ(At(root.entries[1].value.span), "3:3+1");
  EXPECT_EQ(At(root.entries[2].value.entries[0].value.span), "4:9+4");
  EXPECT_EQ(root.entries[2].value.entries[1].key, "null");
  EXPECT_EQ(root.entries[2].value.entries[1].value.text, "e");
}

TEST(PlanYaml, KeepsRepeatedKeysForTheValidator) {
  const Value root = Parsed("a: 1\na: 2\n");
  ASSERT_EQ(root.entries.size(), 2U);
  EXPECT_EQ(At(root.entries[1].key_span), "2:1+1");
  EXPECT_EQ(root.Find("a")->text, "1");
  EXPECT_EQ(root.Find("b"), nullptr);
}

TEST(PlanYaml, AnEmptyFileIsNull) {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n"}) {
    EXPECT_EQ(Parsed(text).kind, Value::Kind::kNull) << text;
  }
}

TEST(PlanYaml, ReadsWindowsLineEndsAndAByteOrderMark) {
  const Value root = Parsed(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: two words\r\n");
  EXPECT_EQ(root.entries[0].key, "a");
  EXPECT_EQ(At(root.entries[1].key_span), "2:1+1");
  EXPECT_EQ(root.entries[1].value.text, "two words");
  EXPECT_EQ(At(root.entries[1].value.span), "2:4+9");
}

TEST(PlanYaml, CountsColumnsInBytes) {
  const Value root = Parsed("{ ä: 1, ö: 2 }\n");
  EXPECT_EQ(At(root.entries[0].key_span), "1:3+2");
  EXPECT_EQ(At(root.entries[1].value.span), "1:14+1");
}

TEST(PlanYaml, KeepsTheParenthesisOfATypeTogether) {
  const Value root = Parsed("{ amount: decimal(18,2), rate: decimal(38, 10), id: int64 }\n");
  ASSERT_EQ(root.entries.size(), 3U);
  EXPECT_EQ(root.entries[0].value.text, "decimal(18,2)");
  EXPECT_EQ(At(root.entries[0].value.span), "1:11+13");
  EXPECT_EQ(root.entries[1].value.text, "decimal(38, 10)");
  EXPECT_EQ(root.entries[2].value.text, "int64");
}

TEST(PlanYaml, JoinsNothingElse) {
  EXPECT_EQ(Parsed("{ a: x, b }\n").entries.size(), 2U);
  EXPECT_EQ(Parsed("{ a: \"f(x\", y) }\n").entries.size(), 2U);
  EXPECT_EQ(Parsed("{ a: f(x, y): 1 }\n").entries.size(), 2U);
  EXPECT_EQ(Parsed("{ a: f(x), y) }\n").entries.size(), 2U);
}

TEST(PlanYaml, RefusesWhatHidesTheMeaning) {
  EXPECT_EQ(Refusal("a: &x 1\n"), "LV1001 1:4+2 YAML anchors are not used here");
  EXPECT_EQ(Refusal("a: &x\n  b: 1\n"), "LV1001 1:4+2 YAML anchors are not used here");
  EXPECT_EQ(Refusal("a: &x 1\nb: *x\n"), "LV1001 1:4+2 YAML anchors are not used here");
  EXPECT_EQ(Refusal("a: *x\n"), "LV1001 1:4+1 YAML aliases are not used here");
  EXPECT_EQ(Refusal("a: !!str 1\n"), "LV1001 1:4+5 YAML tags are not used here");
  EXPECT_EQ(Refusal("a: !\n"), "LV1001 1:4+1 YAML tags are not used here");
  EXPECT_EQ(Refusal("!!map { a: 1 }\n"), "LV1001 1:1+5 YAML tags are not used here");
  EXPECT_EQ(Refusal("<<: { a: 1 }\n"), "LV1001 1:1+2 YAML merge keys are not used here");
  EXPECT_EQ(Refusal("a: 1\n---\nb: 2\n"), "LV1001 2:1+3 a second YAML document");
  EXPECT_EQ(Refusal("%YAML 1.2\n---\na: 1\n"), "LV1001 1:1+1 a line cannot start with \"%\"");
  EXPECT_EQ(Refusal("- a\nb: c\n"), "LV1001 2:1+1 text behind the end of the document");
}

TEST(PlanYaml, RefusesKeysThatAreNotText) {
  EXPECT_EQ(Refusal("? [a, b]\n: c\n"), "LV1001 1:3+1 a list as a key");
  EXPECT_EQ(Refusal("{ { a: 1 }: 2 }\n"), "LV1001 1:3+1 a map as a key");
  EXPECT_EQ(Refusal("{ : 1 }\n"), "LV1001 1:3+1 a value without a key");
}

TEST(PlanYaml, RefusesTabsInTheIndentation) {
  EXPECT_EQ(Refusal("a:\n\tb: 1\n"), "LV1001 2:1+1 a tab in the indentation");
  EXPECT_EQ(Refusal("a:\n  \tb\n"), "LV1001 2:3+1 a tab in the indentation");
  EXPECT_EQ(Refusal("a:\n\t- 1\n"), "LV1001 2:1+1 a tab in the indentation");
}

TEST(PlanYaml, KeepsTabsInsideTexts) {
  EXPECT_EQ(Parsed("a: |\n  \tselect 1\n").entries[0].value.text, "\tselect 1\n");
  EXPECT_EQ(Parsed("a:\tb\n").entries[0].value.text, "b");
}

TEST(PlanYaml, RefusesBytesThatAreNotText) {
  EXPECT_EQ(Refusal(std::string("a: b\0c\n", 7)), "LV1001 1:5+1 NUL byte in the file");
  EXPECT_EQ(Refusal("a: \x1b[31m\n"), "LV1001 1:4+1 control character in the file");
  EXPECT_EQ(Refusal("a: x\ry: z\n"), "LV1001 1:5+1 control character in the file");
  EXPECT_EQ(Refusal("a: \xff\n"), "LV1001 1:4+1 the file is not valid UTF-8");
  EXPECT_EQ(Refusal("a: \xc0\xaf\n"), "LV1001 1:4+1 the file is not valid UTF-8");
  EXPECT_EQ(Refusal("a: \xed\xa0\x80\n"), "LV1001 1:4+1 the file is not valid UTF-8");
  EXPECT_EQ(Refusal("a: \xe2\x82"), "LV1001 1:4+1 the file is not valid UTF-8");
  EXPECT_EQ(Refusal("a: \xf4\x90\x80\x80\n"), "LV1001 1:4+1 the file is not valid UTF-8");
  EXPECT_EQ(Refusal("a: \"x\\0y\"\n"), "LV1001 1:4+6 a NUL character in a value");
}

TEST(PlanYaml, ExplainsBrokenSyntaxAtItsPlace) {
  EXPECT_EQ(Refusal("a: b: c\n"), "LV1001 1:5+1 a \":\" where no value can start");
  EXPECT_EQ(Refusal("a: \"x\nb: 1\n"), "LV1001 1:4+1 a quote that is never closed: \"");
  EXPECT_EQ(Refusal("a: 'x\n"), "LV1001 1:4+1 a quote that is never closed: '");
  EXPECT_EQ(Refusal("a: [1, 2\n"), "LV1001 1:4+1 a bracket that is never closed: [");
  EXPECT_EQ(Refusal("a: { b: 1\n"), "LV1001 1:4+1 a bracket that is never closed: {");
  EXPECT_EQ(Refusal("a: ]\n"), "LV1001 1:4+1 a closing bracket that nothing opened");
  EXPECT_EQ(Refusal("a: @x\n"), "LV1001 1:4+1 no value starts with this character");
  EXPECT_EQ(Refusal("a: \"x\" y\n"), "LV1001 1:8+1 expected a key of the map above");
  EXPECT_EQ(Refusal("{ a: 1 b: 2 }\n"), "LV1001 1:9+1 expected \",\" or \"}\"");
}

TEST(PlanYaml, SaysThatAReferenceNeedsQuotesInsideBraces) {
  const Diagnostic diagnostic = Refused("a: { dsn: ${env:X} }\n");
  EXPECT_EQ(diagnostic.code, FaultCode::kYamlSyntax);
  EXPECT_THAT(diagnostic.help, HasSubstr("\"${env:NAME}\""));
}

TEST(PlanYaml, BoundsDepth) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']') + "\n";
  };
  EXPECT_EQ(Parsed(nested(kPlanDepthMax)).kind, Value::Kind::kList);
  EXPECT_EQ(Refused(nested(kPlanDepthMax + 1)).code, FaultCode::kPlanTooLarge);
  for (const char* open : {"[", "- ", "{a: ", "? ", "[{a: "}) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += open;
    EXPECT_FALSE(ParseYaml(fake::MakeSource(text)).ok()) << open;
  }
}

TEST(PlanYaml, BoundsSizeAndNumber) {
  EXPECT_EQ(Refused(std::string(kPlanBytesMax + 1, ' ')).code, FaultCode::kPlanTooLarge);
  EXPECT_EQ(Refused(std::string(kPlanNodesMax + 1, '[')).code, FaultCode::kPlanTooLarge);
  std::string list;
  for (size_t i = 0; i <= kPlanNodesMax; ++i) list += "- a\n";
  EXPECT_EQ(Refused(list).code, FaultCode::kPlanTooLarge);
}

TEST(PlanYaml, ShowsNoPasswordOfABrokenFile) {
  const Diagnostic diagnostic = Refused("dsn: postgres://me:s3cret@host/db  : x\n");
  EXPECT_EQ(Render(diagnostic, {}).find("s3cret"), std::string::npos);
  EXPECT_THAT(Render(diagnostic, {}), HasSubstr("postgres://me:******@host/db"));
}

}  // namespace
}  // namespace levada::elt
