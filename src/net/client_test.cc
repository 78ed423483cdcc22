#include "net/client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "net/server_fixture.h"
#include "net/tls_fixture.h"
#include "os/temporary_directory.h"

namespace levada::net {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

constexpr milliseconds kPatience{20'000};

/// A listener that takes connections into its queue and says what it was told to, once.
class RawServer {
 public:
  RawServer() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(socket_.fd(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(socket_.fd(), 8) != 0 ||
        getsockname(socket_.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin_port);
  }
  ~RawServer() {
    if (thread_.joinable()) thread_.join();
  }

  uint16_t port() const { return port_; }
  /// Takes one connection, reads its header, says `answer` and closes.
  void Say(std::string answer) {
    thread_ = std::thread([this, answer = std::move(answer)] {
      const os::Descriptor taken(accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
      std::string received;
      char bytes[4096];
      while (received.find("\r\n\r\n") == std::string::npos) {
        const ssize_t size = recv(taken.fd(), bytes, sizeof bytes, 0);
        if (size <= 0) return;
        received.append(bytes, static_cast<size_t>(size));
      }
      send(taken.fd(), answer.data(), answer.size(), MSG_NOSIGNAL);
    });
  }
  void Close() { socket_ = os::Descriptor(); }

 private:
  os::Descriptor socket_;
  uint16_t port_ = 0;
  std::thread thread_;
};

class Client : public ServerTest {
 protected:
  static ClientRequest To(const std::string& url, std::string body = "body") {
    ClientRequest request{ValueOf(ParseHttpUrl(url)), {}, std::move(body), kPatience};
    request.headers.Add("Content-Type", "text/plain");
    return request;
  }
  std::string Url(const std::string& path, const std::string& scheme = "http") {
    return scheme + "://127.0.0.1:" + std::to_string(server_->port()) + path;
  }
  static std::string UrlOf(const RawServer& server) {
    return "http://127.0.0.1:" + std::to_string(server.port()) + "/hunter2";
  }
  Result<ClientAnswer> Ask(ClientRequest request, std::shared_ptr<const ClientTls> tls = nullptr) {
    Result<ClientAnswer> answer = Status::Invalid("not asked");
    running_.Await(AskInto(running_.loop(), std::move(tls), std::move(request), answer));
    return answer;
  }

 private:
  static Task<void> AskInto(Loop& loop, std::shared_ptr<const ClientTls> tls, ClientRequest request,
                            Result<ClientAnswer>& answer) {
    answer = co_await Post(loop, std::move(tls), std::move(request));
  }
};

TEST_F(Client, SendsARequestAndReadsItsAnswer) {
  On("/", [](Request& request) -> Task<Response> {
    const Result<std::string> body = co_await ReadAll(*request.body, 1024);
    Response response;
    response.status = 201;
    response.headers.Add("X-Answer", "yes");
    response.body = request.method + " " + request.target + " " +
                    std::string(request.headers.Find("Host").value_or("")) + " " +
                    std::string(request.headers.Find("X-Key").value_or("")) + " " + *body;
    co_return response;
  });
  Start();
  ClientRequest request = To(Url("/?q=1"));
  request.headers.Add("X-Key", "a key");
  const ClientAnswer answer = ValueOf(Ask(std::move(request)));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.headers.Find("x-answer"), "yes");
  EXPECT_EQ(answer.body, "POST /?q=1 127.0.0.1:" + std::to_string(server_->port()) + " a key body");
}

TEST_F(Client, SendsLargeBodies) {
  On("/", [](Request& request) -> Task<Response> {
    const Result<std::string> body = co_await ReadAll(*request.body, 64 * 1024 * 1024);
    Response response;
    response.body = std::to_string(body->size());
    co_return response;
  });
  Start();
  EXPECT_EQ(ValueOf(Ask(To(Url("/"), std::string(20'000'000, 'x')))).body, "20000000");
}

TEST_F(Client, WhatIsOursCannotBeSetByAHeader) {
  On("/", [](Request& request) -> Task<Response> {
    Response response;
    for (const char* name : {"Host", "Connection", "Content-Length", "Transfer-Encoding"}) {
      response.body += std::to_string(request.headers.Count(name));
      if (request.headers.Find(name) == "hunter2") response.body += "!";
    }
    co_return response;
  });
  Start();
  ClientRequest request = To(Url("/"));
  for (const char* name : {"host", "connection", "content-length", "transfer-encoding"}) {
    request.headers.Add(name, "hunter2");
  }
  EXPECT_EQ(ValueOf(Ask(std::move(request))).body, "1110");
}

TEST_F(Client, LooksUpNames) {
  On("/", Echo);
  Start();
  const std::string port = std::to_string(server_->port());
  EXPECT_EQ(ValueOf(Ask(To("http://localhost:" + port))).body, "body");
  const Status unknown = Ask(To("http://no-such-host.invalid:" + port + "/hunter2")).status();
  EXPECT_EQ(CodeOf(unknown), FaultCode::kTargetIo);
  EXPECT_THAT(unknown.message(), HasSubstr("http://no-such-host.invalid:" + port));
  EXPECT_THAT(unknown.message(), Not(HasSubstr("hunter2")));
}

TEST_F(Client, ALongAnswerIsItsStatus) {
  On("/", [](Request&) -> Task<Response> {
    Response response;
    response.status = 503;
    response.headers.Add("Retry-After", "7");
    response.body = std::string(10 * kAnswerBytesMax, 'x');
    co_return response;
  });
  Start();
  const ClientAnswer answer = ValueOf(Ask(To(Url("/"))));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.Find("Retry-After"), "7");
  EXPECT_EQ(answer.body, "");
}

TEST_F(Client, ALongAnswerIsReadWhereTheRequestAllowsIt) {
  On("/", [](Request&) -> Task<Response> {
    Response response;
    response.body = std::string(10 * kAnswerBytesMax, 'x');
    co_return response;
  });
  Start();
  ClientRequest request = To(Url("/"));
  EXPECT_TRUE(ValueOf(Ask(request)).is_too_long);
  request.answer_bytes_max = 10 * kAnswerBytesMax;
  const ClientAnswer answer = ValueOf(Ask(request));
  EXPECT_FALSE(answer.is_too_long);
  EXPECT_EQ(answer.body.size(), 10 * kAnswerBytesMax);
}

TEST_F(Client, AServerThatHangsIsLeft) {
  const RawServer server;
  ClientRequest request = To(UrlOf(server));
  request.timeout = milliseconds(50);
  const Status late = Ask(std::move(request)).status();
  EXPECT_EQ(CodeOf(late), FaultCode::kTargetIo);
  EXPECT_THAT(late.message(), HasSubstr("no answer within 50 ms"));
  EXPECT_THAT(late.message(), Not(HasSubstr("hunter2")));
}

TEST_F(Client, NobodyThereIsSaid) {
  RawServer server;
  server.Close();
  const Status refused = Ask(To(UrlOf(server))).status();
  EXPECT_EQ(CodeOf(refused), FaultCode::kTargetIo);
  EXPECT_THAT(refused.message(), HasSubstr("Connection refused"));
}

TEST_F(Client, WhatIsNoAnswerIsSaid) {
  for (const char* text : {"", "HTTP/1.1 200", "no HTTP at all\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
                           "HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n"}) {
    RawServer server;
    server.Say(text);
    EXPECT_EQ(CodeOf(Ask(To(UrlOf(server))).status()), FaultCode::kTargetIo) << text;
  }
  RawServer server;
  server.Say("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(CodeOf(Ask(To(UrlOf(server))).status()), FaultCode::kTargetIo) << "a long header";
}

TEST_F(Client, AnAnswerBeforeTheEndOfTheRequestIsRead) {
  RawServer server;
  server.Say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  const Result<ClientAnswer> answer = Ask(To(UrlOf(server), std::string(50'000'000, 'x')));
  // A close with bytes unread may take the answer with it.
  if (answer.ok()) {
    EXPECT_EQ(answer->status, 413);
  } else {
    EXPECT_EQ(CodeOf(answer.status()), FaultCode::kTargetIo);
  }
}

TEST_F(Client, HeadersThatHttpHasNotAreNotSent) {
  for (const auto& [name, value] :
       {std::pair("a b", "x"), std::pair("", "x"), std::pair("a", "x\r\nHunter: 2")}) {
    ClientRequest request = To("http://127.0.0.1:1/");
    request.headers.Add(name, value);
    EXPECT_EQ(CodeOf(Ask(std::move(request)).status()), FaultCode::kBadValue);
  }
}

TEST_F(Client, ALoopThatStopsLeavesNothingBehind) {
  const RawServer server;
  running_.loop().Spawn([](Loop& loop, ClientRequest request) -> Task<void> {
    (void)co_await Post(loop, nullptr, std::move(request));
  }(running_.loop(), To(UrlOf(server))));
  running_.loop().Spawn([](Loop& loop, ClientRequest request) -> Task<void> {
    (void)co_await Post(loop, nullptr, std::move(request));
  }(running_.loop(), To("http://localhost:" + std::to_string(server.port()))));
  running_.Do([] {});
  running_.End();
}

class ClientOverTls : public Client {
 protected:
  void StartTls(const TestIdentity& identity) {
    identity.Write(files_);
    On("/", Echo);
    ListenOptions options;
    options.tls = files_;
    Start(std::move(options));
  }

  const os::TemporaryDirectory directory_;
  const TlsFiles files_{directory_ / "chain.pem", directory_ / "key.pem"};
};

TEST_F(ClientOverTls, TrustsItsAuthorities) {
  StartTls(TestIdentity("one"));
  const auto tls = ValueOf(ClientTls::Load(files_.certificate_chain));
  EXPECT_EQ(ValueOf(Ask(To(Url("/", "https")), tls)).body, "body");
}

TEST_F(ClientOverTls, TrustsNobodyElse) {
  StartTls(TestIdentity("one"));
  TestIdentity("two").Write({directory_ / "other.pem", directory_ / "other.key"});
  for (const std::string& path : {directory_ / "other.pem", std::string()}) {
    const auto tls = ValueOf(ClientTls::Load(path));
    const Status refused = Ask(To(Url("/", "https")), tls).status();
    EXPECT_EQ(CodeOf(refused), FaultCode::kTlsFailed);
    EXPECT_THAT(refused.message(), HasSubstr("not trusted"));
  }
}

TEST_F(ClientOverTls, TrustsNoOtherHost) {
  StartTls(TestIdentity("one"));
  const auto tls = ValueOf(ClientTls::Load(files_.certificate_chain));
  const std::string port = std::to_string(server_->port());
  const Status refused = Ask(To("https://localhost:" + port), tls).status();
  EXPECT_EQ(CodeOf(refused), FaultCode::kTlsFailed);
  EXPECT_THAT(refused.message(), HasSubstr("ostname"));
}

TEST_F(ClientOverTls, SpeaksNoTlsToWhoHasNone) {
  On("/", Echo);
  Start();
  const auto tls = ValueOf(ClientTls::Load(""));
  EXPECT_EQ(CodeOf(Ask(To(Url("/", "https")), tls).status()), FaultCode::kTlsFailed);
  EXPECT_EQ(CodeOf(Ask(To(Url("/", "https"))).status()), FaultCode::kTlsFailed) << "none set up";
}

TEST_F(ClientOverTls, AHandshakeThatHangsIsLeft) {
  const RawServer server;
  const auto tls = ValueOf(ClientTls::Load(""));
  ClientRequest request = To("https://127.0.0.1:" + std::to_string(server.port()));
  request.timeout = milliseconds(50);
  EXPECT_EQ(CodeOf(Ask(std::move(request), tls).status()), FaultCode::kTargetIo);
}

TEST_F(ClientOverTls, AuthoritiesThatCannotBeReadAreSaid) {
  for (const char* name : {"none.pem", "nonsense.pem"}) {
    const std::string path = directory_ / name;
    if (name == std::string("nonsense.pem")) WriteFile(path, "nonsense", 0600);
    const Status refused = ClientTls::Load(path).status();
    EXPECT_EQ(CodeOf(refused), FaultCode::kTlsFailed);
    EXPECT_THAT(refused.message(), HasSubstr(path));
  }
}

}  // namespace
}  // namespace levada::net
