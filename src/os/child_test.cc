#include "os/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/testing.h"
#include "os/disk.h"
#include "os/temporary_directory.h"

namespace levada::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPath = "/usr/bin:/bin";

/// Neither running nor waiting to be taken away.
bool IsGone(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  return !std::getline(file, stat) || stat.find(") Z ") != std::string::npos;
}

/// Nobody tells us of the end of what is not our child.
bool GoesAway(int pid) {
  for (int i = 0; i < 10'000; ++i) {
    if (IsGone(pid)) return true;
    poll(nullptr, 0, 1);
  }
  return false;
}

size_t OpenDescriptors() {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                           std::filesystem::directory_iterator()));
}

class ChildTest : public testing::Test {
 protected:
  ChildTest() : ctx_(surroundings_.context()) {}

  Result<std::unique_ptr<Child>> TryStart(std::vector<std::string> arguments,
                                          bool has_input = false) {
    ChildCommand command;
    command.arguments = std::move(arguments);
    command.environment = {"A=1", std::string("PATH=") + kPath};
    command.search_path = kPath;
    command.has_input = has_input;
    return Child::Start(ctx_, std::move(command), [this](std::string_view line) {
      std::lock_guard lock(mutex_);
      lines_.emplace_back(line);
    });
  }
  std::unique_ptr<Child> Shell(const std::string& script, bool has_input = false) {
    return ValueOf(TryStart({"sh", "-c", script}, has_input));
  }

  std::string ReadAll(Child& child) {
    std::string all;
    std::vector<uint8_t> bytes(64 << 10);
    while (const size_t count = ValueOf(child.Read(ctx_, bytes))) {
      all.append(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count));
    }
    return all;
  }
  /// The number that a program prints on its first line.
  int ReadNumber(Child& child) {
    std::string all;
    std::vector<uint8_t> byte(1);
    while (!all.ends_with('\n') && ValueOf(child.Read(ctx_, byte)) == 1) {
      all += static_cast<char>(byte[0]);
    }
    return std::stoi(all);
  }

  TestContext surroundings_;
  Context ctx_;
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

TEST_F(ChildTest, GivesItsOutputAndHowItEnded) {
  const auto child = Shell("printf hello; exit 3");
  EXPECT_EQ(ReadAll(*child), "hello");
  const ChildEnd end = ValueOf(child->Wait(ctx_));
  EXPECT_EQ(end.status, 3);
  EXPECT_EQ(end.signal, 0);
  EXPECT_FALSE(end.was_stopped);
}

TEST_F(ChildTest, ArgumentsAreNotReadByAShell) {
  const auto child = ValueOf(TryStart({"printf", "%s|", "a b", "$HOME", "*", ""}));
  EXPECT_EQ(ReadAll(*child), "a b|$HOME|*||");
}

TEST_F(ChildTest, HasNoVariableThatIsNotGiven) {
  const auto child = ValueOf(TryStart({"env"}));
  EXPECT_EQ(ReadAll(*child), std::string("A=1\nPATH=") + kPath + "\n");
}

TEST_F(ChildTest, HasAnEmptyInputWhereItIsNotWrittenTo) {
  const auto child = ValueOf(TryStart({"cat"}));
  EXPECT_EQ(ReadAll(*child), "");
  EXPECT_EQ(ValueOf(child->Wait(ctx_)).status, 0);
}

TEST_F(ChildTest, MayWriteMuchBeforeItReadsOn) {
  const auto child = ValueOf(TryStart({"cat"}, /*has_input=*/true));
  const std::vector<uint8_t> much(16 << 20, 'x');
  std::jthread writer([&] {
    EXPECT_TRUE(ValueOf(child->Write(ctx_, much)));
    child->CloseInput();
  });
  EXPECT_EQ(ReadAll(*child).size(), much.size());
  EXPECT_EQ(ValueOf(child->Wait(ctx_)).status, 0);
}

TEST_F(ChildTest, WritingTellsWhenNobodyReads) {
  const auto child = ValueOf(TryStart({"true"}, /*has_input=*/true));
  const std::vector<uint8_t> much(16 << 20, 'x');
  EXPECT_FALSE(ValueOf(child->Write(ctx_, much)));
  EXPECT_EQ(ValueOf(child->Wait(ctx_)).status, 0);
  EXPECT_FALSE(ValueOf(child->Write(ctx_, much)));
}

