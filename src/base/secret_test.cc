#include "base/secret.h"

#include <sstream>

#include "base/testing.h"

namespace levada {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Secret, PrintsAsStars) {
  const Secret secret("hunter2");
  std::ostringstream out;
  out << secret << Secret();
  EXPECT_EQ(out.str(), "******");
  EXPECT_EQ(secret.Reveal(), "hunter2");
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(Secret().empty());
}

TEST(RedactUrl, HidesThePasswordAndKeepsTheRest) {
  const std::pair<const char*, const char*> cases[] = {
      {"postgres://ann:pw@db:5432/shop?table=t", "postgres://ann:***@db:5432/shop?table=t"},
      {"postgres://ann@db/shop", "postgres://ann@db/shop"},
      {"postgres://db:5432/shop", "postgres://db:5432/shop"},
      {"postgres://h1:5432,h2:5433/shop", "postgres://h1:5432,h2:5433/shop"},
      {"postgres://[::1]:5432/shop", "postgres://[::1]:5432/shop"},
      {"postgres://[::1]/shop", "postgres://[::1]/shop"},
      {"postgres://ann:@db/shop", "postgres://ann:***@db/shop"},
      {"postgres://db/shop?user=ann&password=pw&sslmode=require",
       "postgres://db/shop?user=ann&password=***&sslmode=require"},
      {"postgres://db/shop?pass%77ord=pw", "postgres://db/shop?pass%77ord=***"},
      {"postgres://db/shop?sslpassword=pw", "postgres://db/shop?sslpassword=***"},
      {"https://api/x?access_token=abc&page=2", "https://api/x?access_token=***&page=2"},
      {"s3://bucket/a:b", "s3://bucket/a:b"},
      {"sqlite:///tmp/a.db", "sqlite:///tmp/a.db"},
      {"./lake/t", "./lake/t"},
      {"", ""},
  };
  for (const auto& [url, shown] : cases) EXPECT_EQ(RedactUrl(url), shown) << url;
}

TEST(RedactUrl, HidesThePasswordOfAKeyValueString) {
  const std::pair<const char*, const char*> cases[] = {
      {"host=db password=pw user=ann", "host=db password=*** user=ann"},
      {"host=db password = pw user=ann", "host=db password = *** user=ann"},
      {"password='p w' user=ann", "password=*** user=ann"},
      {"password='it\\'s' user=ann", "password=*** user=ann"},
      {"password=a\\ b user=ann", "password=*** user=ann"},
      {"PassWord=pw", "PassWord=***"},
      {"password='open to the end user=ann", "password=***"},
      {"password=", "password=***"},
      {"password=a\\", "password=***"},
      {"host=db user=ann", "host=db user=ann"},
  };
  for (const auto& [text, shown] : cases) EXPECT_EQ(RedactUrl(text), shown) << text;
}

TEST(RedactUrl, HidesTooMuchOfAMalformedUrlRatherThanTooLittle) {
  for (const char* url :
       {"postgres://ann:hun/ter2@db/shop", "postgres://ann:hun?ter2@db/shop",
        "postgres://ann:hun@ter2@db/shop", "postgres://ann:hun#ter2@db",
        "postgres://ann:hun ter2@db", "postgres:/ann:hunter2@db", "ann:hunter2@tcp(db)/shop",
        "postgres://ann:hunter2", "postgres://h1:5432,h2:hunter2/shop",
        "postgres://db:5432/shop?password=hun@ter2", "postgres://ann:password=hun@ter2@db",
        "postgres://ann@corp:hunter2@db", "postgres://db?password=hun ter2",
        "jdbc:x://db;password=hun;ter2"}) {
    EXPECT_THAT(RedactUrl(url), Not(HasSubstr("ter2"))) << url;
    EXPECT_THAT(RedactUrl(url), Not(HasSubstr("hun"))) << url;
  }
}

// Random texts of the characters that mean something; the password never shows and a second pass
// changes nothing.
TEST(RedactUrl, IsTotalOverArbitraryBytes) {
  const auto random = MakeSeededRandom(7);
  constexpr std::string_view kAlphabet{":/?#@&=%'\\ ;,[]77password\0\n\xff\xc3", 29};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const size_t size = random->Next() % 40;
    for (size_t i = 0; i < size; ++i) text += kAlphabet[random->Next() % kAlphabet.size()];
    const std::string shown = RedactUrl(text);
    EXPECT_EQ(RedactUrl(shown), shown) << testing::PrintToString(text);
  }
}

TEST(RedactUrl, NoPasswordBetweenUserAndHostEverShows) {
  const auto random = MakeSeededRandom(8);
  constexpr std::string_view kAlphabet = ":/?#@&=%'\\ ;,[]az";
  for (int round = 0; round < 20'000; ++round) {
    std::string password = "XY";
    for (size_t i = random->Next() % 8; i > 0; --i) {
      password += kAlphabet[random->Next() % kAlphabet.size()];
    }
    password += "XY";
    for (const std::string& url :
         {"postgres://ann:" + password + "@db/shop?table=t", "ann:" + password + "@db"}) {
      EXPECT_THAT(RedactUrl(url), Not(HasSubstr("XY"))) << url;
    }
  }
}

}  // namespace
}  // namespace levada
