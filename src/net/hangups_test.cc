#include "net/hangups.h"

#include <gtest/gtest.h>

#include <csignal>

#include "base/testing.h"
#include "net/client_fixture.h"

namespace levada::net {
namespace {

TEST(Hangups, AreHeardOnTheLoopAndEndNothing) {
  LoopThread running;
  for (int round = 0; round < 2; ++round) {
    const Signal heard;
    std::unique_ptr<Hangups> hangups;
    running.Do(
        [&] { hangups = ValueOf(Hangups::Watch(running.loop(), [heard] { heard.Set(); })); });
    ASSERT_EQ(kill(getpid(), SIGHUP), 0);
    heard.Await();
    running.Do([&] { hangups.reset(); });
  }
}

}  // namespace
}  // namespace levada::net
