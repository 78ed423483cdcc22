#include "net/server.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/server_fixture.h"

namespace levada::net {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(fields) + "\r\n";
}

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  On("/hello", Hello);
  Start();
  TestClient client = Connect();
  for (int i = 0; i < 3; ++i) {
    const Answer answer = client.Ask(Get("/hello"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.reason, "OK");
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.Header("Content-Type"), "text/plain");
    EXPECT_EQ(answer.Header("Content-Length"), "5");
    EXPECT_EQ(answer.headers.Count("Connection"), 0U);
  }
  EXPECT_EQ(client.Ask(Get("/nothing")).status, 404);
  EXPECT_EQ(Counts().requests, 4U);
  EXPECT_EQ(Counts().connections, 1U);
  EXPECT_EQ(Counts().open, 1U);
}

TEST_F(ServerTest, SaysTheTimeOfItsClock) {
  const ManualClock clock(784'111'777'000'000);
  On("/hello", Hello);
  ListenOptions options;
  options.clock = &clock;
  Start(std::move(options));
  EXPECT_EQ(Connect().Ask(Get("/hello")).Header("Date"), "Sun, 06 Nov 1994 08:49:37 GMT");
  EndServer();
}

TEST_F(ServerTest, ShowsTheHandlerWhatWasSent) {
  On("/show", [](Request& request) -> Task<Response> {
    Response response;
    response.body = request.method + " " + request.target + " " + std::string(request.path) + " " +
                    std::string(request.query) + " " + request.peer_address +
                    (request.secure ? " secure " : " plain ") +
                    std::to_string(request.headers.Count("X"));
    response.headers.Add("X", std::string(*request.headers.Find("x")));
    co_return response;
  });
  Start();
  const Answer answer =
      Connect().Ask("PATCH /show?a=%20?b HTTP/1.1\r\nHost: h\r\nX: \xff\xc3\xa4\r\nX: 2\r\n\r\n");
  EXPECT_EQ(answer.body, "PATCH /show?a=%20?b /show a=%20?b 127.0.0.1 plain 2");
  EXPECT_EQ(answer.Header("X"), "\xff\xc3\xa4");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  On("/sleep", [this](Request& request) -> Task<Response> {
    co_await running_.loop().Sleep(std::chrono::milliseconds(20));
    Response response;
    response.body = request.query;
    co_return response;
  });
  On("/echo", Echo);
  On("/now", [](Request& request) -> Task<Response> {
    Response response;
    response.body = request.query;
    co_return response;
  });
  Start();
  TestClient client = Connect();
  client.Send(
      Get("/sleep?1") + Get("/now?2") +
      "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n3" + Get("/sleep?4") +
      "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n5\r\n0\r\n\r\n" +
      Get("/now?6"));
  for (int i = 1; i <= 6; ++i) EXPECT_EQ(client.Read().body, std::to_string(i));
}

TEST_F(ServerTest, AnswersManyPipelinedRequests) {
  On("/hello", Hello);
  Start();
  TestClient client = Connect();
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += Get("/hello");
  client.Send(requests);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(client.Read().body, "hello");
}

TEST_F(ServerTest, ServesManyClientsAtOnce) {
  On("/hello", Hello);
  Start();
  std::vector<TestClient> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(Connect());
  for (TestClient& client : clients) client.Send(Get("/hello"));
  for (TestClient& client : clients) EXPECT_EQ(client.Read().body, "hello");
  EXPECT_EQ(Counts().open, 100U);
  clients.clear();
  AwaitCounts([](const ServerCounts& counts) { return counts.open == 0; });
}

TEST_F(ServerTest, TakesRequestsByteByByte) {
  On("/echo", Echo);
  Start();
  TestClient client = Connect();
  for (const char letter :
       std::string("PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n0\r\n\r\n")) {
    client.Send({&letter, 1});
  }
  EXPECT_EQ(client.Read().body, "abc");
}