TEST_F(ChildTest, GivesTheLinesOfStandardErrorUntilItsEnd) {
  const auto child = Shell("echo one >&2; printf 'two\\r\\n\\n' >&2; printf three >&2");
  ASSERT_EQ(ValueOf(child->Wait(ctx_)).status, 0);
  EXPECT_THAT(lines_, ElementsAre("one", "two", "", "three"));
}

TEST_F(ChildTest, WithoutAnOutputItsWordsAreAllAlike) {
  ChildCommand command;
  command.arguments = {"sh", "-c", "echo out; echo err >&2"};
  command.search_path = kPath;
  command.has_output = false;
  const auto child = ValueOf(
      Child::Start(ctx_, command, [this](std::string_view line) { lines_.emplace_back(line); }));
  ASSERT_EQ(ValueOf(child->Wait(ctx_)).status, 0);
  EXPECT_THAT(lines_, ElementsAre("out", "err"));
  EXPECT_EQ(ReadAll(*child), "");
}

TEST_F(ChildTest, AFloodOfErrorsIsDrainedAndItsLinesAreCut) {
  const auto child = Shell("head -c 20000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo end >&2");
  ASSERT_EQ(ValueOf(child->Wait(ctx_)).status, 0);
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_EQ(lines_[0].size(), Child::kErrorLineBytesMax);
  EXPECT_EQ(lines_[1], "end");
}

TEST_F(ChildTest, EndsWhenAskedTo) {
  const auto child = Shell("echo ready; exec sleep 1000");
  std::vector<uint8_t> bytes(16);
  EXPECT_EQ(ValueOf(child->Read(ctx_, bytes)), 6U);
  child->Stop();
  child->Stop();
  const ChildEnd end = ValueOf(child->Wait(ctx_));
  EXPECT_EQ(end.signal, SIGTERM);
  EXPECT_TRUE(end.was_stopped);
}

TEST_F(ChildTest, IsKilledWhenItWillNotEnd) {
  const auto child = Shell("trap '' TERM; echo ready; while :; do sleep 1; done");
  std::vector<uint8_t> bytes(16);
  EXPECT_EQ(ValueOf(child->Read(ctx_, bytes)), 6U);
  child->Stop();
  EXPECT_EQ(ValueOf(child->Wait(ctx_)).signal, SIGKILL);
}

TEST_F(ChildTest, OneThatStandsStillIsEndedToo) {
  const auto child = Shell("echo ready; kill -STOP $$");
  std::vector<uint8_t> bytes(16);
  EXPECT_EQ(ValueOf(child->Read(ctx_, bytes)), 6U);
  child->Stop();
  EXPECT_TRUE(ValueOf(child->Wait(ctx_)).was_stopped);
}

TEST_F(ChildTest, AStopEndsItAndEveryWait) {
  const auto child = Shell("exec sleep 1000", /*has_input=*/true);
  std::jthread stopper([&] { surroundings_.stop.request_stop(); });
  std::vector<uint8_t> bytes(16);
  EXPECT_THAT(child->Read(ctx_, bytes), FailsWith(FaultCode::kStopped));
  EXPECT_THAT(child->Write(ctx_, bytes), FailsWith(FaultCode::kStopped));
  EXPECT_TRUE(ValueOf(child->Wait(Context{})).was_stopped);
}

TEST_F(ChildTest, DoesNotStartAfterAStop) {
  surroundings_.stop.request_stop();
  EXPECT_THAT(TryStart({"true"}), FailsWith(FaultCode::kStopped));
}

TEST_F(ChildTest, TheDeadlineEndsAWait) {
  const auto clock = MakeSystemClock();
  const auto child = Shell("exec sleep 1000");
  ctx_.clock = clock.get();
  ctx_ = ctx_.Within(std::chrono::milliseconds(20));
  std::vector<uint8_t> bytes(16);
  EXPECT_THAT(child->Read(ctx_, bytes), FailsWith(FaultCode::kSourceTimeout));
  EXPECT_THAT(child->Wait(ctx_), FailsWith(FaultCode::kSourceTimeout));
}

