#include "formats/s3xml/cors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing.h"
#include "formats/s3xml/refusal.h"

namespace levada::s3xml {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kMinimal =
    "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>";

Result<std::vector<CorsRule>> Parse(const std::string& inside) {
  return ParseCorsConfiguration("<CORSConfiguration>" + inside + "</CORSConfiguration>");
}

std::string Refused(const std::string& rule) {
  const auto rules = Parse("<CORSRule>" + rule + "</CORSRule>");
  if (rules.ok()) return "accepted";
  return std::string(ErrorCodeOf(rules.status())) + ": " + rules.status().message();
}

TEST(Cors, IsRead) {
  const auto rules = ValueOf(
      Parse("<CORSRule>\n <ID> one </ID>\n <AllowedOrigin>https://*.example.com</AllowedOrigin>\n"
            " <AllowedOrigin> null </AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
            "<AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-*</AllowedHeader>"
            "<ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>0</MaxAgeSeconds><Other/></CORSRule>" +
            std::string(kMinimal)));
  ASSERT_THAT(rules, SizeIs(2));
  EXPECT_EQ(rules[0], (CorsRule{.id = " one ",
                                .allowed_origins = {"https://*.example.com", "null"},
                                .allowed_methods = {"GET", "PUT"},
                                .allowed_headers = {"x-*"},
                                .expose_headers = {"ETag"},
                                .max_age_seconds = 0}));
  EXPECT_EQ(rules[1].max_age_seconds, std::nullopt);
}

TEST(Cors, RulesOfS3AreKept) {
  const std::string origin = "<AllowedOrigin>*</AllowedOrigin>";
  const std::string method = "<AllowedMethod>GET</AllowedMethod>";
  EXPECT_EQ(Refused(origin + method), "accepted");
  EXPECT_THAT(Refused(origin), HasSubstr("MalformedXML"));
  EXPECT_THAT(Refused(method), HasSubstr("MalformedXML"));
  for (const char* other : {"OPTIONS", "get", "*", "", "PATCH"}) {
    EXPECT_THAT(Refused(origin + "<AllowedMethod>" + other + "</AllowedMethod>"),
                HasSubstr("InvalidRequest: Found unsupported HTTP method"));
  }
  EXPECT_THAT(Refused(method + "<AllowedOrigin>*.*</AllowedOrigin>"),
              HasSubstr("InvalidRequest: AllowedOrigin \"*.*\""));
  EXPECT_THAT(Refused(origin + method + "<AllowedHeader>x-**</AllowedHeader>"),
              HasSubstr("InvalidRequest: AllowedHeader \"x-**\""));
  EXPECT_THAT(Refused(origin + method + "<ExposeHeader>x-*</ExposeHeader>"),
              HasSubstr("InvalidRequest: ExposeHeader \"x-*\""));
  for (const char* name : {"x&#13;&#10;X-Injected: 1", "a b", ""}) {
    EXPECT_EQ(Refused(origin + method + "<ExposeHeader>" + name + "</ExposeHeader>"),
              "InvalidRequest: ExposeHeader is not the name of a header.");
    EXPECT_EQ(Refused(origin + method + "<AllowedHeader>" + name + "</AllowedHeader>"),
              "InvalidRequest: AllowedHeader is not the name of a header.");
  }
  EXPECT_THAT(Refused(origin + method + "<ID>" + std::string(256, 'i') + "</ID>"),
              HasSubstr("InvalidArgument"));
  for (const char* age : {"-1", "2147483648", "x", ""}) {
    EXPECT_THAT(Refused(origin + method + "<MaxAgeSeconds>" + age + "</MaxAgeSeconds>"),
                HasSubstr("MalformedXML"));
  }
}

TEST(Cors, OneToAHundredRulesAreTaken) {
  std::string rules;
  for (int i = 0; i < 100; ++i) rules += kMinimal;
  EXPECT_THAT(ValueOf(Parse(rules)), SizeIs(100));
  EXPECT_EQ(ErrorCodeOf(Parse(rules + kMinimal).status()), "MalformedXML");
  EXPECT_EQ(ErrorCodeOf(Parse("").status()), "MalformedXML");
  EXPECT_EQ(ErrorCodeOf(Parse(std::string(kCorsBytesMax, ' ') + kMinimal).status()),
            "MalformedXML");
}

std::vector<std::string> Words(Random& random, size_t min, const std::vector<std::string>& from) {
  std::vector<std::string> words(min + random.Next() % 3);
  for (std::string& word : words) word = from[random.Next() % from.size()];
  return words;
}

TEST(Cors, IsReadAsItWasWritten) {
  const auto random = MakeSeededRandom(11);
  for (int i = 0; i < 300; ++i) {
    std::vector<CorsRule> rules(1 + random->Next() % 4);
    for (CorsRule& rule : rules) {
      if (random->Next() % 2 == 0) rule.id = " <id>&\r\n\t\"é ";
      rule.allowed_origins = Words(*random, 1, {"*", "https://a.b:1", "http://*.x", "a&b<c>"});
      rule.allowed_methods = Words(*random, 1, {"GET", "PUT", "POST", "DELETE", "HEAD"});
      rule.allowed_headers = Words(*random, 0, {"*", "x-amz-*", "Content-Type"});
      rule.expose_headers = Words(*random, 0, {"ETag", "x-amz-request-id"});
      if (random->Next() % 2 == 0) {
        rule.max_age_seconds = static_cast<uint32_t>(random->Next() % kMaxAgeSecondsMax);
      }
    }
    EXPECT_EQ(ValueOf(ParseCorsConfiguration(WriteCorsConfiguration(rules))), rules);
  }
}

}  // namespace
}  // namespace levada::s3xml