TEST_F(ServerTest, ClosesWhenEitherSideWants) {
  On("/hello", Hello);
  On("/last", [](Request&) -> Task<Response> {
    Response response;
    response.close = true;
    co_return response;
  });
  Start();
  TestClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/hello", "Connection: close\r\n")).Header("Connection"), "close");
  EXPECT_TRUE(client.IsClosed());
  TestClient other = Connect();
  EXPECT_EQ(other.Ask(Get("/last")).Header("Connection"), "close");
  EXPECT_TRUE(other.IsClosed());
}

TEST_F(ServerTest, SpeaksHttp10) {
  On("/hello", Hello);
  On("/stream", [](Request&) -> Task<Response> {
    Response response;
    response.stream = std::make_unique<PieceStream>(std::vector<std::string>{"a", "bc"});
    co_return response;
  });
  Start();
  TestClient client = Connect();
  Answer answer = client.Ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.Header("Connection"), "keep-alive");
  answer = client.Ask("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_TRUE(client.IsClosed());

  TestClient other = Connect();
  answer = other.Ask("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(answer.Header("Connection"), "close");
  EXPECT_EQ(answer.headers.Count("Transfer-Encoding"), 0U);
  EXPECT_EQ(answer.body, "abc");
  EXPECT_TRUE(answer.is_complete);
}

TEST_F(ServerTest, SendsNoBodyToHead) {
  On("/hello", Hello);
  On("/stream", [](Request&) -> Task<Response> {
    Response response;
    response.stream = std::make_unique<PieceStream>(std::vector<std::string>{"abc"});
    response.size = 3;
    co_return response;
  });
  Start();
  TestClient client = Connect();
  EXPECT_EQ(client.Ask("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n").Header("Content-Length"), "5");
  EXPECT_EQ(client.Ask("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n").Header("Content-Length"), "3");
  EXPECT_EQ(client.Ask(Get("/hello")).body, "hello");
}

TEST_F(ServerTest, SendsNoBodyWith204And304) {
  On("/status", [](Request& request) -> Task<Response> {
    Response response;
    response.status = std::stoi(std::string(request.query));
    response.body = "ignored";
    co_return response;
  });
  On("/hello", Hello);
  Start();
  TestClient client = Connect();
  EXPECT_EQ(client.Ask(Get("/status?204")).status, 204);
  EXPECT_EQ(client.Ask(Get("/status?304")).status, 304);
  EXPECT_EQ(client.Ask(Get("/hello")).body, "hello");
}

TEST_F(ServerTest, SendsReasonsOfTheHandlers) {
  On("/reason", [](Request&) -> Task<Response> {
    Response response;
    response.status = 413;
    response.reason = "Value length of 9 exceeds limit of 8.\r\nX: y";
    co_return response;
  });
  Start();
  const Answer answer = Connect().Ask(Get("/reason"));
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.reason, "Value length of 9 exceeds limit of 8.  X: y");
  EXPECT_EQ(answer.headers.Count("X"), 0U);
}

TEST_F(ServerTest, TakesAndSendsHeaderLinesOf64KiB) {
  On("/large", [](Request& request) -> Task<Response> {
    Response response;
    response.headers.Add("X-Large", std::string(*request.headers.Find("X-Large")));
    co_return response;
  });
  Start();
  TestClient client = Connect();
  const std::string large(64 * 1024, '\xe4');
  EXPECT_EQ(client.Ask(Get("/large", "X-Large: " + large + "\r\n")).Header("X-Large"), large);
  EXPECT_EQ(client.Ask(Get("/large", "X-Large: small\r\n")).Header("X-Large"), "small");
}

TEST_F(ServerTest, AnswersAnExceptionBy500AndLogsIt) {
  On("/throw", [](Request&) -> Task<Response> {
    throw std::runtime_error("no such luck");
    co_return Response();
  });
  On("/hello", Hello);
  Start();
  TestClient client = Connect();
  const Answer answer = client.Ask(Get("/throw"));
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, Not(HasSubstr("luck")));
  EXPECT_EQ(client.Ask(Get("/hello")).body, "hello");
  EXPECT_THAT(log_.text(), HasSubstr("no such luck"));
}

