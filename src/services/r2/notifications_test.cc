#include "services/r2/notifications.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/testing.h"
#include "services/r2/buckets.h"
#include "services/r2/notification_json.h"

namespace levada::services::r2 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

NotificationRule Rule(uint64_t queue, std::vector<ObjectAction> actions, std::string prefix = "",
                      std::string suffix = "") {
  return {.id = "id",
          .queue = queue,
          .actions = std::move(actions),
          .prefix = std::move(prefix),
          .suffix = std::move(suffix)};
}

TEST(Notifications, ActionsHaveNames) {
  for (const auto action :
       {ObjectAction::kPutObject, ObjectAction::kCopyObject, ObjectAction::kCompleteMultipartUpload,
        ObjectAction::kDeleteObject, ObjectAction::kLifecycleDeletion}) {
    EXPECT_EQ(ObjectActionOf(NameOf(action)), action);
  }
  EXPECT_EQ(ObjectActionOf("putobject"), std::nullopt);
}

TEST(Notifications, AQueueHearsOnceOfWhatSomeOfItsRulesMatch) {
  const std::vector<NotificationRule> rules = {
      Rule(9, {ObjectAction::kPutObject}, "logs/"), Rule(9, {ObjectAction::kPutObject}),
      Rule(4, {ObjectAction::kPutObject, ObjectAction::kDeleteObject}, "", ".gz"),
      Rule(5, {ObjectAction::kPutObject}, "logs/a", "a.gz")};
  EXPECT_THAT(QueuesOf(rules, ObjectAction::kPutObject, "logs/x.gz"), ElementsAre(4, 9));
  EXPECT_THAT(QueuesOf(rules, ObjectAction::kPutObject, "x"), ElementsAre(9));
  EXPECT_THAT(QueuesOf(rules, ObjectAction::kDeleteObject, "x.gz"), ElementsAre(4));
  EXPECT_THAT(QueuesOf(rules, ObjectAction::kDeleteObject, "x"), IsEmpty());
  // Prefix and suffix may overlap, as texts of one key.
  EXPECT_THAT(QueuesOf(rules, ObjectAction::kPutObject, "logs/a.gz"), ElementsAre(4, 5, 9));
}

TEST(Notifications, AMessageSaysWhatCloudflaresDoes) {
  const BucketEvents of{"acc", "photos", {}};
  const CopiedFrom from{"other", "from"};
  const Json made = ParseJson(MessageOf(of, {.action = ObjectAction::kCopyObject,
                                             .key = "a/\"b\"",
                                             .at_ms = 1'716'579'996'379,
                                             .bytes = 65536,
                                             .etag = "c846",
                                             .copied_from = &from}));
  EXPECT_EQ(made, ParseJson(R"({"account":"acc","action":"CopyObject","bucket":"photos",
      "object":{"key":"a/\"b\"","size":65536,"eTag":"c846"},
      "eventTime":"2024-05-24T19:46:36.379000Z","copySource":{"bucket":"other","object":"from"}})"));
  const Json gone =
      ParseJson(MessageOf(of, {.action = ObjectAction::kDeleteObject, .key = "k", .at_ms = 0}));
  EXPECT_EQ(gone["object"], ParseJson(R"({"key":"k"})"));
}

TEST(Notifications, RulesAreKeptWithTheSettings) {
  BucketSettings settings;
  NotificationRule rule = Rule(7, {ObjectAction::kDeleteObject}, "p", "s");
  rule.description = "what for";
  rule.created = 12;
  settings.notifications = {rule, Rule(8, {ObjectAction::kPutObject})};
  EXPECT_EQ(ValueOf(ParseSettings(TextOf(settings))).notifications, settings.notifications);
  EXPECT_FALSE(ParseSettings(R"({"notifications":"nonsense"})").ok());
  for (const char* damaged :
       {"[1]", R"([{"queue":-1}])", "{}", "",
        R"([{"id":"i","queue":1,"actions":["Nonsense"],"prefix":"","suffix":"","description":"",
             "created":1}])"}) {
    EXPECT_EQ(ParseNotificationRules(damaged), std::nullopt) << damaged;
  }
}

TEST(Notifications, WhatIsNoRuleIsSaid) {
  const auto rules = ValueOf(ReadNotificationRules(
      R"({"rules":[{"actions":["PutObject","PutObject","DeleteObject"],"prefix":null}]})"));
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_THAT(rules[0].actions, ElementsAre(ObjectAction::kPutObject, ObjectAction::kDeleteObject));
  for (const char* bad :
       {"", "[]", "{}", R"({"rules":[]})", R"({"rules":[1]})", R"({"rules":[{}]})",
        R"({"rules":[{"actions":[]}]})", R"({"rules":[{"actions":["Nonsense"]}]})",
        R"({"rules":[{"actions":["PutObject"],"prefix":1}]})"}) {
    EXPECT_FALSE(ReadNotificationRules(bad).ok()) << bad;
  }
  std::string many = R"({"rules":[)";
  for (int i = 0; i < 101; ++i) many += R"({"actions":["PutObject"]},)";
  many.back() = ']';
  EXPECT_FALSE(ReadNotificationRules(many + "}").ok());
  EXPECT_THAT(ValueOf(ReadRuleIds("")), IsEmpty());
  EXPECT_THAT(ValueOf(ReadRuleIds(R"({"ruleIds":["b","a"]})")), ElementsAre("a", "b"));
  EXPECT_FALSE(ReadRuleIds("nonsense").ok());
  EXPECT_FALSE(ReadRuleIds(R"({"ruleIds":[1]})").ok());
}

}  // namespace
}  // namespace levada::services::r2
