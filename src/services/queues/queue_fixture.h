#pragma once
// QueueDoorTest: what stands behind the doors of queues, on a disk of its own with a loop that
// runs, driven from the test's thread. For *_test.cc only.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/testing.h"
#include "net/client_fixture.h"
#include "os/temporary_directory.h"
#include "services/queues/queues.h"

namespace levada::services::queues {

class QueueDoorTest : public testing::Test {
 protected:
  QueueDoorTest() {
    Open();
    account_ = ValueOf(control_->CreateAccount("test", kActor));
  }
  ~QueueDoorTest() override { Close(); }

  void Open() {
    running_ = std::make_unique<net::LoopThread>();
    workers_ = std::make_unique<net::Workers>(4, 4096);
    control_ = ValueOf(Control::Open(directory_ / "control.db", MasterKey::Of(std::string(32, 'k')),
                                     *clock_, *random_));
    store_ = ValueOf(QueueStore::Open(directory_ / "queues", limits_, *clock_, *random_, *log_));
    access_ =
        std::make_unique<QueueAccess>(QueueAccess{*store_, *control_, running_->loop(), *workers_});
    queues_ = std::make_unique<Queues>(*access_, *clock_, *random_, *log_);
    queues_->ConfigureAll();
  }
  void Close() {
    if (running_ == nullptr) return;
    running_->End();
    workers_.reset();
    store_.reset();
    queues_.reset();
    access_.reset();
    control_.reset();
    running_.reset();
  }
  void Reopen() {
    Close();
    Open();
  }

  template <typename T>
  T Wait(net::Task<T> task) {
    std::optional<T> value;
    running_->Await(Keep(std::move(task), value));
    return *std::move(value);
  }

  QueueRef Make(const std::string& name) {
    const QueueChange made = Wait(queues_->Create(account_, name, {}, kActor));
    EXPECT_FALSE(made.error) << made.error->message;
    return made.queue;
  }
  /// As Control has it.
  QueueRef Find(const std::string& name) {
    return ValueOf(queues_->FindByName(account_.row, name));
  }
  void Send(const QueueRef& queue, const std::string& body) {
    const auto sent = Wait(
        SendMessages(*access_, queue->resource.number, {{ContentType::kText, body, std::nullopt}}));
    EXPECT_TRUE(sent.ok()) << sent.status();
  }
  uint64_t Count(const QueueRef& queue) {
    return ValueOf(Wait(ReadBacklog(*access_, queue->resource.number))).count;
  }

  static inline const Actor kActor{"test", ""};
  os::TemporaryDirectory directory_;
  const std::unique_ptr<Clock> clock_ = MakeSystemClock();
  const std::unique_ptr<Random> random_ = MakeSystemRandom();
  const std::unique_ptr<Logger> log_ = MakeNullLogger();
  QueueLimits limits_;
  std::unique_ptr<net::LoopThread> running_;
  std::unique_ptr<net::Workers> workers_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<QueueStore> store_;
  std::unique_ptr<QueueAccess> access_;
  std::unique_ptr<Queues> queues_;
  Account account_;

 private:
  template <typename T>
  static net::Task<void> Keep(net::Task<T> task, std::optional<T>& value) {
    value.emplace(co_await std::move(task));
  }
};

}  // namespace levada::services::queues