TEST_F(ServerTest, AnswersAResponseThatWouldSplitBy500AndLogsIt) {
  On("/split", [](Request&) -> Task<Response> {
    Response response;
    response.headers.Add("Location", "/\r\nSet-Cookie: stolen");
    co_return response;
  });
  On("/length", [](Request&) -> Task<Response> {
    Response response;
    response.headers.Add("Content-Length", "7");
    co_return response;
  });
  On("/status", [](Request&) -> Task<Response> {
    Response response;
    response.status = 99;
    co_return response;
  });
  Start();
  TestClient client = Connect();
  for (const std::string path : {"/split", "/length", "/status"}) {
    const Answer answer = client.Ask(Get(path));
    EXPECT_EQ(answer.status, 500) << path;
    EXPECT_EQ(answer.headers.Count("Set-Cookie"), 0U);
  }
  EXPECT_THAT(log_.text(), HasSubstr("Location"));
  EXPECT_THAT(log_.text(), Not(HasSubstr("stolen"))) << "values are nobody's business";
}

/// What each malformed request gets; all of them are counted, and the connection ends.
TEST_F(ServerTest, RefusesWhatIsNoRequest) {
  On("/", Hello);
  ListenOptions options;
  options.limits.header_bytes_max = 4096;
  options.limits.header_fields_max = 20;
  Start(std::move(options));
  std::string many;
  for (int i = 0; i < 21; ++i) many += "X: 1\r\n";
  const std::pair<std::string, int> cases[] = {
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
      {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", 400},
      {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.1\r\nHost: a\r\n" + many + "\r\n", 431},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(5000, 'x') + "\r\n\r\n", 431},
      {"GET / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n", 417},
      {"\x16\x03\x01\x02", 400},
  };
  uint64_t refused = 0;
  for (const auto& [bytes, status] : cases) {
    TestClient client = Connect();
    const Answer answer = client.Ask(bytes + Get("/"));
    EXPECT_EQ(answer.status, status) << bytes;
    EXPECT_EQ(answer.Header("Connection"), "close");
    EXPECT_TRUE(answer.is_complete);
    EXPECT_TRUE(client.IsClosed()) << "the second request is no request";
    EXPECT_EQ(Counts().refused, ++refused);
  }
  EXPECT_EQ(Counts().requests, 0U);
}

TEST_F(ServerTest, GivesNoBodyWithARefusalOfHead) {
  Start();
  TestClient client = Connect();
  client.Send("HEAD / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.Read(true).status, 400);
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(ServerTest, SurvivesClientsThatLeave) {
  On("/hello", Hello);
  On("/echo", Echo);
  On("/stream", [](Request&) -> Task<Response> {
    Response response;
    response.stream =
        std::make_unique<PieceStream>(std::vector<std::string>(1000, std::string(64 * 1024, 'x')));
    co_return response;
  });
  Start();
  for (const std::string& bytes :
       {std::string(""), std::string("GE"), std::string("GET / HTTP/1.1\r\nHost"),
        std::string("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345"),
        std::string("PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123"),
        Get("/stream"), Get("/hello") + Get("/stream") + Get("/hello")}) {
    Connect().Send(bytes);
    TestClient resetting = Connect();
    resetting.Send(bytes);
    const linger at_once = {1, 0};
    setsockopt(resetting.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  AwaitCounts(
      [](const ServerCounts& counts) { return counts.connections == 14 && counts.open == 0; });
  EXPECT_EQ(Connect().Ask(Get("/hello")).body, "hello");
}

TEST_F(ServerTest, AnswersAClientThatHasEndedSending) {
  On("/hello", Hello);
  Start();
  TestClient client = Connect();
  client.Send(Get("/hello"));
  client.EndSending();
  EXPECT_EQ(client.Read().body, "hello");
  EXPECT_TRUE(client.IsClosed());
}

}  // namespace
}  // namespace levada::net
