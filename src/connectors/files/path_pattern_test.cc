#include "connectors/files/path_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada::files {
namespace {

using testing::ElementsAre;

TEST(PathPattern, NamesMatchAsInAShell) {
  EXPECT_TRUE(MatchesName("*.csv", "a.csv"));
  EXPECT_FALSE(MatchesName("*.csv", "a.csv.gz"));
  EXPECT_TRUE(MatchesName("a?c", "abc"));
  EXPECT_FALSE(MatchesName("a?c", "ac"));
  EXPECT_TRUE(MatchesName("part-[0-3]*", "part-27"));
  EXPECT_FALSE(MatchesName("part-[!0-3]*", "part-27"));
  EXPECT_TRUE(MatchesName("[]a]", "]"));
  EXPECT_TRUE(MatchesName("a[b", "a[b"));
  EXPECT_TRUE(MatchesName("a\\*", "a*"));
  EXPECT_FALSE(MatchesName("a\\*", "ab"));
  EXPECT_TRUE(MatchesName("", ""));
  EXPECT_FALSE(MatchesName("", "a"));
}

TEST(PathPattern, ManyStarsTakeNoTime) {
  const std::string name(2'000, 'a');
  EXPECT_FALSE(MatchesName("*a*a*a*a*a*a*a*a*b", name));
}

TEST(PathPattern, TheBaseIsAllBeforeTheFirstPattern) {
  EXPECT_EQ(PathPattern("in/2026/*.csv").base(), "in/2026");
  EXPECT_EQ(PathPattern("*.csv").base(), ".");
  EXPECT_EQ(PathPattern("/*.csv").base(), "/");
  EXPECT_EQ(PathPattern("in/a*/b.csv").base(), "in");
  EXPECT_EQ(PathPattern("in/a.csv").base(), "in/a.csv");
  EXPECT_FALSE(PathPattern("in/a.csv").is_pattern());
}

TEST(PathPattern, StarsStayInOneNameAndTwoOfThemDoNot) {
  const PathPattern one("in/*.csv");
  EXPECT_TRUE(one.Matches("a.csv"));
  EXPECT_FALSE(one.Matches("x/a.csv"));
  const PathPattern any("in/**/*.csv");
  EXPECT_TRUE(any.Matches("a.csv"));
  EXPECT_TRUE(any.Matches("x/y/a.csv"));
  EXPECT_FALSE(any.Matches("x/y/a.txt"));
  EXPECT_TRUE(PathPattern("in/**").Matches("x/y"));
  EXPECT_TRUE(PathPattern("in/**/b/*.csv").Matches("a/b/b/c.csv"));
}

TEST(PathPattern, ADirectoryIsGoneIntoWhereAFileBelowCanMatch) {
  EXPECT_FALSE(PathPattern("in/*.csv").MatchesBelow("x"));
  const PathPattern month("in/2026-*/a.csv");
  EXPECT_TRUE(month.MatchesBelow("2026-01"));
  EXPECT_FALSE(month.MatchesBelow("2025-01"));
  EXPECT_FALSE(month.MatchesBelow("2026-01/a.csv"));
  EXPECT_TRUE(PathPattern("in/**").MatchesBelow("x/y"));
  EXPECT_FALSE(PathPattern("in/**").MatchesBelow("x/_levada"));
  EXPECT_TRUE(PathPattern("in/**/_x/*").MatchesBelow("a/_x"));
  const PathPattern any("in/**/b/*.csv");
  EXPECT_TRUE(any.MatchesBelow(""));
  EXPECT_TRUE(any.MatchesBelow("a/b/c"));
  EXPECT_FALSE(PathPattern("in/*/b/**/*.csv").MatchesBelow("a/c"));
}

TEST(PathPattern, HiddenNamesHaveToBeNamed) {
  EXPECT_FALSE(PathPattern("in/*").Matches("_SUCCESS"));
  EXPECT_FALSE(PathPattern("in/**").Matches("_levada/all.json"));
  EXPECT_FALSE(PathPattern("in/**/*.csv").Matches(".tmp/a.csv"));
  EXPECT_TRUE(PathPattern("in/_*").Matches("_SUCCESS"));
}

TEST(PathPattern, PathsAreNames) {
  EXPECT_THAT(NamesOf("/a//b/"), ElementsAre("a", "b"));
  EXPECT_THAT(NamesOf(""), ElementsAre());
}

}  // namespace
}  // namespace levada::files
