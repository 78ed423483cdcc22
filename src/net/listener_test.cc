#include "net/listener.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "net/server_fixture.h"
#include "os/temporary_directory.h"

namespace levada::net {
namespace {

using testing::HasSubstr;

ListenOptions At(std::string host, uint16_t port = 0) {
  ListenOptions options;
  options.host = std::move(host);
  options.port = port;
  return options;
}

ListenOptions AtPath(std::string path) {
  ListenOptions options;
  options.unix_path = std::move(path);
  return options;
}

std::string DetailOf(const Result<Listener>& result, std::string_view key) {
  return FaultOf(result.status()).Detail(key);
}

bool Exists(const std::string& path) {
  struct stat info = {};
  return lstat(path.c_str(), &info) == 0;
}

TEST(Listener, FindsAFreePort) {
  const Listener listener = ValueOf(Listener::Open(At("127.0.0.1")));
  EXPECT_NE(listener.port(), 0);
  const Listener other = ValueOf(Listener::Open(At("127.0.0.1")));
  EXPECT_NE(other.port(), listener.port());
}

TEST(Listener, SaysWhatIsWrongWithAnAddress) {
  EXPECT_THAT(Listener::Open(At("localhost")),
              FailsWith(FaultCode::kBadValue, HasSubstr("\"localhost\"")));
  EXPECT_THAT(Listener::Open(At("")), FailsWith(FaultCode::kBadValue));
  EXPECT_THAT(Listener::Open(At("1.2.3")), FailsWith(FaultCode::kBadValue));
}

TEST(Listener, SaysWhyAnAddressCannotBeHad) {
  const Listener listener = ValueOf(Listener::Open(At("127.0.0.1")));
  const auto taken = Listener::Open(At("127.0.0.1", listener.port()));
  EXPECT_THAT(taken,
              FailsWith(FaultCode::kTargetUnwritable, HasSubstr(std::to_string(listener.port()))));
  EXPECT_EQ(DetailOf(taken, "errno"), "EADDRINUSE");
  const auto foreign = Listener::Open(At("192.0.2.1"));  // RFC 5737: nobody has it
  EXPECT_EQ(DetailOf(foreign, "errno"), "EADDRNOTAVAIL");
}

TEST(Listener, AcceptsWhoWaitsAndNobodyElse) {
  Listener listener = ValueOf(Listener::Open(At("127.0.0.1")));
  EXPECT_FALSE(ValueOf(listener.Accept()).has_value());
  const TestClient client(listener.port());
  std::optional<AcceptedSocket> accepted;
  while (!accepted) accepted = ValueOf(listener.Accept());
  EXPECT_EQ(accepted->peer_address, "127.0.0.1");
}

TEST(Listener, MakesASocketForItsOwnerAloneAndRemovesIt) {
  const os::TemporaryDirectory directory;
  const std::string path = directory / "socket";
  {
    Listener listener = ValueOf(Listener::Open(AtPath(path)));
    struct stat info = {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_TRUE(S_ISSOCK(info.st_mode));
    EXPECT_EQ(info.st_mode & 07777, 0600U);
    const TestClient client(path);
    std::optional<AcceptedSocket> accepted;
    while (!accepted) accepted = ValueOf(listener.Accept());
    EXPECT_EQ(accepted->peer_address, "");
  }
  EXPECT_FALSE(Exists(path));
}

TEST(Listener, ReplacesTheSocketOfADeadProcess) {
  const os::TemporaryDirectory directory;
  const std::string path = directory / "socket";
  {
    // As a process that was killed leaves it.
    const os::Descriptor dead(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(bind(dead.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(dead.fd(), 1), 0);
  }
  ASSERT_TRUE(Exists(path));
  const Listener listener = ValueOf(Listener::Open(AtPath(path)));
  const TestClient client(path);
}

TEST(Listener, LeavesTheSocketOfALivingProcess) {
  const os::TemporaryDirectory directory;
  const std::string path = directory / "socket";
  const Listener first = ValueOf(Listener::Open(AtPath(path)));
  const auto second = Listener::Open(AtPath(path));
  EXPECT_THAT(second, FailsWith(FaultCode::kTargetUnwritable, HasSubstr(path)));
  EXPECT_EQ(DetailOf(second, "errno"), "EADDRINUSE");
  const TestClient client(path);
}

TEST(Listener, LeavesAFileThatIsNoSocket) {
  const os::TemporaryDirectory directory;
  const std::string path = directory / "precious";
  std::ofstream(path) << "data";
  EXPECT_THAT(Listener::Open(AtPath(path)), FailsWith(FaultCode::kTargetUnwritable));
  EXPECT_TRUE(Exists(path));
}

TEST(Listener, LeavesTheSocketOfItsSuccessor) {
  const os::TemporaryDirectory directory;
  const std::string path = directory / "socket";
  Listener first = ValueOf(Listener::Open(AtPath(path)));
  std::filesystem::remove(path);
  const Listener second = ValueOf(Listener::Open(AtPath(path)));
  first.Close();
  EXPECT_TRUE(Exists(path));
  const TestClient client(path);
}

TEST(Listener, SaysWhatIsWrongWithAPath) {
  EXPECT_THAT(Listener::Open(AtPath(std::string(200, 'x'))), FailsWith(FaultCode::kBadValue));
  const os::TemporaryDirectory directory;
  const auto nowhere = Listener::Open(AtPath(directory / "no/such/socket"));
  EXPECT_THAT(nowhere, FailsWith(FaultCode::kTargetUnwritable));
  EXPECT_EQ(DetailOf(nowhere, "errno"), "ENOENT");
}

TEST_F(ServerTest, ListensOnAPath) {
  const os::TemporaryDirectory directory;
  const std::string path = directory / "socket";
  On("/peer", [](Request& request) -> Task<Response> {
    Response response;
    response.body = "[" + request.peer_address + "]";
    co_return response;
  });
  ListenOptions options = AtPath(path);
  Start(std::move(options));
  TestClient client(path);
  EXPECT_EQ(client.Ask("GET /peer HTTP/1.1\r\nHost: a\r\n\r\n").body, "[]");
  EndServer();
  EXPECT_FALSE(Exists(path));
}

TEST_F(ServerTest, ListensOnIpV6) {
  const os::Descriptor probe(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  if (bind(probe.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  On("/peer", [](Request& request) -> Task<Response> {
    Response response;
    response.body = request.peer_address;
    co_return response;
  });
  ListenOptions options = At("::1");
  Start(std::move(options));
  address.sin6_port = htons(server_->port());
  TestClient client(reinterpret_cast<sockaddr*>(&address), sizeof address);
  EXPECT_EQ(client.Ask("GET /peer HTTP/1.1\r\nHost: a\r\n\r\n").body, "::1");
}

}  // namespace
}  // namespace levada::net
