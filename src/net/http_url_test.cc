#include "net/http_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"

namespace levada::net {
namespace {

TEST(HttpUrl, IsReadInItsParts) {
  const std::pair<const char*, HttpUrl> urls[] = {
      {"http://collector", {false, "collector", 80, "/"}},
      {"https://collector", {true, "collector", 443, "/"}},
      {"HTTPS://Example.com:4318/v1/metrics?key=a%20b&x#part",
       {true, "Example.com", 4318, "/v1/metrics?key=a%20b&x"}},
      {"http://127.0.0.1:1/", {false, "127.0.0.1", 1, "/"}},
      {"http://[::1]:4318", {false, "::1", 4318, "/"}},
      {"http://[fe80::1]/x", {false, "fe80::1", 80, "/x"}},
      {"http://host?q", {false, "host", 80, "/?q"}},
      {"http://host:/", {false, "host", 80, "/"}},
      {"http://host#x", {false, "host", 80, "/"}},
  };
  for (const auto& [text, url] : urls) EXPECT_EQ(ValueOf(ParseHttpUrl(text)), url) << text;
}

TEST(HttpUrl, OthersAreRefusedWithoutAWordOfThem) {
  for (const char* text : {"",
                           "hunter2",
                           "ftp://hunter2",
                           "http:/hunter2",
                           "http://",
                           "http://:80",
                           "http:///hunter2",
                           "http://hunter2:0",
                           "http://hunter2:65536",
                           "http://hunter2:x",
                           "http://hunter2:-1",
                           "http://hunter2:+1",
                           "http://me:hunter2@host",
                           "http://hunter2@host",
                           "http://hunter2 x",
                           "http://host/hunter2 x",
                           "http://host/hunter2\r\nX: y",
                           "http://host\thunter2",
                           "http://h\xc3\xb6st/hunter2",
                           "http://hun[ter2",
                           "http://[hunter2",
                           "http://[hunter2]x",
                           "http://[hunt/er2]",
                           "http://hunter2:80:80"}) {
    const Status refused = ParseHttpUrl(text).status();
    EXPECT_EQ(CodeOf(refused), FaultCode::kBadValue) << text;
    EXPECT_EQ(refused.ToString().find("hunter2"), std::string::npos) << refused.ToString();
  }
  EXPECT_FALSE(ParseHttpUrl("http://host/" + std::string(8 * 1024, 'x')).ok());
  EXPECT_FALSE(ParseHttpUrl("http://" + std::string(256, 'x')).ok());
}

TEST(HttpUrl, ItsOriginHasNoTarget) {
  const auto origin = [](const char* text) { return ValueOf(ParseHttpUrl(text)).Origin(); };
  EXPECT_EQ(origin("http://host/path?key=hunter2"), "http://host");
  EXPECT_EQ(origin("https://host:443/"), "https://host");
  EXPECT_EQ(origin("https://host:80/"), "https://host:80");
  EXPECT_EQ(origin("http://[::1]:4318"), "http://[::1]:4318");
}

TEST(HttpUrl, CutAnywhereItIsRefusedOrShorter) {
  const std::string whole = "https://[::1]:4318/v1/metrics?x";
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto url = ParseHttpUrl(whole.substr(0, size));
    EXPECT_EQ(url.ok(), size >= 13) << size;
  }
}

}  // namespace
}  // namespace levada::net
