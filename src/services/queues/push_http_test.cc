#include "services/queues/push_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/json.h"
#include "net/server_fixture.h"
#include "services/queues/queue_fixture.h"

namespace levada::services::queues {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(PushHttp, ABatchSaysWhatAWorkerSees) {
  PushBatch batch;
  batch.target = {1, "orders", "eater"};
  batch.backlog = {.count = 3, .bytes = 40, .oldest_ms = 5};
  const auto add = [&batch](ContentType type, std::string body) {
    Delivered& message = batch.messages.emplace_back();
    message.id = "m" + std::to_string(batch.messages.size());
    message.type = type;
    message.timestamp_ms = 9;
    message.lease.attempt = 2;
    message.body = std::move(body);
  };
  add(ContentType::kText, "ü");
  add(ContentType::kJson, R"({"a":1})");
  add(ContentType::kBytes, std::string("\xff\0", 2));
  add(ContentType::kV8, "\xff\x0f");
  add(ContentType::kText, "\xff");
  add(ContentType::kJson, "{");
  EXPECT_EQ(ParseJson(TextOf(batch)), ParseJson(R"({"queue":"orders","messages":[
      {"id":"m1","ts":9,"attempts":2,"text":"ü"},
      {"id":"m2","ts":9,"attempts":2,"json":{"a":1}},
      {"id":"m3","ts":9,"attempts":2,"b64":"/wA=","fmt":"bytes"},
      {"id":"m4","ts":9,"attempts":2,"b64":"/w8=","fmt":"v8"},
      {"id":"m5","ts":9,"attempts":2,"b64":"/w==","fmt":"bytes"},
      {"id":"m6","ts":9,"attempts":2,"b64":"ew==","fmt":"bytes"}],
      "metadata":{"metrics":{"backlogCount":3,"backlogBytes":40,"oldestMessageTimestamp":5}}})"));
}

TEST(PushHttp, AnAnswerIsRead) {
  const auto answer = ReadBatchAnswer(
      R"({"outcome":"ok","ackAll":false,"retryBatch":{"retry":true,"delaySeconds":7},
          "explicitAcks":["a"],"retryMessages":[{"msgId":"b","delaySeconds":12},{"msgId":"c"}]})");
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->is_ok);
  EXPECT_FALSE(answer->acks_all);
  EXPECT_TRUE(answer->retries_all);
  EXPECT_EQ(answer->retry_all_delay_s, 7);
  EXPECT_THAT(answer->acks, ElementsAre("a"));
  ASSERT_EQ(answer->retries.size(), 2U);
  EXPECT_EQ(answer->retries[0].id, "b");
  EXPECT_EQ(answer->retries[0].delay_s, 12);
  EXPECT_EQ(answer->retries[1].delay_s, std::nullopt);
  const auto failed = ReadBatchAnswer(R"({"outcome":"exception"})");
  ASSERT_TRUE(failed);
  EXPECT_FALSE(failed->is_ok);
}

TEST(PushHttp, WhatIsNoAnswerIsNone) {
  for (const char* text :
       {"", "[]", "{}", R"({"outcome":1})", R"({"outcome":"ok","ackAll":1})",
        R"({"outcome":"ok","explicitAcks":[1]})", R"({"outcome":"ok","explicitAcks":"a"})",
        R"({"outcome":"ok","retryMessages":[{"msgId":1}]})",
        R"({"outcome":"ok","retryMessages":[{"msgId":"a","delaySeconds":-1}]})",
        R"({"outcome":"ok","retryBatch":{"retry":true,"delaySeconds":1e300}})",
        R"({"outcome":"ok","retryBatch":true})"}) {
    EXPECT_FALSE(ReadBatchAnswer(text)) << text;
  }
}

