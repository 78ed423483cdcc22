#include "base/failpoint.h"

#include <csignal>
#include <thread>

#include "base/testing.h"

namespace levada {
namespace {

using testing::HasSubstr;

TEST(Failpoints, NoneArmedIsOk) {
  TestContext test;
  const Failpoints none;
  EXPECT_FALSE(none.armed());
  EXPECT_THAT(none.Hit("load.done", test.context()), IsOk());
  EXPECT_FALSE(ValueOf(Failpoints::Parse(""))->armed());
}

TEST(Failpoints, AnErrorFiresAtItsHitOnly) {
  TestContext test;
  const auto points = ValueOf(Failpoints::Parse("load.done=error@3"));
  EXPECT_TRUE(points->armed());
  EXPECT_THAT(points->Hit("load.done", test.context()), IsOk());
  EXPECT_THAT(points->Hit("load.before_sync", test.context()), IsOk());
  EXPECT_THAT(points->Hit("load.done", test.context()), IsOk());
  EXPECT_THAT(points->Hit("load.done", test.context()),
              FailsWith(FaultCode::kFailpoint, HasSubstr("load.done")));
  EXPECT_THAT(points->Hit("load.done", test.context()), IsOk());
}

TEST(Failpoints, OneNameMayBeArmedTwice) {
  TestContext test;
  const auto points = ValueOf(Failpoints::Parse("load.done=error,load.done=error@2"));
  EXPECT_THAT(points->Hit("load.done", test.context()), FailsWith(FaultCode::kFailpoint));
  EXPECT_THAT(points->Hit("load.done", test.context()), FailsWith(FaultCode::kFailpoint));
  EXPECT_THAT(points->Hit("load.done", test.context()), IsOk());
}

TEST(Failpoints, EveryListedNameCanBeArmedAndNoneTwiceInTheList) {
  TestContext test;
  std::set<std::string_view> seen;
  for (const std::string_view name : kFailpointNames) {
    EXPECT_TRUE(seen.insert(name).second) << name;
    const auto points = ValueOf(Failpoints::Parse(std::string(name) + "=error"));
    EXPECT_THAT(points->Hit(name, test.context()), FailsWith(FaultCode::kFailpoint)) << name;
  }
}

TEST(Failpoints, APauseSleepsAMinuteAndGoesOn) {
  TestContext test;
  const auto points = ValueOf(Failpoints::Parse("load.done=pause"));
  const SteadyTime before = test.clock.Steady();
  EXPECT_THAT(points->Hit("load.done", test.context()), IsOk());
  EXPECT_EQ(test.clock.Steady() - before, std::chrono::seconds(60));
}

TEST(Failpoints, AStopEndsAPause) {
  TestContext test;
  test.stop.request_stop();
  const auto points = ValueOf(Failpoints::Parse("load.done=pause"));
  const SteadyTime before = test.clock.Steady();
  EXPECT_THAT(points->Hit("load.done", test.context()), IsOk());
  EXPECT_EQ(test.clock.Steady(), before);
}

TEST(FailpointsDeathTest, AKillLeavesNoChance) {
  TestContext test;
  const auto points = ValueOf(Failpoints::Parse("finish.cleaned=kill"));
  EXPECT_EXIT((void)points->Hit("finish.cleaned", test.context()), testing::KilledBySignal(SIGKILL),
              "");
}

TEST(Failpoints, RefusesWhatItDoesNotKnow) {
  for (const char* text :
       {"load.done", "load.done=", "load.done=explode", "load.done=kill@", "load.done=kill@0",
        "load.done=kill@-1", "load.done=kill@x", "load.done=kill@1x", "load.done=kill@99999999999",
        "nothing=kill", "=kill", ",", "load.done=kill,,", "load.done =kill", "load.done=KILL"}) {
    EXPECT_THAT(Failpoints::Parse(text), FailsWith(FaultCode::kBadCommandLine)) << text;
  }
}

TEST(Failpoints, SuggestsTheNameThatWasMeant) {
  const Fault fault = FaultOf(Failpoints::Parse("load.dome=kill").status());
  EXPECT_THAT(fault.help(), HasSubstr("load.done"));
}

TEST(Failpoints, AHitThatIsNotInTheListIsOurMistake) {
  TestContext test;
  const auto points = ValueOf(Failpoints::Parse("load.done=error"));
  EXPECT_THAT(points->Hit("load.misspelt", test.context()), FailsWith(FaultCode::kInternal));
}

Status Step(const Context& ctx) {
  LEVADA_FAILPOINT(ctx, "publish.recorded");
  return Status::OK();
}

TEST(Failpoints, TheMacroReturnsFromItsFunction) {
  TestContext test;
  EXPECT_THAT(Step(test.context()), IsOk());
  EXPECT_THAT(Step(Context{}), IsOk());
  test.failpoints = ValueOf(Failpoints::Parse("publish.recorded=error"));
  EXPECT_THAT(Step(test.context()), FailsWith(FaultCode::kFailpoint));
}

TEST(Failpoints, FireOnceAmongManyThreads) {
  TestContext test;
  const auto points = ValueOf(Failpoints::Parse("load.done=error@50"));
  std::atomic<int> fired{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int hit = 0; hit < 25; ++hit) {
          if (!points->Hit("load.done", test.context()).ok()) ++fired;
        }
      });
    }
  }
  EXPECT_EQ(fired, 1);
}

}  // namespace
}  // namespace levada
