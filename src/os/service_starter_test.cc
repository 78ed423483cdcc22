#include "os/service_starter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "base/testing.h"
#include "os/descriptor.h"
#include "os/temporary_directory.h"

namespace levada::os {
namespace {

using testing::MatchesRegex;

Variable Only(const std::string& name, const std::string& value) {
  return [name, value](const std::string& asked) {
    return asked == name ? std::optional(value) : std::nullopt;
  };
}

/// The starter's side.
class Listener {
 public:
  explicit Listener(std::string name) : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const size_t size = name.size();
    if (name[0] == '@') name[0] = '\0';
    std::memcpy(address.sun_path, name.data(), size);
    bind(socket_.fd(), reinterpret_cast<sockaddr*>(&address),
         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size));
  }
  std::string Heard() const {
    char bytes[256];
    const ssize_t size = recv(socket_.fd(), bytes, sizeof bytes, MSG_DONTWAIT);
    return size < 0 ? "" : std::string(bytes, static_cast<size_t>(size));
  }

 private:
  Descriptor socket_;
};

TEST(ServiceStarter, IsToldByPathAndByName) {
  const TemporaryDirectory directory;
  for (const std::string& name :
       {directory / "notify", "@levada-test-" + std::to_string(getpid())}) {
    const Listener listener(name);
    const ServiceStarter starter(Only("NOTIFY_SOCKET", name));
    EXPECT_THAT(starter.Ready(), IsOk());
    EXPECT_EQ(listener.Heard(), "READY=1");
    EXPECT_THAT(starter.Reloading(), IsOk());
    EXPECT_THAT(listener.Heard(), MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
    EXPECT_THAT(starter.Stopping(), IsOk());
    EXPECT_EQ(listener.Heard(), "STOPPING=1");
  }
}

TEST(ServiceStarter, NobodyHasToBeThere) {
  EXPECT_THAT(ServiceStarter(Only("", "")).Ready(), IsOk());
  const TemporaryDirectory directory;
  EXPECT_EQ(CodeOf(ServiceStarter(Only("NOTIFY_SOCKET", directory / "none")).Ready()),
            FaultCode::kTargetIo);
  EXPECT_EQ(CodeOf(ServiceStarter(Only("NOTIFY_SOCKET", std::string(200, 'x'))).Ready()),
            FaultCode::kTargetIo);
}

TEST(IsOutputJournal, ComparesWhereOutputGoes) {
  struct stat output{};
  ASSERT_EQ(fstat(STDOUT_FILENO, &output), 0);
  const std::string own = std::to_string(output.st_dev) + ":" + std::to_string(output.st_ino);
  EXPECT_TRUE(IsOutputJournal(Only("JOURNAL_STREAM", own)));
  EXPECT_FALSE(IsOutputJournal(Only("JOURNAL_STREAM", "1:2")));
  EXPECT_FALSE(IsOutputJournal(Only("", "")));
}

}  // namespace
}  // namespace levada::os
