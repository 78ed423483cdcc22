#include "services/queues/queue_rules.h"

#include <gtest/gtest.h>

namespace levada::services::queues {
namespace {

std::optional<Refused> WhyOf(const std::optional<Refusal>& refusal) {
  if (!refusal) return std::nullopt;
  return refusal->why;
}

NewMessage Of(ContentType type, std::string body, std::optional<int64_t> delay_s = {}) {
  return {type, std::move(body), delay_s};
}

TEST(QueueRules, DefaultsAreCloudflares) {
  const QueueLimits limits;
  EXPECT_EQ(limits.message_bytes_max, 128'000U);
  EXPECT_EQ(limits.send_count_max, 100U);
  EXPECT_EQ(limits.send_bytes_max, 256'000U);
  EXPECT_EQ(limits.delay_s_max, 86'400);
  EXPECT_EQ(limits.retention_s_min, 60);
  EXPECT_EQ(limits.retention_s_max, 1'209'600);
  EXPECT_EQ(limits.backlog_bytes_max, 25'000'000'000U);
  EXPECT_EQ(limits.retries_max, 100);
  EXPECT_EQ(limits.receive_count_max, 100U);
  EXPECT_EQ(limits.visibility_ms_max, 43'200'000);
  EXPECT_EQ(limits.concurrency_max, 250);
  EXPECT_EQ(QueueSettings().retention_s, 345'600);
  EXPECT_EQ(QueueSettings().retries, 3);
  EXPECT_EQ(PushSettings().batch_size, 10U);
  EXPECT_EQ(PushSettings().wait_ms, 5000);
}

TEST(QueueRules, SendsAreOfOneToSoManyMessagesAndBytes) {
  QueueLimits limits;
  limits.message_bytes_max = 4;
  limits.send_count_max = 3;
  limits.send_bytes_max = 8;
  const auto check = [&](std::vector<NewMessage> messages) {
    return WhyOf(CheckSend(limits, messages));
  };
  const NewMessage message = Of(ContentType::kBytes, "1234");
  EXPECT_EQ(check({message, message}), std::nullopt);
  EXPECT_EQ(check({message, message, Of(ContentType::kBytes, "1")}), Refused::kTooLargeTogether);
  EXPECT_EQ(check({Of(ContentType::kBytes, "12345")}), Refused::kTooLarge);
  EXPECT_EQ(check({}), Refused::kTooMany);
  const NewMessage empty = Of(ContentType::kBytes, "");
  EXPECT_EQ(check({empty, empty, empty}), std::nullopt);
  EXPECT_EQ(check({empty, empty, empty, empty}), Refused::kTooMany);
}

TEST(QueueRules, BodiesAreOfTheirType) {
  const QueueLimits limits;
  const auto check = [&](NewMessage message) { return WhyOf(CheckSend(limits, {message})); };
  EXPECT_EQ(check(Of(ContentType::kText, "\xff")), Refused::kBadValue);
  EXPECT_EQ(check(Of(ContentType::kJson, "{")), Refused::kBadValue);
  EXPECT_EQ(check(Of(ContentType::kJson, "{\"a\":1}")), std::nullopt);
  EXPECT_EQ(check(Of(ContentType::kBytes, "\xff")), std::nullopt);
  EXPECT_EQ(check(Of(ContentType::kV8, "\xff\x0f")), std::nullopt);
}

TEST(QueueRules, NumbersAreInTheirRanges) {
  const QueueLimits limits;
  for (const int64_t delay_s : {int64_t{0}, limits.delay_s_max}) {
    EXPECT_EQ(WhyOf(CheckSend(limits, {Of(ContentType::kText, "", delay_s)})), std::nullopt);
    EXPECT_EQ(WhyOf(CheckSettle(limits, 0, {delay_s})), std::nullopt);
  }
  for (const int64_t delay_s : {int64_t{-1}, limits.delay_s_max + 1}) {
    EXPECT_EQ(WhyOf(CheckSend(limits, {Of(ContentType::kText, "", delay_s)})), Refused::kBadValue);
    EXPECT_EQ(WhyOf(CheckSettle(limits, 0, {delay_s})), Refused::kBadValue);
  }
  EXPECT_EQ(WhyOf(CheckReceive(limits, 100, 43'200'000)), std::nullopt);
  EXPECT_EQ(WhyOf(CheckReceive(limits, 0, 0)), Refused::kBadValue);
  EXPECT_EQ(WhyOf(CheckReceive(limits, 101, 0)), Refused::kBadValue);
  EXPECT_EQ(WhyOf(CheckReceive(limits, 1, 43'200'001)), Refused::kBadValue);
  EXPECT_EQ(WhyOf(CheckSettle(limits, 100, {})), std::nullopt);
  EXPECT_EQ(WhyOf(CheckSettle(limits, 100, {{}})), Refused::kTooMany);
}

TEST(QueueRules, SettingsAndConsumersAreInTheirRanges) {
  const QueueLimits limits;
  EXPECT_EQ(WhyOf(CheckSettings(limits, 1, {})), std::nullopt);
  EXPECT_EQ(WhyOf(CheckSettings(limits, 1, {.retention_s = 59})), Refused::kBadValue);
  EXPECT_EQ(WhyOf(CheckSettings(limits, 1, {.retention_s = 1'209'601})), Refused::kBadValue);
  EXPECT_EQ(WhyOf(CheckSettings(limits, 1, {.retries = 101})), Refused::kBadValue);
  EXPECT_EQ(WhyOf(CheckSettings(limits, 1, {.delivery_delay_s = 86'401})), Refused::kBadValue);
  EXPECT_EQ(WhyOf(CheckSettings(limits, 1, {.retry_delay_s = -1})), Refused::kBadValue);
  EXPECT_EQ(WhyOf(CheckSettings(limits, 1, {.dead_letter_queue = 2})), std::nullopt);
  EXPECT_EQ(WhyOf(CheckSettings(limits, 1, {.dead_letter_queue = 1})), Refused::kBadValue);
  EXPECT_EQ(WhyOf(CheckConsumer(limits, {})), std::nullopt);
  EXPECT_EQ(WhyOf(CheckConsumer(limits, {.batch_size = 101})), Refused::kBadValue);
  EXPECT_EQ(WhyOf(CheckConsumer(limits, {.wait_ms = 60'001})), Refused::kBadValue);
  EXPECT_EQ(WhyOf(CheckConsumer(limits, {.concurrency_max = 0})), Refused::kBadValue);
}

}  // namespace
}  // namespace levada::services::queues
