#include "os/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "base/testing.h"
#include "os/cgroup.h"
#include "os/disk.h"
#include "os/temporary_directory.h"

namespace levada::os {
namespace {

using testing::ExitedWithCode;

TEST(Process, KnowsItsMemoryTimeAndName) {
  const ResidentMemory memory = ReadResidentMemory();
  EXPECT_GT(memory.now_bytes, 0);
  EXPECT_GE(memory.peak_bytes, memory.now_bytes);
  EXPECT_GE(CpuTimeNs(), 0);
  EXPECT_FALSE(HostName().empty());
  EXPECT_EQ(ProcessId(), getpid());
  EXPECT_GE(ProcessorCount(), 1);
  EXPECT_GT(MemoryLimitBytes(), 1 << 20);
}

TEST(Process, MayOpenAsManyFilesAsTheHardLimitAllows) {
  const auto raises_it = [] {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) _exit(1);
    limit.rlim_cur = 64;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) _exit(2);
    RaiseOpenFileLimit();
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) _exit(3);
    _exit(limit.rlim_cur == limit.rlim_max ? 0 : 4);
  };
  EXPECT_EXIT(raises_it(), ExitedWithCode(0), "");
}

TEST(Process, CpuTimeGrowsWithWork) {
  const int64_t before = CpuTimeNs();
  while (CpuTimeNs() == before) {
  }
  EXPECT_GT(CpuTimeNs(), before);
}

// A machine's /proc and /sys of our own making.
class Cgroups : public testing::Test {
 protected:
  void Put(const std::string& path, const std::string& content) {
    const auto disk = MakeSystemDisk();
    ASSERT_THAT(disk->CreateDirectories(ParentPath(root_ / path)), IsOk());
    ASSERT_THAT(WriteFileDurably(*disk, root_ / path, content), IsOk());
  }
  CgroupLimits Limits() const { return ReadCgroupLimits(root_.path()); }

  const TemporaryDirectory root_;
};

TEST_F(Cgroups, WithoutFilesThereIsNoLimit) {
  EXPECT_EQ(Limits().processors, std::nullopt);
  EXPECT_EQ(Limits().memory_bytes, std::nullopt);
}

TEST_F(Cgroups, ReadsVersion2) {
  Put("proc/self/cgroup", "0::/jobs/levada\n");
  Put("sys/fs/cgroup/jobs/levada/cpu.max", "150000 100000\n");
  Put("sys/fs/cgroup/jobs/levada/memory.max", "268435456\n");
  EXPECT_EQ(Limits().processors, 1.5);
  EXPECT_EQ(Limits().memory_bytes, 268435456);
}

TEST_F(Cgroups, TheLowestLimitOfAllGroupsAboveCounts) {
  Put("proc/self/cgroup", "0::/jobs/levada/\n");
  Put("sys/fs/cgroup/jobs/levada/cpu.max", "max 100000\n");
  Put("sys/fs/cgroup/jobs/levada/memory.max", "3000000000\n");
  Put("sys/fs/cgroup/jobs/cpu.max", "400000 100000\n");
  Put("sys/fs/cgroup/jobs/memory.max", "1000000000\n");
  Put("sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(Limits().processors, 2.0);
  EXPECT_EQ(Limits().memory_bytes, 1000000000);
}

TEST_F(Cgroups, InAContainerTheMountItselfAnswers) {
  Put("proc/self/cgroup", "0::/../../host/path\n");
  Put("sys/fs/cgroup/memory.max", "500\n");
  EXPECT_EQ(Limits().memory_bytes, 500);
}

TEST_F(Cgroups, ReadsVersion1) {
  Put("proc/self/cgroup", "11:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n");
  Put("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "123456789\n");
  Put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n");
  Put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Limits().memory_bytes, 123456789);
  EXPECT_EQ(Limits().processors, 0.5);
}

TEST_F(Cgroups, FindsAControllerUnderItsOwnName) {
  Put("proc/self/cgroup", "4:cpu,cpuacct:/\n0::/\n");
  Put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n");
  Put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  Put("sys/fs/cgroup/unified/memory.max", "77\n");
  EXPECT_EQ(Limits().processors, 3.0);
  EXPECT_EQ(Limits().memory_bytes, 77);
}

TEST_F(Cgroups, WhatIsStrangeLimitsNothing) {
  Put("proc/self/cgroup", "0::/a\nnonsense\n:\n1:2\n5:cpu:\n6:cpu:relative\n\n4:cpu:/\n");
  for (const char* value : {"", "max", "max max", "-1", "0 100000", "x 100000", "100000",
                            "100000 0", "99999999999999999999 100000", "1.5 1", "1 2 3"}) {
    Put("sys/fs/cgroup/a/cpu.max", value);
    Put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    Put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(Limits().processors, std::nullopt) << value;
  }
  for (const char* value : {"", "max", "-1", "0", "12k", "99999999999999999999"}) {
    Put("sys/fs/cgroup/a/memory.max", value);
    EXPECT_EQ(Limits().memory_bytes, std::nullopt) << value;
  }
}

// Blocks until `stop` is requested.
void AwaitStop(const std::stop_token& stop) {
  std::promise<void> stopped;
  const std::stop_callback callback(stop, [&] { stopped.set_value(); });
  stopped.get_future().wait();
}

TEST(SignalStop, TheFirstSignalRequestsAStop) {
  for (const int number : {SIGINT, SIGTERM}) {
    const auto signals = WatchSignals();
    EXPECT_FALSE(signals->token().stop_requested());
    EXPECT_EQ(signals->signal(), 0);
    raise(number);
    AwaitStop(signals->token());
    EXPECT_EQ(signals->signal(), number);
  }
}

TEST(SignalStop, EndsWithoutASignalToo) {
  std::stop_token token;
  {
    const auto signals = WatchSignals();
    token = signals->token();
  }
  EXPECT_FALSE(token.stop_requested());
}

TEST(SignalStop, PutsBackWhatWasThereBefore) {
  struct sigaction before{}, after{};
  for (const int number : {SIGINT, SIGTERM, SIGPIPE}) {
    sigaction(number, nullptr, &before);
    {
      const auto signals = WatchSignals();
    }
    sigaction(number, nullptr, &after);
    EXPECT_EQ(before.sa_handler, after.sa_handler);
  }
}

TEST(SignalStop, ABrokenPipeIsAnErrorAndNotTheEnd) {
  const auto signals = WatchSignals();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  close(ends[1]);
}

void RaiseTwice(int first, int second) {
  const auto signals = WatchSignals();
  for (const int signal : {first, second}) {
    raise(signal);
    poll(nullptr, 0, 500);  // ThreadSanitizer delivers a signal when its thread waits
  }
  _exit(0);
}

TEST(SignalStopDeathTest, TheSecondSignalExitsAtOnceWithItsOwnStatus) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // it starts a thread
  EXPECT_EXIT(RaiseTwice(SIGINT, SIGINT), ExitedWithCode(130), "");
  EXPECT_EXIT(RaiseTwice(SIGTERM, SIGTERM), ExitedWithCode(143), "");
  EXPECT_EXIT(RaiseTwice(SIGINT, SIGTERM), ExitedWithCode(143), "");
}

