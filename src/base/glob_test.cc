#include "base/glob.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace levada {
namespace {

TEST(Glob, StandsForWholeTexts) {
  EXPECT_TRUE(MatchesGlob("", ""));
  EXPECT_TRUE(MatchesGlob("*", ""));
  EXPECT_TRUE(MatchesGlob("**", "abc"));
  EXPECT_TRUE(MatchesGlob("a?c", "abc"));
  EXPECT_TRUE(MatchesGlob("audit_*", "audit_"));
  EXPECT_TRUE(MatchesGlob("*_log*_old", "x_log_log_a_old"));
  EXPECT_TRUE(MatchesGlob("a*b?", "abab.b!"));
  EXPECT_FALSE(MatchesGlob("", "a"));
  EXPECT_FALSE(MatchesGlob("a", "ab"));
  EXPECT_FALSE(MatchesGlob("?", ""));
  EXPECT_FALSE(MatchesGlob("*b", "abc"));
  EXPECT_FALSE(MatchesGlob("orders", "Orders"));
}

bool ByDefinition(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return ByDefinition(pattern.substr(1), text) ||
           (!text.empty() && ByDefinition(pattern, text.substr(1)));
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         ByDefinition(pattern.substr(1), text.substr(1));
}

TEST(Glob, AgreesWithItsDefinition) {
  std::mt19937 random(1);
  const auto word = [&](std::string_view letters, int most) {
    std::string text;
    for (int i = static_cast<int>(random() % static_cast<unsigned>(most + 1)); i > 0; --i) {
      text += letters[random() % letters.size()];
    }
    return text;
  };
  for (int i = 0; i < 20'000; ++i) {
    const std::string pattern = word("ab*?", 6);
    const std::string text = word("ab", 8);
    ASSERT_EQ(MatchesGlob(pattern, text), ByDefinition(pattern, text)) << pattern << " " << text;
  }
}

TEST(Glob, ManyStarsTakeNoTime) {
  std::string pattern;
  for (int i = 0; i < 2'000; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesGlob(pattern + "b", std::string(20'000, 'a')));
}

}  // namespace
}  // namespace levada
