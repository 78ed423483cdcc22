#include "elt/options.h"

#include <gtest/gtest.h>

#include "base/testing.h"
#include "elt/fake_catalog.h"

namespace levada::elt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

OptionSpec EverySpec() {
  OptionSpec group{.name = "group", .type = OptionType::kGroup, .shorthand = "first"};
  group.fields = {{.name = "first", .required = true, .example = "x"},
                  {.name = "second", .type = OptionType::kInteger, .default_text = "7"}};
  OptionSpec item{.type = OptionType::kGroup};
  item.fields = {{.name = "key"}};
  OptionSpec spec{.name = "every", .type = OptionType::kGroup};
  spec.fields = {
      {.name = "text", .example = "public.orders"},
      {.name = "flag", .type = OptionType::kBool, .example = "true"},
      {.name = "number", .type = OptionType::kInteger, .min = -5, .max = 10, .example = "3"},
      {.name = "bytes", .type = OptionType::kBytes, .min = 1024, .example = "64MiB"},
      {.name = "wait", .type = OptionType::kDuration, .runtime = true, .example = "30s"},
      {.name = "choice",
       .type = OptionType::kChoice,
       .default_text = "zstd",
       .choices = {"none", "zstd"}},
      {.name = "texts", .type = OptionType::kList, .fields = {{}}},
      {.name = "defaults", .type = OptionType::kList, .default_text = "[a, b]", .fields = {{}}},
      {.name = "list", .type = OptionType::kList, .fields = {item}},
      {.name = "map", .type = OptionType::kMap, .fields = {group}},
      group,
      {.name = "secret", .secret = true},
  };
  return spec;
}

/// Options and what was wrong, as "code line:column message | help".
struct Checked {
  Options options;
  std::vector<std::string> problems;
};

Checked Check(const std::string& text, const OptionSpec& spec = EverySpec()) {
  const auto source = fake::MakeSource(text);
  const Value value = ValueOf(ParseYaml(source));
  std::vector<Diagnostic> diagnostics;
  Checked checked;
  checked.options = ValidateOptions(
      spec, value, "stage \"every\"", source,
      fake::MakeEnvironment({{"N", "4"}, {"WORD", "abc"}, {"BAD", "\xff"}}, {{"/pw", "hunter2"}}),
      diagnostics);
  for (const Diagnostic& diagnostic : diagnostics) {
    checked.problems.push_back(CodeName(diagnostic.code) + " " +
                               std::to_string(diagnostic.span.line) + ":" +
                               std::to_string(diagnostic.span.column) + " " + diagnostic.message +
                               (diagnostic.help.empty() ? "" : " | " + diagnostic.help));
  }
  return checked;
}

std::vector<std::string> Problems(const std::string& text) { return Check(text).problems; }

TEST(Options, GiveTypedValues) {
  const Checked checked = Check(
      "text: public.orders\nflag: true\nnumber: -3\nbytes: 64KiB\nwait: 1m30s\nchoice: none\n"
      "texts: [a, 'b c', 3]\nlist: [{ key: x }, { key: y }]\n");
  EXPECT_THAT(checked.problems, IsEmpty());
  const Options& options = checked.options;
  EXPECT_EQ(options.Text("text"), "public.orders");
  EXPECT_TRUE(options.Bool("flag"));
  EXPECT_EQ(options.Integer("number"), -3);
  EXPECT_EQ(options.Integer("bytes"), 65536);
  EXPECT_EQ(options.Duration("wait"), std::chrono::seconds(90));
  EXPECT_EQ(options.Text("choice"), "none");
  EXPECT_THAT(options.Texts("texts"), ElementsAre("a", "b c", "3"));
  ASSERT_EQ(options.List("list").size(), 2U);
  EXPECT_EQ(options.List("list")[1].Text("key"), "y");
}