/// A driver, and a handler at the other end of a socket.
class PushHttpTest : public QueueDoorTest {
 protected:
  PushHttpTest() {
    handler_.On("/push/queue/eater", [this](net::Request& request) { return Eat(request); });
    running_->Do(
        [this] { server_ = ValueOf(net::Server::Listen(running_->loop(), handler_, {})); });
    deliver_ = std::make_unique<HttpDeliver>(
        running_->loop(),
        ValueOf(
            net::ParseHttpUrl("http://127.0.0.1:" + std::to_string(server_->port()) + "/push/")),
        std::chrono::seconds(5), *log_);
    PushOptions options;
    options.limits.backoff_first_ms = 1;
    options.limits.backoff_max_ms = 2;
    driver_ = std::make_unique<PushDriver>(*access_, *deliver_, options, *log_);
    access_->on_more = [this] { driver_->Poke(); };
    queue_ = Make("orders");
  }
  ~PushHttpTest() override {
    running_->Await(driver_->Stop(std::chrono::seconds(10)));
    running_->Await(server_->Stop(std::chrono::milliseconds(0)));
    running_->Do([this] { server_.reset(); });
    Close();
  }
  net::Task<net::Response> Eat(net::Request& request) {
    const Result<std::string> text = co_await net::ReadAll(*request.body, 10'000'000);
    const Json batch = ParseJson(text.ValueOr(""));
    ++calls_;
    net::Response response;
    if (calls_ <= failures_) {
      response.status = 500;
      co_return response;
    }
    Json acks = Json::array();
    Json retries = Json::array();
    for (const Json& message : batch["messages"]) {
      const std::string body = message["text"];
      attempts_[body] = message["attempts"];
      const bool is_again = body.ends_with('7') && message["attempts"] == 1;
      if (is_again || body == "poison") {
        retries.push_back({{"msgId", message["id"]}, {"delaySeconds", 0}});
      } else {
        ++eaten_[body];
        acks.push_back(message["id"]);
      }
    }
    response.body =
        Dump(Json{{"outcome", "ok"}, {"explicitAcks", acks}, {"retryMessages", retries}});
    co_return response;
  }
  bool UntilEmpty(const QueueRef& queue) {
    for (int i = 0; i < 10'000; ++i) {
      if (Count(queue) == 0) return true;
      clock_->SleepUntil(clock_->Steady() + std::chrono::milliseconds(2), {});
    }
    return false;
  }
  void Consume(const PushSettings& settings = {.batch_size = 20, .wait_ms = 0}) {
    running_->Do([&] {
      driver_->SetConsumer(queue_->resource.number, {account_.row, "orders", "eater"}, settings);
    });
  }

  net::PathHandler handler_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<HttpDeliver> deliver_;
  std::unique_ptr<PushDriver> driver_;
  QueueRef queue_;
  int calls_ = 0;
  int failures_ = 0;
  std::map<std::string, int> eaten_;
  std::map<std::string, int> attempts_;
};

TEST_F(PushHttpTest, EveryMessageIsEatenOnceThoughSomeAreGivenBack) {
  for (int i = 0; i < 500; ++i) Send(queue_, std::to_string(i));
  Consume();
  ASSERT_TRUE(UntilEmpty(queue_));
  running_->Do([this] {
    EXPECT_EQ(eaten_.size(), 500U);
    for (const auto& [body, count] : eaten_) EXPECT_EQ(count, 1) << body;
    EXPECT_EQ(attempts_["17"], 2);
    EXPECT_EQ(attempts_["18"], 1);
  });
}

TEST_F(PushHttpTest, AHandlerThatFailsGetsItAgain) {
  failures_ = 2;
  Send(queue_, "stubborn");
  Consume();
  ASSERT_TRUE(UntilEmpty(queue_));
  EXPECT_EQ(running_->Do([this] { return calls_; }), 3);
}

TEST_F(PushHttpTest, APoisonedMessageDies) {
  const QueueRef dead = Make("dead");
  WantedConsumer wanted;
  wanted.consumer.script = "eater";
  wanted.consumer.retries = 2;
  wanted.dead_letter_queue = "dead";
  const QueueChange made = Wait(queues_->AddConsumer(account_, queue_, wanted, kActor));
  ASSERT_FALSE(made.error) << made.error->message;
  Send(queue_, "poison");
  Send(queue_, "food");
  Consume();
  ASSERT_TRUE(UntilEmpty(queue_));
  running_->Do([this] {
    EXPECT_EQ(attempts_["poison"], 3);
    EXPECT_EQ(eaten_["food"], 1);
  });
  EXPECT_EQ(Count(dead), 1U);
}

}  // namespace
}  // namespace levada::services::queues
