#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>

#include "net/server.h"
#include "net/server_fixture.h"
#include "net/tls_context.h"
#include "net/tls_fixture.h"
#include "os/temporary_directory.h"

namespace levada::net {
namespace {

using testing::HasSubstr;

/// Speaks TLS over a TestClient's socket.
class TlsClient {
 public:
  TlsClient(uint16_t port, int version_max = TLS1_3_VERSION, std::string protocols = "")
      : client_(port), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), version_max);
    SSL_CTX_set_security_level(context_.get(), 0);
    session_.reset(SSL_new(context_.get()));
    if (!protocols.empty()) {
      SSL_set_alpn_protos(session_.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                          static_cast<unsigned>(protocols.size()));
    }
    SSL_set_fd(session_.get(), client_.fd());
    is_connected_ = SSL_connect(session_.get()) == 1;
    ERR_clear_error();
  }

  bool is_connected() const { return is_connected_; }
  SSL* session() { return session_.get(); }
  TestClient& socket() { return client_; }

  std::string protocol() const {
    const unsigned char* data = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_.get(), &data, &size);
    return {reinterpret_cast<const char*>(data), size};
  }
  std::string peer_name() const {
    const Owned<X509> certificate(SSL_get1_peer_certificate(session_.get()));
    char name[64] = "";
    // tidy: allow the name of a field of X.509
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                              sizeof name);
    return name;
  }

  /// All that comes until "close_notify" or the end.
  std::string Ask(std::string_view request) {
    SSL_write(session_.get(), request.data(), static_cast<int>(request.size()));
    std::string all;
    char bytes[32 * 1024];
    for (;;) {
      const int size = SSL_read(session_.get(), bytes, sizeof bytes);
      if (size <= 0) break;
      all.append(bytes, static_cast<size_t>(size));
    }
    return all;
  }
  bool was_ended_properly() const {
    return (SSL_get_shutdown(session_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }

 private:
  TestClient client_;
  Owned<SSL_CTX> context_;
  Owned<SSL> session_;
  bool is_connected_ = false;
};

class ServerTls : public ServerTest {
 protected:
  ServerTls() : files_{directory_ / "chain.pem", directory_ / "key.pem"} {
    On("/hello", Hello);
    On("/echo", Echo);
  }
  void StartTls(ListenOptions options = {}) {
    options.tls = files_;
    Start(std::move(options));
  }
  Status LoadStatus() { return TlsContext::Load(files_).status(); }

  const os::TemporaryDirectory directory_;
  const TlsFiles files_;
};

TEST_F(ServerTls, AnswersOverTls) {
  On("/secure", [](Request& request) -> Task<Response> {
    Response response;
    response.body = request.secure ? "secure" : "plain";
    co_return response;
  });
  TestIdentity("one").Write(files_);
  StartTls();
  TlsClient client(server_->port(), TLS1_3_VERSION, "\x02h2\x08http/1.1");
  ASSERT_TRUE(client.is_connected());
  EXPECT_STREQ(SSL_get_version(client.session()), "TLSv1.3");
  EXPECT_EQ(client.protocol(), "http/1.1");
  const std::string all = client.Ask(
      "GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /secure HTTP/1.1\r\nHost: a\r\n"
      "Connection: close\r\n\r\n");
  EXPECT_THAT(all, HasSubstr("\r\n\r\nhelloHTTP/1.1 200 OK"));
  EXPECT_THAT(all, testing::EndsWith("\r\n\r\nsecure"));
  EXPECT_TRUE(client.was_ended_properly());
}

TEST_F(ServerTls, CarriesLargeBodies) {
  TestIdentity("one").Write(files_);
  StartTls();
  TlsClient client(server_->port(), TLS1_2_VERSION);
  ASSERT_TRUE(client.is_connected());
  EXPECT_STREQ(SSL_get_version(client.session()), "TLSv1.2");
  const std::string body(1'000'000, 'x');
  const std::string all =
      client.Ask("PUT /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: " +
                 std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_TRUE(all.ends_with("\r\n\r\n" + body)) << all.size();
}

TEST_F(ServerTls, SpeaksNoOldVersionAndNoOtherProtocol) {
  TestIdentity("one").Write(files_);
  StartTls();
  EXPECT_FALSE(TlsClient(server_->port(), TLS1_1_VERSION).is_connected());
  EXPECT_FALSE(TlsClient(server_->port(), TLS1_3_VERSION, "\x02h2").is_connected());
  TestClient plain = Connect();
  plain.Send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(plain.ReadToEnd(), testing::Not(HasSubstr("HTTP/1.1")));
  EXPECT_TRUE(TlsClient(server_->port()).is_connected());
}

TEST_F(ServerTls, LimitsTheTimeOfAHandshake) {
  TestIdentity("one").Write(files_);
  ListenOptions options;
  options.limits.header_timeout = std::chrono::milliseconds(40);
  StartTls(std::move(options));
  TestClient silent = Connect();
  EXPECT_TRUE(silent.IsClosed());
}

TEST_F(ServerTls, AnswersASlowHeaderBy408) {
  TestIdentity("one").Write(files_);
  ListenOptions options;
  // The handshake is to be over by then.
  options.limits.header_timeout = std::chrono::milliseconds(2000);
  StartTls(std::move(options));
  TlsClient client(server_->port());
  ASSERT_TRUE(client.is_connected());
  EXPECT_THAT(client.Ask("GET /hel"), testing::StartsWith("HTTP/1.1 408 "));
}

TEST_F(ServerTls, EndsIdleConnectionsProperly) {
  TestIdentity("one").Write(files_);
  StartTls();
  TlsClient client(server_->port());
  ASSERT_TRUE(client.is_connected());
  auto stopping =
      std::async(std::launch::async, [this] { StopServer(std::chrono::milliseconds(600'000)); });
  EXPECT_EQ(client.Ask(""), "");
  EXPECT_TRUE(client.was_ended_properly());
  client.socket().EndSending();
  stopping.get();
}

TEST_F(ServerTls, SurvivesClientsThatLeave) {
  TestIdentity("one").Write(files_);
  On("/large", [](Request&) -> Task<Response> {
    Response response;
    response.body.assign(16 * 1024 * 1024, 'x');
    co_return response;
  });
  StartTls();
  {
    TestClient silent = Connect();
  }
  {
    TestClient half = Connect(), half2 = Connect();
    half.Send("\x16\x03\x01");
  }
  for (const std::string request : {"", "GET / HT", "GET /large HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    TlsClient client(server_->port());
    SSL_write(client.session(), request.data(), static_cast<int>(request.size()));
  }
  AwaitCounts(
      [](const ServerCounts& counts) { return counts.connections == 6 && counts.open == 0; });
}

TEST_F(ServerTls, ReloadsItsFiles) {
  TestIdentity("one").Write(files_);
  StartTls();
  TlsClient before(server_->port());
  EXPECT_EQ(before.peer_name(), "one");
  TestIdentity("two").Write(files_);
  EXPECT_EQ(TlsClient(server_->port()).peer_name(), "one");
  EXPECT_THAT(running_.Do([this] { return server_->ReloadTls(); }), IsOk());
  EXPECT_EQ(TlsClient(server_->port()).peer_name(), "two");
  EXPECT_THAT(before.Ask("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
              HasSubstr("hello"));
  WriteFile(files_.private_key, TestIdentity("three").KeyPem(), 0600);
  EXPECT_THAT(running_.Do([this] { return server_->ReloadTls(); }),
              FailsWith(FaultCode::kTlsFailed));
  EXPECT_EQ(TlsClient(server_->port()).peer_name(), "two");
}

TEST_F(ServerTls, SendsTheWholeChain) {
  const TestIdentity one("one"), two("two");
  one.Write(files_);
  WriteFile(files_.certificate_chain, one.certificate_pem() + two.certificate_pem(), 0644);
  StartTls();
  TlsClient client(server_->port());
  ASSERT_TRUE(client.is_connected());
  EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(client.session())), 2);
}

TEST_F(ServerTls, SaysWhichFileIsMissing) {
  EXPECT_THAT(LoadStatus(), FailsWith(FaultCode::kTlsFailed, HasSubstr("chain.pem")));
  WriteFile(files_.certificate_chain, TestIdentity("one").certificate_pem(), 0644);
  EXPECT_THAT(LoadStatus(), FailsWith(FaultCode::kTlsFailed, HasSubstr("key.pem")));
  ListenOptions options;
  options.tls = files_;
  EXPECT_THAT(
      running_.Do([&] { return Server::Listen(running_.loop(), handler_, options).status(); }),
      FailsWith(FaultCode::kTlsFailed));
}

TEST_F(ServerTls, SaysWhichFileIsNone) {
  const TestIdentity one("one");
  one.Write(files_);
  WriteFile(files_.certificate_chain, "nonsense", 0644);
  EXPECT_THAT(LoadStatus(), FailsWith(FaultCode::kTlsFailed, HasSubstr("chain.pem")));
  WriteFile(files_.certificate_chain, one.certificate_pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n",
            0644);
  EXPECT_THAT(LoadStatus(), FailsWith(FaultCode::kTlsFailed, HasSubstr("chain.pem")));
  one.Write(files_);
  WriteFile(files_.private_key, one.certificate_pem(), 0600);
  EXPECT_THAT(LoadStatus(), FailsWith(FaultCode::kTlsFailed, HasSubstr("key.pem")));
}

TEST_F(ServerTls, TakesNoKeyOfAnotherCertificate) {
  TestIdentity("one").Write(files_);
  WriteFile(files_.private_key, TestIdentity("two").KeyPem(), 0600);
  EXPECT_THAT(LoadStatus(), FailsWith(FaultCode::kTlsFailed, HasSubstr("not the key of")));
}

TEST_F(ServerTls, TakesNoKeyWithAPassword) {
  const TestIdentity one("one");
  one.Write(files_);
  WriteFile(files_.private_key, one.KeyPem("secret"), 0600);
  EXPECT_THAT(LoadStatus(), FailsWith(FaultCode::kTlsFailed, HasSubstr("password")));
}

TEST_F(ServerTls, TakesNoKeyThatOthersMayRead) {
  TestIdentity("one").Write(files_);
  for (const mode_t mode : {0604U, 0666U, 0602U, 0620U}) {
    ASSERT_EQ(chmod(files_.private_key.c_str(), mode), 0);
    const Status status = LoadStatus();
    EXPECT_THAT(status, FailsWith(FaultCode::kTlsFailed, HasSubstr("others may read")));
    EXPECT_THAT(FaultOf(status).help(), HasSubstr("chmod 600"));
  }
  ASSERT_EQ(chmod(files_.private_key.c_str(), 0400), 0);
  EXPECT_THAT(LoadStatus(), IsOk());
}

}  // namespace
}  // namespace levada::net
