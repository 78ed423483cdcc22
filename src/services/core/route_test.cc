#include "services/core/route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada::services {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

auto Match(std::string_view pattern, std::string_view path) { return MatchPath(pattern, path); }

TEST(MatchPath, TakesItsParameters) {
  EXPECT_THAT(Match("/a/{x}/b/{y}", "/a/1/b/2").value(),
              ElementsAre(Pair("x", "1"), Pair("y", "2")));
  EXPECT_THAT(Match("/user", "/user").value(), IsEmpty());
  EXPECT_THAT(Match("/user", "/user/").value(), IsEmpty()) << "as Cloudflare's";
}

TEST(MatchPath, AStarTakesTheRestAsItStands) {
  EXPECT_THAT(Match("/v/{key*}", "/v/a/b%2Fc//d/").value(),
              ElementsAre(Pair("key", "a/b%2Fc//d/")));
  EXPECT_THAT(Match("/v/{key*}", "/v//").value(), ElementsAre(Pair("key", "/")));
  EXPECT_FALSE(Match("/v/{key*}", "/v/").has_value());
  EXPECT_FALSE(Match("/v/{key*}", "/v").has_value());
}

TEST(MatchPath, OthersDoNotFit) {
  for (const char* path : {"", "/", "/a", "/a/", "/a/1", "/a/1/b", "/a//b/2", "/a/1/c/2",
                           "/a/1/b/2/3", "a/1/b/2", "//a/1/b/2"}) {
    EXPECT_FALSE(Match("/a/{x}/b/{y}", path).has_value()) << path;
  }
}

}  // namespace
}  // namespace levada::services
