#include "base/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada {
namespace {

TEST(PercentDecoded, ReadsTwoHexDigits) {
  EXPECT_EQ(PercentDecoded(""), "");
  EXPECT_EQ(PercentDecoded("a%20b%2Fc%2f"), "a b/c/");
  EXPECT_EQ(PercentDecoded("%ff%00"), std::string("\xff\0", 2));
  for (const char* broken : {"%", "%4", "a%4", "%zz", "%4g", "%-1", "%+1", "% 1", "%%41"}) {
    EXPECT_EQ(PercentDecoded(broken), std::nullopt) << broken;
  }
}

TEST(UrlParameters, AreTakenApart) {
  const auto parameters = UrlParameters("a=1&b&c=&=d&e=f=g&&h=%26");
  std::vector<std::string> shown;
  for (const UrlParameter& each : parameters) {
    shown.push_back(std::string(each.written) + "|" + std::string(each.name) + "|" +
                    std::string(each.value.value_or("none")));
  }
  EXPECT_THAT(shown, testing::ElementsAre("a=1|a|1", "b|b|none", "c=|c|", "=d||d", "e=f=g|e|f=g",
                                          "||none", "h=%26|h|%26"));
  EXPECT_TRUE(UrlParameters("").empty());
  EXPECT_EQ(UrlParameters("a=1&").size(), 1U);
}

TEST(FormDecoded, APlusIsABlank) {
  EXPECT_EQ(FormDecoded("a+b%2Bc%20d"), "a b+c d");
  EXPECT_EQ(FormDecoded(""), "");
  EXPECT_EQ(FormDecoded("%zz"), std::nullopt);
  EXPECT_EQ(FormDecoded("%"), std::nullopt);
}

}  // namespace
}  // namespace levada
