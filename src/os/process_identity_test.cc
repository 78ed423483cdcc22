#include "os/process_identity.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace levada::os {
namespace {

TEST(ProcessIdentity, TellsTheLivingFromTheDead) {
  const std::string self = ProcessIdentity();
  ASSERT_FALSE(self.empty());
  EXPECT_EQ(IsAlive(self), true);

  int ready[2] = {};
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::string mine = ProcessIdentity();
    (void)!write(ready[1], mine.data(), mine.size());
    _exit(0);
  }
  char text[256] = {};
  const ssize_t size = read(ready[0], text, sizeof text);
  ASSERT_GT(size, 0);
  close(ready[0]);
  close(ready[1]);
  const std::string dead(text, static_cast<size_t>(size));
  EXPECT_NE(dead, self);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(IsAlive(dead), false);
}

TEST(ProcessIdentity, SaysNothingOfOtherMachines) {
  EXPECT_EQ(IsAlive(""), std::nullopt);
  EXPECT_EQ(IsAlive("another-boot/pid:[1]/1/1"), std::nullopt);
  const std::string self = ProcessIdentity();
  const std::string machine = self.substr(0, self.rfind('/', self.rfind('/') - 1) + 1);
  EXPECT_EQ(IsAlive(machine + "x/1"), std::nullopt);
  EXPECT_EQ(IsAlive(machine + "1"), std::nullopt);
  EXPECT_EQ(IsAlive(self + "0"), false) << "another process with its number";
}

}  // namespace
}  // namespace levada::os