TEST(Options, TellWrittenFromDefaultFromAbsent) {
  const Options options = Check("text: x\n").options;
  EXPECT_TRUE(options.Given("text"));
  EXPECT_TRUE(options.Has("choice"));
  EXPECT_FALSE(options.Given("choice"));
  EXPECT_EQ(options.Text("choice"), "zstd");
  EXPECT_THAT(options.Texts("defaults"), ElementsAre("a", "b"));
  EXPECT_FALSE(options.Given("defaults"));
  EXPECT_FALSE(options.Has("flag"));
  EXPECT_FALSE(options.Bool("flag"));
  EXPECT_EQ(options.Integer("number"), 0);
  EXPECT_THAT(options.Texts("texts"), IsEmpty());
  EXPECT_THAT(options.Map("map"), IsEmpty());
  EXPECT_FALSE(options.Has("group"));
  EXPECT_EQ(options.Group("group").Integer("second"), 7);
}

TEST(Options, AScalarStandsForAGroup) {
  const Checked checked = Check("group: x\nmap: { a: short, b: { first: long, second: 1 } }\n");
  EXPECT_THAT(checked.problems, IsEmpty());
  EXPECT_EQ(checked.options.Group("group").Text("first"), "x");
  EXPECT_EQ(checked.options.Group("group").Integer("second"), 7);
  const auto entries = checked.options.Map("map");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].first, "a");
  EXPECT_EQ(entries[0].second.Text("first"), "short");
  EXPECT_EQ(entries[1].second.Integer("second"), 1);
}

TEST(Options, AWholeStageMayBeAMap) {
  const Checked checked = Check("id: order_id\nname: title\n", fake::RenameSpec());
  EXPECT_THAT(checked.problems, IsEmpty());
  const auto entries = checked.options.Map("");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[1].first, "name");
  EXPECT_EQ(entries[1].second.Scalar(), "title");
  EXPECT_EQ(checked.options.KeySpanOf("name").line, 2U);
}

TEST(Options, KnowWhereTheyWereWritten) {
  const Options options = Check("text: x\nmap:\n  a: one\n  b: two\nlist:\n  - key: z\n").options;
  EXPECT_EQ(options.SpanOf("text").column, 7U);
  EXPECT_EQ(options.KeySpanOf("text").column, 1U);
  EXPECT_EQ(options.SpanOf("map").line, 2U) << "a map is shown at its key";
  EXPECT_EQ(options.Map("map")[1].second.SpanOf("first").line, 4U);
  EXPECT_EQ(options.List("list")[0].SpanOf("key").line, 6U);
  EXPECT_EQ(options.SpanOf("flag").line, 1U) << "what is absent is shown at its group";
  const Diagnostic error = options.ErrorAt("text", FaultCode::kBadValue, "no good", "do better");
  EXPECT_EQ(error.span.column, 7U);
  EXPECT_EQ(error.help, "do better");
  EXPECT_EQ(error.source, options.source());
}

TEST(Options, UnknownKeysGetTheNearestName) {
  EXPECT_THAT(Problems("txet: x\n"),
              ElementsAre("LV1002 1:1 unknown key \"txet\" | did you mean \"text\"?"));
  EXPECT_THAT(Problems("group: { first: a, zzzzzz: b }\n"),
              ElementsAre("LV1002 1:20 unknown key \"zzzzzz\" | known: first, second"));
}

TEST(Options, RequiredKeysAreMissedOnce) {
  EXPECT_THAT(
      Problems("group: {}\n"),
      ElementsAre("LV1003 1:1 \"group\" of stage \"every\" needs \"first\" | add first: x"));
  EXPECT_THAT(Problems("group: { frist: x }\n"),
              ElementsAre("LV1002 1:10 unknown key \"frist\" | did you mean \"first\"?"));
}

TEST(Options, RepeatedKeysPointAtTheSecond) {
  EXPECT_THAT(Problems("text: x\nflag: true\ntext: y\n"),
              ElementsAre("LV1006 3:1 the key \"text\" is given twice | keep one of the two"));
}

