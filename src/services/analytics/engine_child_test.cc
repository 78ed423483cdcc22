#include "services/analytics/engine_child.h"

#include <future>

#include "base/testing.h"

namespace levada::services::analytics {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// With a clock that goes on: children are real.
struct Child {
  explicit Child(const std::string& mode = "", EngineChildOptions with = {}) {
    with.arguments = {"/usr/bin/python3", LEVADA_TESTDATA "/fake_engine.py"};
    if (!mode.empty()) with.arguments.push_back(mode);
    engine = std::make_unique<EngineChild>(std::move(with), *clock, *log);
  }
  Result<std::string> Ask(std::string sql) {
    return engine->Run({StatementKind::kQuery, std::move(sql)});
  }

  void Pause(std::chrono::milliseconds duration) {
    (void)clock->SleepUntil(clock->Steady() + duration, {});
  }

  std::unique_ptr<Clock> clock = MakeSystemClock();
  std::unique_ptr<Logger> log = MakeNullLogger();
  std::unique_ptr<EngineChild> engine;
};

TEST(EngineChildTest, StartsWithTheFirstStatement) {
  Child child;
  EXPECT_EQ(child.engine->counts().starts, 0u);
  EXPECT_EQ(ValueOf(child.Ask("echo one")), "one");
  EXPECT_EQ(ValueOf(child.Ask("echo ")), "");
  EXPECT_EQ(ValueOf(child.Ask("large 3000000")).size(), 3'000'000u);
  EXPECT_EQ(child.engine->counts().starts, 1u);
  EXPECT_EQ(child.engine->counts().statements, 3u);
  EXPECT_TRUE(child.engine->counts().is_running);
}

TEST(EngineChildTest, GivesTheEnginesWordsAndNumber) {
  Child child;
  const auto failed = child.Ask("fail no such column");
  EXPECT_THAT(failed, FailsWith(FaultCode::kQueryFailed, HasSubstr("no such column")));
  EXPECT_EQ(FaultOf(failed.status()).Detail("code"), "47");
  EXPECT_EQ(ValueOf(child.Ask("echo on")), "on");
}

TEST(EngineChildTest, ASlowStatementKeepsNoOtherWaiting) {
  Child child;
  auto slow = std::async(std::launch::async, [&] { return child.Ask("wait 1"); });
  EXPECT_EQ(ValueOf(child.Ask("echo fast")), "fast");
  EXPECT_EQ(ValueOf(slow.get()), "waited");
}

TEST(EngineChildTest, IsStartedAgainWhenItEnded) {
  Child child("", {.pause = 0ms});
  const std::string first = ValueOf(child.Ask("process"));
  auto beside = std::async(std::launch::async, [&] { return child.Ask("wait 5"); });
  child.Pause(200ms);  // or it waits for the start of the next
  EXPECT_THAT(child.Ask("exit 3"), FailsWith(FaultCode::kSourceConnectionLost));
  EXPECT_THAT(beside.get(), FailsWith(FaultCode::kSourceConnectionLost));
  EXPECT_NE(ValueOf(child.Ask("process")), first);
  EXPECT_EQ(child.engine->counts().starts, 2u);
}

TEST(EngineChildTest, IsNotStartedAgainAndAgain) {
  Child child("", {.pause = 1h});
  EXPECT_THAT(child.Ask("exit 3"), FailsWith(FaultCode::kSourceConnectionLost));
  EXPECT_THAT(child.Ask("echo"), FailsWith(FaultCode::kSourceConnectionLost));
  EXPECT_EQ(child.engine->counts().starts, 1u);
}

TEST(EngineChildTest, EndsOneThatHangs) {
  Child child("", {.query_max = 300ms, .pause = 0ms});
  const std::string first = ValueOf(child.Ask("process"));
  EXPECT_THAT(child.Ask("hang"), FailsWith(FaultCode::kSourceTimeout));
  while (child.engine->counts().is_running) child.Pause(1ms);
  EXPECT_EQ(child.engine->counts().starts, 1u);
}

TEST(EngineChildTest, EndsOneThatDoesNotRead) {
  Child child("", {.query_max = 300ms, .change_max = 1h});
  const auto change = [&](std::string sql) {
    return std::async(std::launch::async, [&child, sql = std::move(sql)] {
      return child.engine->Run({StatementKind::kChange, sql});
    });
  };
  auto deaf = change("deaf");
  auto large = change(std::string(4 << 20, 'x'));
  child.Pause(200ms);  // the pipe is full then
  EXPECT_THAT(child.Ask("echo"), FailsWith(FaultCode::kSourceTimeout));
  EXPECT_THAT(deaf.get(), FailsWith(FaultCode::kSourceConnectionLost));
  EXPECT_THAT(large.get(), FailsWith(FaultCode::kSourceConnectionLost));
}

TEST(EngineChildTest, SaysThatThereIsNoLibrary) {
  Child child("missing", {.pause = 1h});
  EXPECT_THAT(child.Ask("echo"), FailsWith(FaultCode::kFileUnreadable, HasSubstr("no library")));
  EXPECT_THAT(child.Ask("echo"), FailsWith(FaultCode::kFileUnreadable, HasSubstr("no library")));
}

TEST(EngineChildTest, EndsOneThatDoesNotStart) {
  Child mute("mute", {.start_max = 300ms});
  EXPECT_THAT(mute.Ask("echo"), FailsWith(FaultCode::kSourceTimeout));
  Child garbage("garbage");
  EXPECT_THAT(garbage.Ask("echo"), FailsWith(FaultCode::kSourceConnectionLost));
  EngineChild none({.arguments = {"/nowhere/levada"}}, *mute.clock, *mute.log);
  EXPECT_FALSE(none.Run({StatementKind::kQuery, "x"}).ok());
}

TEST(EngineChildTest, AnAnswerHasALimit) {
  Child child("", {.answer_bytes_max = 1000});
  EXPECT_EQ(ValueOf(child.Ask("large 900")).size(), 900u);
  EXPECT_THAT(child.Ask("large 1001"), FailsWith(FaultCode::kSourceConnectionLost));
}

TEST(EngineChildTest, AStopTellsWhoWaits) {
  Child child;
  ASSERT_THAT(child.Ask("echo"), IsOk());
  auto waits = std::async(std::launch::async, [&] { return child.Ask("hang"); });
  child.Pause(50ms);
  child.engine->Stop();
  EXPECT_THAT(waits.get(), FailsWith(FaultCode::kSourceConnectionLost));
  EXPECT_FALSE(child.Ask("echo").ok());
}

TEST(EngineChildTest, AStopEndsAStart) {
  Child child("mute", {.start_max = 1h});
  auto waits = std::async(std::launch::async, [&] { return child.Ask("echo"); });
  while (child.engine->counts().starts == 0) child.Pause(1ms);
  child.engine->Stop();
  EXPECT_THAT(waits.get(), FailsWith(FaultCode::kSourceConnectionLost));
}

}  // namespace
}  // namespace levada::services::analytics
