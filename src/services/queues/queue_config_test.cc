#include "services/queues/queue_config.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace levada::services::queues {
namespace {

QueueConfig Full(ConsumerKind kind) {
  QueueConsumer consumer = DefaultConsumer(kind);
  consumer.id = "0123456789abcdef0123456789abcdef";
  consumer.script = kind == ConsumerKind::kWorker ? "eater" : "";
  consumer.dead_letter_queue = uint64_t{1} << 63;
  consumer.created = 1;
  consumer.batch_size = 7;
  consumer.retries = 0;
  consumer.retry_delay_s = 9;
  if (kind == ConsumerKind::kWorker) consumer.wait_ms = 0;
  if (kind == ConsumerKind::kHttpPull) consumer.visibility_ms = 0;
  return {.delivery_delay_s = 3,
          .retention_s = 60,
          .is_paused = true,
          .modified = 2,
          .purged = 4,
          .consumer = consumer};
}

TEST(QueueConfigTest, ComesBackFromItsText) {
  for (const QueueConfig& config :
       {QueueConfig{}, Full(ConsumerKind::kWorker), Full(ConsumerKind::kHttpPull)}) {
    EXPECT_EQ(ValueOf(ParseQueueConfig(TextOf(config))), config) << TextOf(config);
  }
  EXPECT_EQ(ValueOf(ParseQueueConfig("")), QueueConfig{});
}

TEST(QueueConfigTest, WhatIsNoConfigIsDamage) {
  const std::string whole = TextOf(Full(ConsumerKind::kWorker));
  for (size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(CodeOf(ParseQueueConfig(whole.substr(0, size)).status()), FaultCode::kStoreDamaged)
        << size;
  }
  for (const char* text :
       {"[]", "null", R"({"delivery_delay":"3"})", R"({"delivery_delay":1.5})", R"({"other":1})",
        R"({"consumer":{}})", R"({"consumer":{"type":"http"}})",
        R"({"consumer":{"type":"worker","dead_letter_queue":"dead"}})",
        R"({"consumer":{"type":"worker","visibility_timeout_ms":1}})"}) {
    EXPECT_EQ(CodeOf(ParseQueueConfig(text).status()), FaultCode::kStoreDamaged) << text;
  }
}

TEST(QueueConfigTest, TheStoreGoesByTheConsumer) {
  const QueueSettings without = StoreSettingsOf({});
  EXPECT_EQ(without.retries, 3);
  EXPECT_EQ(without.dead_letter_queue, std::nullopt);
  const QueueSettings with = StoreSettingsOf(Full(ConsumerKind::kWorker));
  EXPECT_EQ(with.retries, 0);
  EXPECT_EQ(with.retry_delay_s, 9);
  EXPECT_EQ(with.dead_letter_queue, uint64_t{1} << 63);
  EXPECT_TRUE(with.is_paused);
  EXPECT_EQ(PushSettingsOf(*Full(ConsumerKind::kWorker).consumer).batch_size, 7U);
}

}  // namespace
}  // namespace levada::services::queues
