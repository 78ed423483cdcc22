#include <gtest/gtest.h>

#include "base/testing.h"
#include "elt/plan.h"

namespace levada::elt {
namespace {

using testing::HasSubstr;

RunInstance DayOf(const std::string& zone) {
  RunInstance run;
  // 2026-01-31T23:00Z to 2026-02-01T23:00Z: the first of February in Berlin.
  run.window = Window{1'769'900'400'000'000, 1'769'986'800'000'000, "2026-02-01", zone};
  return run;
}

Result<std::string> Expanded(std::string_view text) {
  return ExpandTemplate(text, DayOf("Europe/Berlin"));
}

TEST(ExpandTemplate, WritesTheStartInTheZoneOfTheWindow) {
  EXPECT_EQ(ValueOf(Expanded("day={run.start:%Y-%m-%d}")), "day=2026-02-01");
  EXPECT_EQ(ValueOf(Expanded("y={run.start:%Y}/m={run.start:%m}/d={run.start:%d}")),
            "y=2026/m=02/d=01");
  EXPECT_EQ(ValueOf(ExpandTemplate("{run.start:%F %H:%M:%S}", DayOf("UTC"))),
            "2026-01-31 23:00:00");
}

TEST(ExpandTemplate, WritesTheEndAndTheLabel) {
  EXPECT_EQ(ValueOf(Expanded("{run.end:%F}")), "2026-02-02");
  EXPECT_EQ(ValueOf(Expanded("{run.label}")), "2026-02-01");
  EXPECT_EQ(ValueOf(Expanded("{run.start:%j%%}")), "032%");
}

TEST(ExpandTemplate, DoubledBracesAreBraces) {
  EXPECT_EQ(ValueOf(Expanded("{{x}}")), "{x}");
  EXPECT_EQ(ValueOf(Expanded("")), "");
  EXPECT_EQ(ValueOf(Expanded("plain/path")), "plain/path");
}

TEST(ExpandTemplate, RefusesUnknownNames) {
  const Result<std::string> expanded = Expanded("{run.begin:%Y}");
  EXPECT_THAT(expanded, FailsWith(FaultCode::kBadLayout, HasSubstr("\"{run.begin}\"")));
  EXPECT_THAT(FaultOf(Expanded("{run.strat:%Y}").status()).help(), HasSubstr("{run.start}"));
  EXPECT_THAT(Expanded("{}"), FailsWith(FaultCode::kBadLayout));
}

TEST(ExpandTemplate, RefusesBrokenFormats) {
  EXPECT_THAT(Expanded("{run.start}"),
              FailsWith(FaultCode::kBadLayout, HasSubstr("needs a format")));
  EXPECT_THAT(Expanded("{run.start:}"), FailsWith(FaultCode::kBadLayout));
  EXPECT_THAT(Expanded("{run.start:%Q}"), FailsWith(FaultCode::kBadLayout, HasSubstr("%Q")));
  EXPECT_THAT(Expanded("{run.start:%}"), FailsWith(FaultCode::kBadLayout));
  EXPECT_THAT(Expanded("{run.label:%Y}"), FailsWith(FaultCode::kBadLayout));
}

TEST(ExpandTemplate, RefusesBracesThatDoNotMatch) {
  EXPECT_THAT(Expanded("a{run.start:%Y"),
              FailsWith(FaultCode::kBadLayout, HasSubstr("never closed")));
  EXPECT_THAT(Expanded("a}b"), FailsWith(FaultCode::kBadLayout, HasSubstr("nothing opened")));
}

TEST(ExpandTemplate, ARunWithoutWindowHasNoTimes) {
  EXPECT_THAT(ExpandTemplate("{run.start:%Y}", RunInstance{}),
              FailsWith(FaultCode::kBadLayout, HasSubstr("without windows")));
  EXPECT_THAT(ExpandTemplate("{run.label}", RunInstance{}), FailsWith(FaultCode::kBadLayout));
  EXPECT_EQ(ValueOf(ExpandTemplate("plain", RunInstance{})), "plain");
}

}  // namespace
}  // namespace levada::elt
