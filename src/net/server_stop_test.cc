#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "net/server.h"
#include "net/server_fixture.h"

namespace levada::net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong{600'000};

class ServerStop : public ServerTest {
 protected:
  ServerStop() : go_(running_.loop()) {
    On("/hello", Hello);
    On("/wait", [this](Request&) -> Task<Response> {
      began_.Set();
      co_await go_;
      Response response;
      response.body = "waited";
      co_return response;
    });
  }
  std::future<void> Stopping(milliseconds grace) {
    return std::async(std::launch::async, [this, grace] { StopServer(grace); });
  }
  /// Until Stop has begun: no connection is accepted any more.
  void AwaitStopping(uint16_t port) {
    for (;;) {
      const os::Descriptor probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in address = {};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (connect(probe.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
      std::this_thread::yield();
    }
  }

  const Signal began_;
  Arrival<int> go_;
};

TEST_F(ServerStop, ClosesIdleConnectionsAtOnce) {
  Start();
  TestClient silent = Connect();
  TestClient used = Connect();
  EXPECT_EQ(used.Ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").body, "hello");
  AwaitCounts([](const ServerCounts& counts) { return counts.open == 2; });
  StopServer(kLong);
  EXPECT_TRUE(silent.IsClosed());
  EXPECT_TRUE(used.IsClosed());
  EXPECT_EQ(Counts().open, 0U);
}

TEST_F(ServerStop, LetsRequestsEndThatHaveBegun) {
  Start();
  TestClient client = Connect();
  client.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  began_.Await();
  auto stopping = Stopping(kLong);
  AwaitStopping(server_->port());
  go_.Set(1);
  const Answer answer = client.Read();
  EXPECT_EQ(answer.body, "waited");
  EXPECT_EQ(answer.Header("Connection"), "close");
  stopping.get();
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(ServerStop, AnswersWhatHasReachedTheMachine) {
  Start();
  TestClient used = Connect();
  EXPECT_EQ(used.Ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").body, "hello");
  std::optional<TestClient> waiting;
  // While the loop does something else it neither accepts nor reads.
  running_.Do([&] {
    waiting.emplace(Connect());
    waiting->Send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    used.Send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    running_.loop().Spawn(server_->Stop(kLong));
  });
  EXPECT_EQ(waiting->Read().body, "hello");
  EXPECT_EQ(used.Read().body, "hello");
  EXPECT_TRUE(waiting->IsClosed());
  EXPECT_TRUE(used.IsClosed());
}

TEST_F(ServerStop, CutsWhatIsLeftAfterTheGrace) {
  On("/echo", Echo);
  Start();
  TestClient reading = Connect();
  reading.Send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
  TestClient half = Connect();
  half.Send("GET /he");
  AwaitCounts([](const ServerCounts& counts) { return counts.open == 2 && counts.requests == 1; });
  StopServer(milliseconds(1));
  EXPECT_EQ(Counts().open, 0U);
  EXPECT_TRUE(reading.IsClosed());
  EXPECT_TRUE(half.IsClosed());
}

TEST_F(ServerStop, LeavesAHandlerThatWaitsToItself) {
  Start();
  TestClient client = Connect();
  client.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  began_.Await();
  StopServer(milliseconds(0));
  EXPECT_TRUE(client.IsClosed());
  running_.Do([this] { server_.reset(); });
  go_.Set(1);
  running_.Do([] {});  // it ends where nobody listens
}

TEST_F(ServerStop, DropsAHandlerThatNeverEnds) {
  Start();
  TestClient client = Connect();
  client.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  began_.Await();
  running_.Do([this] { server_.reset(); });
  EXPECT_TRUE(client.IsClosed());
  // The loop ends before the handler does.
}

TEST_F(ServerStop, StopsTwice) {
  Start();
  TestClient client = Connect();
  client.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  began_.Await();
  auto first = Stopping(kLong);
  AwaitStopping(server_->port());
  StopServer(milliseconds(0));
  go_.Set(1);
  first.get();
  StopServer(kLong);
  EXPECT_EQ(Counts().open, 0U);
}

TEST_F(ServerStop, FreesThePort) {
  Start();
  const uint16_t port = server_->port();
  EXPECT_EQ(Connect().Ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").body, "hello");
  EndServer();
  ListenOptions options;
  options.port = port;
  Start(std::move(options));
  EXPECT_EQ(server_->port(), port);
  EXPECT_EQ(Connect().Ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").body, "hello");
}

}  // namespace
}  // namespace levada::net
