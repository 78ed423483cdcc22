// What is told of each exchange.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "net/server_fixture.h"

namespace levada::net {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

struct Seen {
  std::string method, path, id, cause;
  int status = 0;
  bool is_refusal = false;
  bool is_cut = false;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  std::chrono::nanoseconds duration{0};
};

class Recorder final : public ExchangeObserver {
 public:
  void OnEnd(const Exchange& exchange) override {
    const Request& request = exchange.request;
    seen_.push_back({request.method, std::string(request.path), request.notes.id,
                     std::string(exchange.cause), exchange.status, exchange.is_refusal,
                     exchange.is_cut, exchange.bytes_in, exchange.bytes_out, exchange.duration});
  }
  std::vector<Seen> seen_;
};

class ServerObserverTest : public ServerTest {
 protected:
  ~ServerObserverTest() override { EndServer(); }  // before what it tells
  void StartObserved(ServerLimits limits = {}) {
    ListenOptions options;
    options.observer = &recorder_;
    options.clock = &clock_;
    options.limits = limits;
    Start(std::move(options));
  }
  std::vector<Seen> Await(size_t count) {
    for (;;) {
      std::vector<Seen> seen = running_.Do([this] { return recorder_.seen_; });
      if (seen.size() >= count) return seen;
      std::this_thread::yield();
    }
  }

  Recorder recorder_;
  ManualClock clock_{0};
};

TEST_F(ServerObserverTest, HearsOfEachRequestWithItsBytesAndItsTime) {
  On("/echo", [this](Request& request) -> Task<Response> {
    clock_.Advance(1500);
    request.notes.id = "abc";
    co_return co_await Echo(request);
  });
  StartObserved();
  TestClient client = Connect();
  const std::string first = "POST /echo?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
  const std::string second = "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  client.Send(first + second);
  const std::string answers = client.ReadToEnd();
  const std::vector<Seen> seen = Await(2);
  EXPECT_EQ(seen[0].method, "POST");
  EXPECT_EQ(seen[0].path, "/echo");
  EXPECT_EQ(seen[0].id, "abc");
  EXPECT_EQ(seen[0].status, 200);
  EXPECT_EQ(seen[0].duration, std::chrono::microseconds(1500));
  EXPECT_EQ(seen[0].bytes_in, first.size());
  EXPECT_EQ(seen[1].status, 404);
  EXPECT_EQ(seen[1].id, "") << "notes are of one request";
  EXPECT_EQ(seen[1].bytes_in, second.size());
  EXPECT_EQ(seen[0].bytes_out + seen[1].bytes_out, answers.size());
  EXPECT_EQ(Counts().active, 0U);
}

TEST_F(ServerObserverTest, HearsOfChunksAndStreams) {
  On("/stream", [](Request& request) -> Task<Response> {
    Response response;
    (void)co_await ReadAll(*request.body, 100);
    response.stream = std::make_unique<PieceStream>(std::vector<std::string>{"abc", "def"});
    co_return response;
  });
  StartObserved();
  TestClient client = Connect();
  const std::string request =
      "PUT /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\n\r\n";
  client.Send(request);
  const std::string answer = client.ReadToEnd();
  const Seen seen = Await(1)[0];
  EXPECT_EQ(seen.bytes_in, request.size());
  EXPECT_EQ(seen.bytes_out, answer.size());
}

TEST_F(ServerObserverTest, WhatHandlersDoWrongIsToldOnce) {
  On("/throw", [](Request&) -> Task<Response> {
    throw std::runtime_error("no such luck");
    co_return Response();
  });
  On("/cut", [](Request&) -> Task<Response> {
    Response response;
    response.size = 10;
    response.stream = std::make_unique<PieceStream>(std::vector<std::string>{"abc"});
    co_return response;
  });
  On("/said", [](Request&) -> Task<Response> {
    Response response;
    response.status = 507;
    response.cause = "the disk is full";
    co_return response;
  });
  StartObserved();
  for (const std::string path : {"/throw", "/cut", "/said"}) {
    TestClient client = Connect();
    client.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.ReadToEnd(), testing::Not(HasSubstr("disk")));
  }
  const std::vector<Seen> seen = Await(3);
  EXPECT_EQ(seen[0].status, 500);
  EXPECT_THAT(seen[0].cause, HasSubstr("no such luck"));
  EXPECT_TRUE(seen[1].is_cut);
  EXPECT_THAT(seen[1].cause, HasSubstr("shorter"));
  EXPECT_EQ(seen[2].cause, "the disk is full");
  EXPECT_EQ(log_.text(), "");
}

TEST_F(ServerObserverTest, TheServersOwnRefusalsAreTold) {
  On("/echo", Echo);
  StartObserved();
  for (const std::string request :
       {"GET / HTTP/1.1\r\n\r\n",
        "PUT /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
    TestClient client = Connect();
    client.Send(request);
    client.ReadToEnd();
  }
  for (const Seen& seen : Await(2)) {
    EXPECT_EQ(seen.status, 400);
    EXPECT_TRUE(seen.is_refusal);
    EXPECT_THAT(seen.cause, testing::Not(IsEmpty()));
  }
}

TEST_F(ServerObserverTest, AClientThatWentAwayIsTold) {
  On("/echo", Echo);
  StartObserved();
  {
    TestClient client = Connect();
    client.Send("PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
  }
  const Seen seen = Await(1)[0];
  EXPECT_EQ(seen.status, kClientGone);
  EXPECT_TRUE(seen.is_cut);
  EXPECT_FALSE(seen.is_refusal);
}

}  // namespace
}  // namespace levada::net
