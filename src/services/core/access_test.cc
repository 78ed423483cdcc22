#include "services/core/access.h"

#include <gtest/gtest.h>

namespace levada::services {
namespace {

Principal With(std::vector<const char*> scopes) {
  Principal principal;
  for (const char* scope : scopes) principal.scopes.push_back(ParseScope(scope).value());
  return principal;
}

TEST(Scope, ReadsWhatItWrites) {
  for (const char* text : {"kv:read", "all:admin", "r2:write:photos", "r2:read:a:b"}) {
    ASSERT_TRUE(ParseScope(text).has_value()) << text;
    EXPECT_EQ(TextOf(*ParseScope(text)), text);
  }
}

TEST(Scope, OthersAreNone) {
  for (const char* text : {"", "kv", "kv:", "kv:own", "KV:read", "disk:read",
                           "kv:read:", "all:read:x", ":read", "kv:read,r2:read"}) {
    EXPECT_FALSE(ParseScope(text).has_value()) << text;
  }
}

TEST(Principal, MayWhatAScopeSays) {
  const Principal writer = With({"kv:write"});
  EXPECT_TRUE(writer.May(Service::kKv, Action::kRead, "space"));
  EXPECT_TRUE(writer.May(Service::kKv, Action::kWrite, ""));
  EXPECT_FALSE(writer.May(Service::kKv, Action::kAdmin, ""));
  EXPECT_FALSE(writer.May(Service::kR2, Action::kRead, "space"));
}

TEST(Principal, AScopeOfOneResourceIsOfNoOther) {
  const Principal one = With({"r2:admin:photos"});
  EXPECT_TRUE(one.May(Service::kR2, Action::kWrite, "photos"));
  EXPECT_FALSE(one.May(Service::kR2, Action::kRead, "photos2"));
  EXPECT_FALSE(one.May(Service::kR2, Action::kRead, "")) << "the service as a whole";
}

TEST(Principal, AllIsEveryService) {
  EXPECT_TRUE(With({"all:read"}).May(Service::kD1, Action::kRead, "x"));
  EXPECT_FALSE(With({"all:read"}).May(Service::kD1, Action::kWrite, "x"));
  EXPECT_FALSE(With({}).May(Service::kD1, Action::kRead, "x"));
}

}  // namespace
}  // namespace levada::services