TEST(Options, WrongTypesSayWhatWasWritten) {
  EXPECT_THAT(Problems("text: [a]\n"),
              ElementsAre("LV1004 1:7 \"text\": expected text, got a list | for example: text: "
                          "public.orders"));
  EXPECT_THAT(Problems("text:\n"),
              ElementsAre("LV1004 1:1 \"text\": expected text, got nothing | for example: text: "
                          "public.orders"));
  EXPECT_THAT(Problems("flag: yes\n"),
              ElementsAre("LV1004 1:7 \"flag\": expected true or false, got \"yes\" | write true"));
  EXPECT_THAT(Problems("flag: \"true\"\n"),
              ElementsAre("LV1004 1:7 \"flag\": expected true or false, got the text \"true\" | "
                          "remove the quotes: they make it text"));
  EXPECT_THAT(
      Problems("number: 1.5\n"),
      ElementsAre("LV1004 1:9 \"number\": expected a whole number, got \"1.5\" | for example: "
                  "number: 3"));
  EXPECT_THAT(Problems("texts: a\n"),
              ElementsAre("LV1004 1:8 \"texts\": expected a list, got \"a\" | write it as [a]"));
  EXPECT_THAT(
      Problems("map: a\n"),
      ElementsAre("LV1004 1:6 \"map\": expected a map, got \"a\" | write a map: { name: ... }"));
  EXPECT_THAT(Problems("map: { a: [] }\n"),
              ElementsAre("LV1004 1:11 \"map.a\": expected a map, got a list | for example: a: x"));
  EXPECT_THAT(Problems("list: [a]\n"),
              ElementsAre("LV1004 1:8 \"list[0]\": expected a map, got \"a\" | write its options "
                          "as a map: { key: ... }"));
}

TEST(Options, ImpossibleValuesSayTheRange) {
  EXPECT_THAT(Problems("number: 11\n"),
              ElementsAre("LV1005 1:9 \"number\": expected -5 to 10, got \"11\" | for example: "
                          "number: 3"));
  EXPECT_THAT(Problems("number: 99999999999999999999\n"),
              ElementsAre(HasSubstr("LV1005 1:9 \"number\": expected -5 to 10")));
  EXPECT_THAT(Problems("bytes: 10\n"),
              ElementsAre(HasSubstr("LV1005 1:8 \"bytes\": expected at least 1 KiB, got \"10\"")));
  EXPECT_THAT(Problems("bytes: many\n"),
              ElementsAre(HasSubstr("LV1005 1:8 \"bytes\": expected a size such as 64MiB")));
  EXPECT_THAT(Problems("wait: 30\n"),
              ElementsAre("LV1005 1:7 \"wait\": expected a duration such as 30s, got \"30\" | for "
                          "example: wait: 30s"));
  EXPECT_THAT(
      Problems("choice: ztsd\n"),
      ElementsAre("LV1005 1:9 \"choice\": expected one of \"none\", \"zstd\", got \"ztsd\" | "
                  "did you mean \"zstd\"?"));
}

TEST(Options, AllProblemsComeTogether) {
  EXPECT_EQ(Problems("flag: 1\nnumber: x\nunknown: 1\nchoice: none\nbytes: -1\n").size(), 4U);
}

TEST(Options, CollectABoundedNumberOfProblems) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(Problems(text).size(), 100U);
}

TEST(Options, BoundTheEntriesOfAMap) {
  std::string text;
  for (int i = 0; i < 10'001; ++i) text += "k" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(Check(text, fake::RenameSpec()).problems,
              ElementsAre(HasSubstr("LV1019 1:1 stage \"every\": 10001 entries")));
}

TEST(Options, ReferencesAreReplacedAndParsed) {
  const Checked checked = Check("text: a-${env:WORD}\nnumber: ${env:N}\nflag: true\n");
  EXPECT_THAT(checked.problems, IsEmpty());
  EXPECT_EQ(checked.options.Text("text"), "a-abc");
  EXPECT_EQ(checked.options.Integer("number"), 4);
  EXPECT_EQ(Check("number: \"${env:N}\"\n").options.Integer("number"), 4);
}

