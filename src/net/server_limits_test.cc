// What a slow, greedy or silent client can hold. Limits are small where one is to be met, and the
// tests wait for what the server then does.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/server.h"
#include "net/server_fixture.h"

namespace levada::net {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

const std::string kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr milliseconds kShort{40};

class ServerLimitsTest : public ServerTest {
 protected:
  ServerLimitsTest() {
    On("/hello", Hello);
    On("/echo", Echo);
  }
  /// With one limit that is met soon.
  void StartWith(milliseconds ServerLimits::* limit, milliseconds time = kShort) {
    ListenOptions options;
    options.limits.*limit = time;
    Start(std::move(options));
  }
};

TEST_F(ServerLimitsTest, ClosesConnectionsThatAreSilent) {
  // Long enough for the second to have asked by then.
  StartWith(&ServerLimits::idle_timeout, milliseconds(500));
  TestClient silent = Connect();
  TestClient used = Connect();
  EXPECT_EQ(used.Ask(kHello).body, "hello");
  EXPECT_TRUE(silent.IsClosed());
  EXPECT_TRUE(used.IsClosed());
  EXPECT_EQ(Counts().refused, 0U);
}

TEST_F(ServerLimitsTest, AnswersASlowHeaderBy408) {
  StartWith(&ServerLimits::header_timeout);
  TestClient client = Connect();
  client.Send("GET /hello HTT");
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.Header("Connection"), "close");
  client.EndSending();
  EXPECT_TRUE(client.IsClosed());
  EXPECT_EQ(Counts().refused, 1U);
}

TEST_F(ServerLimitsTest, AnswersAHeaderThatDripsBy408) {
  StartWith(&ServerLimits::header_timeout);
  TestClient client = Connect();
  client.Send("GET /hello HTTP/1.1\r\nHost: a\r\n");
  // Each line is in time; all of them are not. A line whenever there is no answer for a while.
  const timeval pause = {0, 5000};
  setsockopt(client.fd(), SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof pause);
  char byte = 0;
  while (recv(client.fd(), &byte, 1, MSG_PEEK) != 1) ASSERT_TRUE(client.Send("X: 1\r\n"));
  EXPECT_EQ(client.Read().status, 408);
}

TEST_F(ServerLimitsTest, AnswersAStalledBodyBy408) {
  StartWith(&ServerLimits::stall_timeout);
  for (const std::string body :
       {"Content-Length: 10\r\n\r\n12345", "Transfer-Encoding: chunked\r\n\r\n5\r\n123"}) {
    TestClient client = Connect();
    const Answer answer = client.Ask("PUT /echo HTTP/1.1\r\nHost: a\r\n" + body);
    EXPECT_EQ(answer.status, 408);
    EXPECT_EQ(answer.Header("Connection"), "close");
    client.EndSending();
    EXPECT_TRUE(client.IsClosed());
  }
  EXPECT_EQ(Counts().refused, 2U);
}

TEST_F(ServerLimitsTest, ClosesWhenTheRestOfABodyStalls) {
  StartWith(&ServerLimits::stall_timeout);
  TestClient client = Connect();
  EXPECT_EQ(client.Ask("PUT /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345").body,
            "hello");
  client.EndSending();
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(ServerLimitsTest, CutsAReaderThatDoesNotRead) {
  On("/large", [](Request&) -> Task<Response> {
    Response response;
    response.body.assign(64 * 1024 * 1024, 'x');
    co_return response;
  });
  On("/stream", [](Request&) -> Task<Response> {
    Response response;
    response.stream =
        std::make_unique<PieceStream>(std::vector<std::string>(1000, std::string(64 * 1024, 'x')));
    co_return response;
  });
  StartWith(&ServerLimits::stall_timeout);
  uint64_t connections = 0;
  for (const std::string path : {"/large", "/stream"}) {
    TestClient client = Connect();
    client.Send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    ++connections;
    AwaitCounts([connections](const ServerCounts& counts) {
      return counts.connections == connections && counts.open == 0;
    });
    EXPECT_FALSE(client.Read().is_complete);
  }
}

TEST_F(ServerLimitsTest, HasNoLimitOfTimeForHandlers) {
  const Arrival<int> go(running_.loop());
  On("/wait", [go](Request&) -> Task<Response> {
    co_await go;
    Response response;
    response.body = "waited";
    co_return response;
  });
  ListenOptions options;
  options.limits.header_timeout = options.limits.stall_timeout = kShort;
  Start(std::move(options));
  TestClient client = Connect();
  client.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  // Beside it others meet their limit: so much time has passed.
  EXPECT_EQ(Connect().Ask("GET /he").status, 408);
  EXPECT_EQ(Connect().Ask("GET /he").status, 408);
  go.Set(1);
  EXPECT_EQ(client.Read().body, "waited");
}

TEST_F(ServerLimitsTest, LeavesFurtherClientsWaiting) {
  ListenOptions options;
  options.limits.connections_max = 2;
  Start(std::move(options));
  std::vector<TestClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(Connect());
    clients.back().Send(kHello);
  }
  EXPECT_EQ(clients[0].Read().body, "hello");
  EXPECT_EQ(clients[1].Read().body, "hello");
  EXPECT_EQ(Counts().connections, 2U);
  for (size_t i = 2; i < 5; ++i) {
    clients[i - 2].EndSending();
    EXPECT_EQ(clients[i].Read().body, "hello");
    EXPECT_LE(Counts().open, 2U);
  }
  EXPECT_EQ(Counts().connections, 5U);
}

}  // namespace
}  // namespace levada::net
