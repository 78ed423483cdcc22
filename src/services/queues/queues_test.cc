#include "services/queues/queues.h"

#include <gtest/gtest.h>

#include "services/queues/queue_error.h"
#include "services/queues/queue_fixture.h"

namespace levada::services::queues {
namespace {

using QueuesTest = QueueDoorTest;

int64_t CodeOfError(const std::optional<ApiError>& error) { return error ? error->code : 0; }

WantedConsumer Puller(std::optional<std::string> dead = std::nullopt) {
  return {DefaultConsumer(ConsumerKind::kHttpPull), std::move(dead)};
}

TEST_F(QueuesTest, AQueueIsFoundByNameAndIdAndAfterARestart) {
  const QueueRef made = Make("orders");
  EXPECT_EQ(made->resource.id.size(), 32U);
  Send(made, "kept");
  Reopen();
  const QueueRef found = ValueOf(queues_->Find(account_.row, made->resource.id));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->resource.name, "orders");
  EXPECT_EQ(found->config, QueueConfig{});
  EXPECT_EQ(Count(found), 1U);
  EXPECT_EQ(ValueOf(queues_->Find(account_.row + 1, made->resource.id)), nullptr);
  EXPECT_EQ(Find("none"), nullptr);
}

TEST_F(QueuesTest, ANameIsTakenOnceAndHasToBeOne) {
  Make("orders");
  EXPECT_EQ(CodeOfError(Wait(queues_->Create(account_, "orders", {}, kActor)).error), kNameTaken);
  for (const char* name : {"", "-a", "a-", "_a", "a b", "a/b", "\xc3\xa9"}) {
    EXPECT_FALSE(IsQueueName(name)) << name;
    EXPECT_EQ(CodeOfError(Wait(queues_->Create(account_, name, {}, kActor)).error), kBadSchema);
  }
  EXPECT_TRUE(IsQueueName(std::string(63, 'a')));
  EXPECT_FALSE(IsQueueName(std::string(64, 'a')));
  EXPECT_TRUE(IsQueueName("My_queue-1"));
}

TEST_F(QueuesTest, ChangesThatMeetAreBothKept) {
  const QueueRef queue = Make("orders");
  // Both begin with the queue as it was.
  net::Task<QueueChange> delay = queues_->Change(
      account_, queue, "",
      [](QueueConfig& config) {
        config.delivery_delay_s = 7;
        return std::optional<ApiError>();
      },
      "settings", kActor);
  net::Task<QueueChange> pause = queues_->Change(
      account_, queue, "",
      [](QueueConfig& config) {
        config.is_paused = true;
        return std::optional<ApiError>();
      },
      "settings", kActor);
  EXPECT_FALSE(Wait(std::move(delay)).error);
  EXPECT_FALSE(Wait(std::move(pause)).error);
  EXPECT_EQ(Find("orders")->config.delivery_delay_s, 7);
  EXPECT_TRUE(Find("orders")->config.is_paused);
}

TEST_F(QueuesTest, WhatIsRefusedChangesNothing) {
  const QueueRef queue = Make("orders");
  Make("taken");
  const auto too_long = [](QueueConfig& config) {
    config.retention_s = 1 << 30;
    return std::optional<ApiError>();
  };
  const auto nothing = [](QueueConfig&) { return std::optional<ApiError>(); };
  EXPECT_EQ(CodeOfError(
                Wait(queues_->Change(account_, queue, "new", too_long, "settings", kActor)).error),
            kBadQueueSettings);
  EXPECT_EQ(CodeOfError(
                Wait(queues_->Change(account_, queue, "taken", nothing, "settings", kActor)).error),
            kNameTaken);
  EXPECT_EQ(Find("orders")->config, QueueConfig{});
  EXPECT_EQ(Find("new"), nullptr);
}

TEST_F(QueuesTest, ADeadLetterQueueIsMadeWhereThereIsNone) {
  const QueueRef queue = Make("orders");
  const QueueChange added =
      Wait(queues_->AddConsumer(account_, queue, Puller("orders-dead"), kActor));
  ASSERT_FALSE(added.error) << added.error->message;
  const QueueRef dead = Find("orders-dead");
  ASSERT_NE(dead, nullptr);
  EXPECT_EQ(added.queue->config.consumer->dead_letter_queue, dead->resource.number);
  EXPECT_EQ(queues_->NameOfNumber(dead->resource.number), "orders-dead");

  // It stays the same under another name, and is not deleted under the queue that has it.
  const auto nothing = [](QueueConfig&) { return std::optional<ApiError>(); };
  EXPECT_FALSE(Wait(queues_->Change(account_, dead, "graveyard", nothing, "name", kActor)).error);
  EXPECT_EQ(queues_->NameOfNumber(*Find("orders")->config.consumer->dead_letter_queue),
            "graveyard");
  EXPECT_TRUE(Wait(queues_->Delete(account_, dead, kActor)));
  EXPECT_FALSE(Wait(queues_->Delete(account_, queue, kActor)));
  EXPECT_FALSE(Wait(queues_->Delete(account_, dead, kActor)));
  EXPECT_TRUE(queues_->List(account_.row).empty());
}

TEST_F(QueuesTest, AConsumerThatIsRefusedMakesNoQueue) {
  const QueueRef queue = Make("orders");
  WantedConsumer wanted = Puller("dead");
  wanted.consumer.retries = 101;
  EXPECT_EQ(CodeOfError(Wait(queues_->AddConsumer(account_, queue, wanted, kActor)).error),
            kBadConsumerSettings);
  wanted.consumer.retries = 3;
  wanted.consumer.batch_size = -1;
  EXPECT_EQ(CodeOfError(Wait(queues_->AddConsumer(account_, queue, wanted, kActor)).error),
            kBadConsumerSettings);
  EXPECT_EQ(Find("dead"), nullptr);
  EXPECT_EQ(
      CodeOfError(Wait(queues_->AddConsumer(account_, queue, Puller("orders"), kActor)).error),
      kBadConsumerSettings);
}

TEST_F(QueuesTest, AQueueHasOneConsumer) {
  const QueueRef queue = Make("orders");
  const QueueChange added = Wait(queues_->AddConsumer(account_, queue, Puller(), kActor));
  ASSERT_FALSE(added.error);
  const std::string id = added.queue->config.consumer->id;
  EXPECT_EQ(CodeOfError(Wait(queues_->AddConsumer(account_, queue, Puller(), kActor)).error),
            kConsumerExists);

  WantedConsumer other = Puller();
  other.consumer.retries = 9;
  EXPECT_TRUE(Wait(queues_->ReplaceConsumer(account_, queue, "another", other, kActor)).error);
  EXPECT_FALSE(Wait(queues_->ReplaceConsumer(account_, queue, id, other, kActor)).error);
  EXPECT_EQ(Find("orders")->config.consumer->retries, 9);
  EXPECT_EQ(Find("orders")->config.consumer->id, id);

  EXPECT_TRUE(Wait(queues_->RemoveConsumer(account_, queue, "another", kActor)).error);
  EXPECT_FALSE(Wait(queues_->RemoveConsumer(account_, queue, id, kActor)).error);
  EXPECT_FALSE(Find("orders")->config.consumer);
}

TEST_F(QueuesTest, AQueueThatIsGoneIsNotChanged) {
  const QueueRef queue = Make("orders");
  Send(queue, "gone too");
  EXPECT_FALSE(Wait(queues_->Delete(account_, queue, kActor)));
  EXPECT_EQ(CodeOfError(Wait(queues_->AddConsumer(account_, queue, Puller(), kActor)).error),
            kQueueNotFound);
  EXPECT_EQ(CodeOfError(Wait(queues_->Delete(account_, queue, kActor))), kQueueNotFound);
  // Its name is free, and its messages do not come back.
  EXPECT_EQ(Count(Make("orders")), 0U);
}

TEST_F(QueuesTest, WhoeverWatchesHearsOfEachChange) {
  std::vector<std::string> heard;
  queues_->set_observer([&heard](uint64_t, const QueueRef& queue) {
    heard.push_back(queue == nullptr ? "gone" : queue->resource.name);
  });
  const QueueRef queue = Make("orders");
  Wait(queues_->AddConsumer(account_, queue, Puller("dead"), kActor));
  Wait(queues_->Delete(account_, queue, kActor));
  EXPECT_EQ(heard, (std::vector<std::string>{"orders", "dead", "orders", "gone"}));
}

TEST_F(QueuesTest, SettingsThatCannotBeReadAreOfOneQueue) {
  const Resource broken = *ValueOf(
      control_->CreateResource(account_, ResourceKind::kQueue, "broken", "{\"x\":1}", kActor));
  Make("whole");
  Reopen();
  EXPECT_EQ(CodeOf(queues_->Find(account_.row, broken.id).status()), FaultCode::kStoreDamaged);
  ASSERT_EQ(queues_->List(account_.row).size(), 1U);
  Send(Find("whole"), "served");
}

}  // namespace
}  // namespace levada::services::queues
