#include "services/core/audit_rest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "services/core/identity_rest.h"

namespace levada::services {
namespace {

const std::string kAccount(32, 'a');
const std::string kToken = "0f0c9a7e" + std::string(24, '0');

TEST(AuditLogs, ATokenIsTheUserThatItsRouteShows) {
  const Json json = ParseJson(JsonOf(AuditEntry{7, 1'000'000, "token " + kToken, "10.0.0.1",
                                                kAccount, "bucket.create", "5d1e \"photos\""}));
  EXPECT_EQ(json, (Json{{"id", "7"},
                        {"when", "1970-01-01T00:00:01.000000Z"},
                        {"action", {{"type", "bucket.create"}, {"result", true}}},
                        {"actor",
                         {{"id", kToken},
                          {"email", "token-0f0c9a7e@levada.local"},
                          {"ip", "10.0.0.1"},
                          {"type", "user"}}},
                        {"interface", "API"},
                        {"metadata", {{"subject", "5d1e \"photos\""}}},
                        {"newValue", ""},
                        {"oldValue", ""},
                        {"owner", {{"id", kAccount}}},
                        {"resource", {{"type", "bucket"}, {"id", "5d1e"}}}}));
}

TEST(AuditLogs, TheCommandLineIsAnAdmin) {
  const Json json =
      ParseJson(JsonOf(AuditEntry{8, 0, "cli", "", kAccount, "account.create", "my name"}));
  EXPECT_EQ(json["actor"]["type"], "admin");
  EXPECT_EQ(json["actor"]["id"], "");
  EXPECT_EQ(json["interface"], "CLI");
  EXPECT_EQ(json["resource"]["id"], kAccount) << "an account's name is not its id";
}

TEST(AuditLogs, TheDaemonIsAnAutomatedSystem) {
  const Json json = ParseJson(
      JsonOf(AuditEntry{9, 0, "first start", "", kAccount, "token.create", kToken + " all:admin"}));
  EXPECT_EQ(json["actor"]["type"], "Cloudflare");
  EXPECT_EQ(json["interface"], "");
  EXPECT_EQ(json["resource"]["id"], kToken);
}

TEST(AuditLogs, AnAddressIsOfOneToken) {
  EXPECT_EQ(TokenOfEmail(TokenEmail(kToken)), "0f0c9a7e");
  for (const char* email :
       {"", "token-@levada.local", "token-0f0c9a7@levada.local", "token-0f0c9a7e0@levada.local",
        "somebody@levada.local", "token-0f0c9a7e@example.com"}) {
    EXPECT_EQ(TokenOfEmail(email), std::nullopt) << email;
  }
}

}  // namespace
}  // namespace levada::services