TEST_F(ChildTest, WhatItStartedEndsWithAStop) {
  auto child = Shell("sleep 1000 & echo $!; wait");
  const int grandchild = ReadNumber(*child);
  EXPECT_FALSE(IsGone(grandchild));
  child.reset();
  EXPECT_TRUE(GoesAway(grandchild));
}

TEST_F(ChildTest, WhatItLeftBehindEndsWithIt) {
  const auto child = Shell("sleep 1000 & echo $!");
  const int grandchild = ReadNumber(*child);
  EXPECT_EQ(ReadAll(*child), "") << "an end, though somebody else had the pipe too";
  EXPECT_EQ(ValueOf(child->Wait(ctx_)).status, 0);
  EXPECT_TRUE(GoesAway(grandchild));
}

TEST_F(ChildTest, WhatDetachedItselfDoesNotKeepUsWaiting) {
  // It ends when the other has a session of its own, field 6 of its stat.
  const auto child = Shell(
      "setsid sleep 1000 & p=$!; until set -- $(cat /proc/$p/stat); [ \"$6\" = \"$p\" ]; do :; "
      "done; "
      "echo $p");
  const int detached = ReadNumber(*child);
  EXPECT_EQ(ReadAll(*child), "");
  EXPECT_EQ(ValueOf(child->Wait(ctx_)).status, 0);
  EXPECT_EQ(kill(detached, SIGKILL), 0);
}

TEST_F(ChildTest, TellsWhichSignalEndedIt) {
  EXPECT_EQ(ValueOf(Shell("kill -SEGV $$")->Wait(ctx_)).signal, SIGSEGV);
  const auto signals = signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(ValueOf(Shell("kill -PIPE $$")->Wait(ctx_)).signal, SIGPIPE) << "not ignored in it";
  signal(SIGPIPE, signals);
}

TEST_F(ChildTest, InheritsNoFileAndLeavesNone) {
  const int ours = open("/dev/null", O_RDONLY);  // as a library may have opened it
  const size_t before = OpenDescriptors();
  {
    const auto child = ValueOf(TryStart({"ls", "/proc/self/fd"}));
    const std::string files = ReadAll(*child);
    EXPECT_EQ(std::ranges::count(files, '\n'), 4) << files << "the fourth is the directory";
  }
  EXPECT_EQ(OpenDescriptors(), before);
  close(ours);
}

TEST_F(ChildTest, NeedsAProgram) {
  const size_t before = OpenDescriptors();
  EXPECT_THAT(TryStart({"no-such-program"}),
              FailsWith(FaultCode::kBadValue, HasSubstr("no such program")));
  EXPECT_THAT(TryStart({"./no/such/program"}),
              FailsWith(FaultCode::kBadValue, HasSubstr("no such program")));
  EXPECT_THAT(TryStart({"/etc/passwd"}), FailsWith(FaultCode::kPermissionDenied));
  EXPECT_THAT(TryStart({"/etc"}), FailsWith(FaultCode::kPermissionDenied));
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(ChildTest, AScriptNamesItsInterpreter) {
  const TemporaryDirectory directory;
  const auto write = [&](const std::string& name, const std::string& text) {
    EXPECT_THAT(WriteFileDurably(*MakeSystemDisk(), directory / name, text), IsOk());
    std::filesystem::permissions(directory / name, std::filesystem::perms::owner_all);
    return directory / name;
  };
  EXPECT_EQ(ReadAll(*ValueOf(TryStart({write("good", "#!/bin/sh\nprintf $1\n"), "x"}))), "x");
  EXPECT_THAT(TryStart({write("bare", "echo x\n")}),
              FailsWith(FaultCode::kBadValue, HasSubstr("neither a program nor a script")));
  EXPECT_THAT(TryStart({write("broken", "#!/no/such/shell\n")}),
              FailsWith(FaultCode::kBadValue, HasSubstr("no such program")));
}

TEST_F(ChildTest, DiesWithOurProcess) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t middle = fork();
  if (middle == 0) {
    const auto child = Shell("echo $$; exec sleep 1000");
    const int pid = ReadNumber(*child);
    (void)!write(ends[1], &pid, sizeof pid);
    _exit(0);  // as if killed: no destructor runs
  }
  int pid = 0;
  ASSERT_EQ(read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ASSERT_EQ(waitpid(middle, nullptr, 0), middle);
  EXPECT_TRUE(GoesAway(pid));
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace levada::os
