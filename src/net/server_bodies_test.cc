// Request bodies as handlers pull them, and response bodies as they make them.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/server.h"
#include "net/server_fixture.h"

namespace levada::net {
namespace {

using testing::HasSubstr;

const std::string kHello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

std::string Put(std::string_view path, std::string_view fields, std::string_view body = "") {
  return "PUT " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" +
         std::string(body);
}

std::string Sized(std::string_view path, std::string_view body) {
  return Put(path, "Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}

class ServerBodies : public ServerTest {
 protected:
  ServerBodies() {
    On("/hello", Hello);
    On("/echo", Echo);
    On("/ignore", Hello);
  }

  /// "/stream" gives these pieces, announced as `size` bytes, then `end`.
  void Stream(std::vector<std::string> pieces, std::optional<uint64_t> size,
              Status end = Status::OK()) {
    On("/stream", [pieces, size, end](Request&) -> Task<Response> {
      Response response;
      response.stream = std::make_unique<PieceStream>(pieces, end);
      response.size = size;
      co_return response;
    });
  }
  Answer GetStream(TestClient& client) {
    return client.Ask("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  }
};

TEST_F(ServerBodies, AreReadBySizeAndByChunks) {
  Start();
  TestClient client = Connect();
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(client.Ask(Sized("/echo", "hello")).body, "hello");
  EXPECT_EQ(client.Ask(Sized("/echo", large)).body, large);
  EXPECT_EQ(client.Ask(Sized("/echo", "")).body, "");
  EXPECT_EQ(client.Ask(Put("/echo", "")).body, "");
  EXPECT_EQ(client
                .Ask(Put("/echo", "Transfer-Encoding: chunked\r\n",
                         "5\r\nhello\r\n2dc6c0\r\n" + large + "\r\n0\r\nTrailer: x\r\n\r\n"))
                .body,
            "hello" + large);
  EXPECT_EQ(client.Ask(kHello).body, "hello");
}

TEST_F(ServerBodies, DeclareTheirSize) {
  On("/size", [](Request& request) -> Task<Response> {
    const auto size = request.body->declared_size();
    Response response;
    response.body = size ? std::to_string(*size) : "unknown";
    co_return response;
  });
  Start();
  TestClient client = Connect();
  EXPECT_EQ(client.Ask(Sized("/size", "abc")).body, "3");
  EXPECT_EQ(client.Ask(Put("/size", "")).body, "0");
  EXPECT_EQ(client.Ask(Put("/size", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n")).body,
            "unknown");
}

TEST_F(ServerBodies, AreAskedForWhenTheClientWaitsForThat) {
  Start();
  TestClient client = Connect();
  for (const std::string fields : {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
    const Answer go = client.Ask(Put("/echo", fields + "Expect: 100-continue\r\n"));
    EXPECT_EQ(go.status, 100);
    const Answer answer =
        client.Ask(fields.starts_with("Content") ? "hello" : "5\r\nhello\r\n0\r\n\r\n");
    EXPECT_EQ(answer.body, "hello");
  }
}

TEST_F(ServerBodies, AreAskedForWhereTheyAreEmptyAsWell) {
  Start();
  TestClient client = Connect();
  const std::string empty = "Content-Length: 0\r\nExpect: 100-continue\r\n";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(client.Ask(Put("/echo", empty)).status, 100);
    EXPECT_EQ(client.Read().status, 200);
  }
  const Answer unread = client.Ask(Put("/ignore", empty));
  EXPECT_EQ(unread.status, 200);
  EXPECT_EQ(unread.Header("Connection"), "close");
}

TEST_F(ServerBodies, ThatNobodyReadsAreNotAskedFor) {
  Start();
  TestClient client = Connect();
  const Answer answer = client.Ask(Put("/ignore", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Connection"), "close") << "the body may come or not";
  client.EndSending();
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(ServerBodies, ThatComeUnaskedNeedNoWord) {
  Start();
  TestClient client = Connect();
  client.Send(Put("/echo", "Content-Length: 5\r\nExpect: 100-continue\r\n", "hello"));
  EXPECT_EQ(client.Read().body, "hello");
}

TEST_F(ServerBodies, ThatNobodyReadsAreDroppedWhenLittle) {
  ListenOptions options;
  options.limits.drain_bytes_max = 1000;
  Start(std::move(options));
  TestClient client = Connect();
  EXPECT_EQ(client.Ask(Sized("/ignore", std::string(1000, 'x'))).body, "hello");
  EXPECT_EQ(client
                .Ask(Put("/ignore", "Transfer-Encoding: chunked\r\n",
                         "3e8\r\n" + std::string(1000, 'x') + "\r\n0\r\n\r\n"))
                .body,
            "hello");
  EXPECT_EQ(client.Ask(kHello).body, "hello");
}

TEST_F(ServerBodies, ThatNobodyReadsCloseWhenLarge) {
  ListenOptions options;
  options.limits.drain_bytes_max = 1000;
  Start(std::move(options));
  TestClient sized = Connect();
  const Answer answer = sized.Ask(Sized("/ignore", std::string(1001, 'x')));
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.Header("Connection"), "close");
  sized.EndSending();
  EXPECT_TRUE(sized.IsClosed());
  TestClient chunked = Connect();
  chunked.Send(Put("/ignore", "Transfer-Encoding: chunked\r\n",
                   "3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n" + kHello));
  EXPECT_EQ(chunked.Read().body, "hello");
  chunked.EndSending();
  EXPECT_TRUE(chunked.IsClosed()) << "the request behind it is not answered";
}

TEST_F(ServerBodies, ThatAreAnsweredEarlyDoNotLoseTheAnswer) {
  Start();
  TestClient client = Connect();
  // Far more than the sockets hold: the client is still sending when the answer comes.
  client.Send(Put("/ignore", "Content-Length: 1000000000\r\n", std::string(1'000'000, 'x')));
  EXPECT_EQ(client.Read().body, "hello");
  client.EndSending();
  EXPECT_TRUE(client.IsClosed());
  EXPECT_FALSE(client.was_reset());
}

TEST_F(ServerBodies, WithMalformedChunksAreAnsweredBy400) {
  Start();
  for (const std::string body :
       {"x\r\n", "5\r\nhelloworld\r\n", "-1\r\n\r\n", "10000000000000000\r\n"}) {
    TestClient client = Connect();
    const Answer answer = client.Ask(Put("/echo", "Transfer-Encoding: chunked\r\n", body));
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.Header("Connection"), "close");
    client.EndSending();
    EXPECT_TRUE(client.IsClosed());
  }
  EXPECT_EQ(Counts().refused, 4U);
}

TEST_F(ServerBodies, ThatEndEarlyFailTheRead) {
  const Signal failed;
  On("/read", [failed](Request& request) -> Task<Response> {
    const Result<std::string> body = co_await ReadAll(*request.body, 100);
    if (body.status().IsIOError()) failed.Set();
    co_return Response();
  });
  Start();
  TestClient client = Connect();
  client.Send(Put("/read", "Content-Length: 10\r\n", "12345"));
  client.EndSending();
  EXPECT_TRUE(client.IsClosed());
  failed.Await();
}

TEST_F(ServerBodies, FailAgainWhenReadAgain) {
  On("/read", [](Request& request) -> Task<Response> {
    for (int i = 0; i < 3; ++i) {
      const Result<std::string_view> piece = co_await request.body->Read();
      if (piece.ok() || !piece.status().IsInvalid()) throw std::runtime_error("no error");
    }
    co_return Response();
  });
  Start();
  TestClient client = Connect();
  EXPECT_EQ(client.Ask(Put("/read", "Transfer-Encoding: chunked\r\n", "x\r\n\r\n")).status, 400);
  EXPECT_EQ(log_.text(), "");
}

TEST_F(ServerBodies, EndAgainWhenReadAgain) {
  On("/read", [](Request& request) -> Task<Response> {
    Response response;
    for (int i = 0; i < 5; ++i) {
      const Result<std::string_view> piece = co_await request.body->Read();
      response.body += piece.ok() ? std::string(*piece) + "." : "error";
    }
    co_return response;
  });
  Start();
  EXPECT_EQ(Connect().Ask(Sized("/read", "a")).body, "a.....");
  EXPECT_EQ(
      Connect().Ask(Put("/read", "Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n")).body,
      "a.....");
}

TEST_F(ServerBodies, OfResponsesAreStreamed) {
  Start();
  TestClient client = Connect();
  const std::string large(200'000, 'y');
  const std::vector<std::vector<std::string>> streams = {
      {}, {"a"}, {"a", "bc", "def"}, {large}, {"a", large, "b", large}, {std::string(4096, 'z')}};
  for (const auto& pieces : streams) {
    std::string all;
    for (const std::string& piece : pieces) all += piece;
    Stream(pieces, std::nullopt);
    Answer answer = GetStream(client);
    EXPECT_EQ(answer.Header("Transfer-Encoding"), "chunked");
    EXPECT_TRUE(answer.body == all && answer.is_complete);
    Stream(pieces, all.size());
    answer = GetStream(client);
    EXPECT_EQ(answer.Header("Content-Length"), std::to_string(all.size()));
    EXPECT_TRUE(answer.body == all && answer.is_complete);
  }
  EXPECT_EQ(log_.text(), "");
}

TEST_F(ServerBodies, OfResponsesAreCutShortWhenTheyFail) {
  Start();
  const struct {
    std::vector<std::string> pieces;
    std::optional<uint64_t> size;
    Status end;
    std::string logged;
  } cases[] = {
      {{"abc"}, std::nullopt, Status::IOError("disk on fire"), "disk on fire"},
      {{"abc"}, 6, Status::IOError("disk on fire"), "disk on fire"},
      {{"abc"}, 6, Status::OK(), "shorter"},
      {{}, 6, Status::OK(), "shorter"},
      {{"abc", "def"}, 3, Status::OK(), "longer"},
      {{"abcdef"}, 3, Status::OK(), "longer"},
      {{"abc", "def"}, 5, Status::OK(), "longer"},
      {{std::string(100'000, 'x'), "y"}, 100'000, Status::OK(), "longer"},
  };
  for (const auto& test : cases) {
    Stream(test.pieces, test.size, test.end);
    TestClient client = Connect();
    const Answer answer = GetStream(client);
    EXPECT_FALSE(answer.is_complete) << test.logged;
    client.ReadToEnd();
    EXPECT_THAT(log_.text(), HasSubstr(test.logged));
  }
  // What ends with the connection ends with an error.
  Stream({"abc"}, std::nullopt, Status::IOError("disk on fire"));
  TestClient old = Connect();
  EXPECT_FALSE(old.Ask("GET /stream HTTP/1.0\r\n\r\n").is_complete);
}

/// Waits for somebody before each piece.
class SlowStream final : public ResponseBody {
 public:
  explicit SlowStream(Arrival<int> go) : go_(std::move(go)) {}
  Task<Result<std::string_view>> Next() override {
    if (is_done_) co_return std::string_view();
    co_await go_;
    is_done_ = true;
    co_return std::string_view("late");
  }

 private:
  Arrival<int> go_;
  bool is_done_ = false;
};

TEST_F(ServerBodies, OfResponsesDoNotHoldTheHeadBack) {
  const Arrival<int> go(running_.loop());
  On("/slow", [go](Request&) -> Task<Response> {
    Response response;
    response.stream = std::make_unique<SlowStream>(go);
    response.headers.Add("X", "1");
    co_return response;
  });
  Start();
  TestClient client = Connect();
  client.Send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  char head[16];
  ASSERT_GT(recv(client.fd(), head, sizeof head, MSG_PEEK), 0) << "before there is a body";
  go.Set(1);
  EXPECT_EQ(client.Read().body, "late");
}

TEST_F(ServerBodies, OfResponsesThatThrowAreCutShort) {
  class Throws final : public ResponseBody {
   public:
    Task<Result<std::string_view>> Next() override { throw std::runtime_error("out of luck"); }
  };
  On("/throw", [](Request&) -> Task<Response> {
    Response response;
    response.stream = std::make_unique<Throws>();
    co_return response;
  });
  Start();
  EXPECT_FALSE(Connect().Ask("GET /throw HTTP/1.1\r\nHost: a\r\n\r\n").is_complete);
  EXPECT_THAT(log_.text(), HasSubstr("out of luck"));
}

/// Says when it is gone.
class WitnessStream final : public ResponseBody {
 public:
  explicit WitnessStream(Signal gone) : gone_(std::move(gone)) {}
  ~WitnessStream() override { gone_.Set(); }
  Task<Result<std::string_view>> Next() override { co_return std::string_view(kPiece); }

 private:
  const std::string kPiece = std::string(64 * 1024, 'x');
  const Signal gone_;
};

TEST_F(ServerBodies, OfResponsesEndWhenTheClientLeaves) {
  const Signal gone;
  On("/endless", [gone](Request&) -> Task<Response> {
    Response response;
    response.stream = std::make_unique<WitnessStream>(gone);
    co_return response;
  });
  Start();
  {
    TestClient client = Connect();
    client.Send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    char bytes[1000];
    ASSERT_GT(recv(client.fd(), bytes, sizeof bytes, 0), 0);
  }
  gone.Await();
}

TEST_F(ServerBodies, OfAnEndlessResponseLetOthersBeServed) {
  const Signal gone;
  On("/endless", [gone](Request&) -> Task<Response> {
    Response response;
    response.stream = std::make_unique<WitnessStream>(gone);
    co_return response;
  });
  Start();
  {
    TestClient reader = Connect();
    reader.Send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
    std::atomic<bool> enough = false;
    std::thread reading([&] {
      std::vector<char> bytes(1024 * 1024);
      while (!enough && recv(reader.fd(), bytes.data(), bytes.size(), 0) > 0) {
      }
    });
    TestClient other = Connect();
    for (int i = 0; i < 10; ++i) EXPECT_EQ(other.Ask(kHello).body, "hello");
    enough = true;
    reading.join();
  }
  gone.Await();
}

}  // namespace
}  // namespace levada::net