TEST(SignalStopDeathTest, WatchingTwiceAborts) {
  const auto watch_twice = [] {
    const auto first = WatchSignals();
    const auto second = WatchSignals();
  };
  EXPECT_DEATH(watch_twice(), "already");
}

bool Readable(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return poll(&polled, 1, 0) == 1;
}

TEST(StopEvent, BecomesReadableWithTheStop) {
  std::stop_source stop;
  const StopEvent event(stop.get_token());
  EXPECT_FALSE(Readable(event.fd()));
  stop.request_stop();
  EXPECT_TRUE(Readable(event.fd()));
  const StopEvent late(stop.get_token());
  EXPECT_TRUE(Readable(late.fd()));
}

TEST(StopEvent, OfATokenWithoutASourceNeverIs) {
  const StopEvent event{std::stop_token()};
  EXPECT_FALSE(Readable(event.fd()));
}

TEST(StopEvent, MayEndWhileTheStopIsRequested) {
  for (int round = 0; round < 200; ++round) {
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    const StopEvent event(stop.get_token());
  }
}

class WaitReadyTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets_), 0); }
  void TearDown() override {
    close(sockets_[0]);
    if (sockets_[1] >= 0) close(sockets_[1]);
  }

  int sockets_[2] = {-1, -1};
  std::stop_source stop_;
};

TEST_F(WaitReadyTest, IsTrueWhenTheDescriptorIsReady) {
  const StopEvent event(stop_.get_token());
  EXPECT_TRUE(ValueOf(WaitReady(sockets_[0], POLLOUT, event, -1)));
  ASSERT_EQ(write(sockets_[1], "x", 1), 1);
  EXPECT_TRUE(ValueOf(WaitReady(sockets_[0], POLLIN, event, -1)));
}

TEST_F(WaitReadyTest, IsFalseAtTheTimeout) {
  const StopEvent event(stop_.get_token());
  EXPECT_FALSE(ValueOf(WaitReady(sockets_[0], POLLIN, event, 0)));
  EXPECT_FALSE(ValueOf(WaitReady(sockets_[0], POLLIN, event, 1)));
}

TEST_F(WaitReadyTest, IsFalseAtAStop) {
  const StopEvent event(stop_.get_token());
  std::jthread stopper([this] { stop_.request_stop(); });
  EXPECT_FALSE(ValueOf(WaitReady(sockets_[0], POLLIN, event, -1)));
}

TEST_F(WaitReadyTest, ReadinessWinsOverAStop) {
  const StopEvent event(stop_.get_token());
  stop_.request_stop();
  ASSERT_EQ(write(sockets_[1], "x", 1), 1);
  EXPECT_TRUE(ValueOf(WaitReady(sockets_[0], POLLIN, event, -1)));
}

TEST_F(WaitReadyTest, APeerThatIsGoneIsReadiness) {
  const StopEvent event(stop_.get_token());
  close(sockets_[1]);
  sockets_[1] = -1;
  EXPECT_TRUE(ValueOf(WaitReady(sockets_[0], POLLIN, event, -1)));
}

TEST_F(WaitReadyTest, AClosedDescriptorIsOurMistake) {
  const StopEvent event(stop_.get_token());
  const int closed = dup(sockets_[0]);
  close(closed);
  EXPECT_THAT(WaitReady(closed, POLLIN, event, -1), FailsWith(FaultCode::kInternal));
}

}  // namespace
}  // namespace levada::os