TEST(Options, AnUnsetReferenceIsShownAtItsPlace) {
  EXPECT_THAT(Problems("text: a-${env:NONE}\n"),
              ElementsAre("LV1008 1:9 \"text\": the environment variable of \"${env:NONE}\" is not "
                          "set | export NONE=... before the run"));
  EXPECT_THAT(Problems("text: \"a-${env:NONE}\"\n"), ElementsAre(HasSubstr("LV1008 1:7 ")));
  EXPECT_THAT(Problems("text: ${env:BAD}\n"), ElementsAre(HasSubstr("is not UTF-8 text")));
}

TEST(Options, MessagesNeverShowWhatAReferenceStandsFor) {
  for (const std::string& problem : Problems("number: ${env:WORD}\nchoice: ${file:/pw}\n")) {
    EXPECT_EQ(problem.find("abc"), std::string::npos) << problem;
    EXPECT_EQ(problem.find("hunter2"), std::string::npos) << problem;
  }
}

TEST(Options, SecretsAreResolvedOnlyWhenRevealed) {
  const Checked checked = Check("secret: x-${file:/pw}\n");
  EXPECT_THAT(checked.problems, IsEmpty());
  EXPECT_EQ(ValueOf(checked.options.Reveal("secret")).Reveal(), "x-hunter2");
  EXPECT_EQ(checked.options.Canonical().find("hunter2"), std::string::npos);
}

TEST(Options, AnUnsetSecretFailsWhenRevealed) {
  const Checked checked = Check("secret: ${env:NONE}\n");
  EXPECT_THAT(checked.problems, IsEmpty()) << "check can run without secrets";
  const Result<Secret> secret = checked.options.Reveal("secret");
  ASSERT_THAT(secret, FailsWith(FaultCode::kUnresolvedReference));
  EXPECT_EQ(FaultOf(secret.status()).diagnostics().at(0).span.line, 1U);
}

TEST(Options, ABrokenReferenceInASecretIsFoundAtOnce) {
  EXPECT_THAT(Problems("secret: ${env:NONE\n"), ElementsAre(HasSubstr("LV1008 1:9")));
}

TEST(Options, CanonicalFormHasDefaultsAndNoRuntimeOptions) {
  EXPECT_EQ(Check("text: x\nwait: 5s\nbytes: 1MiB\n").options.Canonical(),
            "{\"bytes\":1048576,\"choice\":\"zstd\",\"defaults\":[\"a\",\"b\"],\"text\":\"x\"}");
}

TEST(Options, CanonicalFormIsTheSameForTheSameMeaning) {
  EXPECT_EQ(Check("text: x\nbytes: 1MiB\nmap: { a: p, b: q }\n").options.Canonical(),
            Check("map:\n  b: { second: 7, first: q }\n  a: p\nbytes: 1024KiB # c\nchoice: zstd\n"
                  "text: 'x'\n")
                .options.Canonical());
}

TEST(Options, CanonicalFormHidesSecrets) {
  EXPECT_EQ(Check("secret: hunter2\n").options.Canonical().find("hunter2"), std::string::npos);
  EXPECT_THAT(Check("secret: postgres://me:pw@h/db\n").options.Canonical(),
              HasSubstr("postgres://me:***@h/db"));
  EXPECT_THAT(Check("secret: ${env:DSN}\n").options.Canonical(), HasSubstr("${env:DSN}"));
}

TEST(OptionsDeathTest, AskingForWhatTheSpecDoesNotHaveIsABug) {
  const Options options = Check("text: x\n").options;
  EXPECT_DEATH(options.Text("nothing"), "not in the spec");
  EXPECT_DEATH(options.Integer("text"), "another type");
  EXPECT_DEATH(options.Text("secret"), "use Reveal");
  EXPECT_DEATH((void)options.Reveal("text"), "use Text");
  EXPECT_DEATH(Options().Has("text"), "no options");
}

}  // namespace
}  // namespace levada::elt
