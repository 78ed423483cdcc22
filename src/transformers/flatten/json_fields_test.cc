#include "transformers/flatten/json_fields.h"

#include "base/testing.h"

namespace levada::flatten {
namespace {

using testing::HasSubstr;

std::string Found(const std::vector<std::string>& paths, std::string_view text) {
  std::vector<Path> parsed;
  for (const std::string& path : paths) parsed.push_back(ValueOf(ParsePath(path)));
  JsonFields fields(parsed);
  const auto* values = fields.Find(text);
  if (values == nullptr) return std::string("!") + fields.problem();
  std::string shown;
  for (const JsonValue& value : *values) {
    shown += (shown.empty() ? "" : "|") + (value.is_null ? std::string("null") : value.text);
  }
  return shown;
}

TEST(JsonFields, FindsValuesWhereverTheyStand) {
  constexpr std::string_view kText =
      R"( {"a": 1, "b": {"c": "x\n\u00fc", "d": [10, {"e": true}, null]}, "f g": -1.50e3, "h.i": {}} )";
  EXPECT_EQ(Found({"a", "b.c", "b.d[0]", "b.d[1].e", "\"f g\"", "\"h.i\""}, kText),
            "1|x\nü|10|true|-1.50e3|{}");
  EXPECT_EQ(Found({"b.d", "b.d[1]", "$.a", "$"}, R"({"a":1,"b":{"d":[10, {"e":true} ,null]}})"),
            R"([10, {"e":true} ,null]|{"e":true}|1|{"a":1,"b":{"d":[10, {"e":true} ,null]}})");
  EXPECT_EQ(Found({"[1].a", "$[0]"}, R"([7, {"a": "y"}])"), "y|7");
  EXPECT_EQ(Found({"$"}, "\"text\""), "text");
  EXPECT_EQ(Found({"x", "b.x", "b.d[7]", "b.d[2]", "a.b", "b[0]"},
                  R"({"a": 1, "b": {"d": [1, 2, null]}})"),
            "null|null|null|null|null|null");
  EXPECT_EQ(Found({"a", "a"}, R"({"a": 1})"), "1|1") << "two columns of one value";
  EXPECT_EQ(Found({"a", "a.b"}, R"({"a": {"b": 2}})"), R"({"b": 2}|2)");
}

TEST(JsonFields, KeepsEveryDigit) {
  EXPECT_EQ(
      Found({"a", "b", "c"}, R"({"a": 123456789012345678901234567890, "b": 0.10, "c": 1e300})"),
      "123456789012345678901234567890|0.10|1e300");
}

TEST(JsonFields, TakesTheFirstOfTwoKeys) {
  EXPECT_EQ(Found({"a"}, R"({"a": 1, "a": 2})"), "1");
  EXPECT_EQ(Found({"a"}, R"({"a": null, "a": 2})"), "null");
}

TEST(JsonFields, RefusesWhatIsNoJson) {
  for (const std::string_view text :
       {"{", "{\"a\": }", "[1,]", "{'a': 1}", "nul", "01", "1.", "\"\t\"", "{\"a\" 1}", "\"\\x\"",
        "\"\\ud800\"", "// x\n1", "NaN", "[1 2]", "}"}) {
    EXPECT_EQ(Found({"a"}, text).substr(0, 1), "!") << text;
  }
  EXPECT_EQ(Found({"a"}, ""), "!an empty text");
  EXPECT_EQ(Found({"a"}, "{} {}"), "!more than one document");
  EXPECT_EQ(Found({"a"}, std::string_view("{}\0{}", 5)), "!not JSON");
  EXPECT_EQ(Found({"a"}, "\"\xff\""), "!not UTF-8");
  EXPECT_EQ(Found({"a"}, "1e400"), "!a number beyond 1.8e308")
      << "the reader looks at each as a float";
  EXPECT_EQ(Found({"a"}, "{\"a\": 1, \"b\": tru}"), "!not JSON")
      << "also behind what was asked for";
}

TEST(JsonFields, BearsAnyDepth) {
  EXPECT_EQ(Found({"a"}, std::string(1'000'000, '[') + std::string(1'000'000, ']')), "null");
  EXPECT_EQ(Found({"a"}, std::string(1'000'000, '[')), "!not JSON");
}

TEST(JsonFields, ForgetsTheTextBefore) {
  JsonFields fields({ValueOf(ParsePath("a"))});
  EXPECT_EQ(fields.Find(R"({"a": 1})")->at(0).text, "1");
  EXPECT_EQ(fields.Find("{"), nullptr);
  EXPECT_TRUE(fields.Find("{}")->at(0).is_null);
  EXPECT_EQ(fields.problem(), nullptr);
}

TEST(Paths, AreRefusedWithTheirForm) {
  for (const std::string_view text : {"", ".", "a.", "a..b", "a[", "a[]", "a[x]", "a[-1]", "a]",
                                      "\"a", "a\"b\"", "$a", "$.", "a[99999999]", "[0]x"}) {
    EXPECT_THAT(ParsePath(text), FailsWith(FaultCode::kBadValue)) << text;
  }
  std::string deep = "a";
  for (int i = 0; i < 64; ++i) deep += ".a";
  EXPECT_THAT(ParsePath(deep), FailsWith(FaultCode::kBadValue, HasSubstr("64 steps")));
}

}  // namespace
}  // namespace levada::flatten
