#include "services/analytics/clickhouse_server.h"

#include <set>

#include "base/testing.h"
#include "net/server_fixture.h"

namespace levada::services::analytics {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(ClickhouseVersion, IsReadFromItsFirstTwoNumbers) {
  EXPECT_EQ(ParseClickhouseVersion("26.5.1.882\n"), (ClickhouseVersion{26, 5}));
  EXPECT_EQ(ParseClickhouseVersion("23.8"), (ClickhouseVersion{23, 8}));
  EXPECT_LT((ClickhouseVersion{18, 16}), kOldestServer);
  EXPECT_LT((ClickhouseVersion{23, 7}), kOldestServer);
  for (const char* text : {"", ".", "26", "26.", "x.1", "26.x", "26.5x", "99999999999.1"}) {
    EXPECT_EQ(ParseClickhouseVersion(text), std::nullopt) << text;
  }
}

/// A server that says what it is told to.
class Clickhouse : public net::ServerTest {
 protected:
  void SetUp() override {
    On("/", [this](net::Request& request) -> net::Task<net::Response> {
      auto body = co_await net::ReadAll(*request.body, 1 << 20);
      net::Response response;
      const std::string sql = *body;
      if (sql.starts_with("SELECT version()")) {
        response.body = "26.5.1\n";
      } else if (sql.starts_with("SELECT DISTINCT")) {
        response.body = owner_;
      } else if (sql.starts_with("SELECT ")) {
        response.status = status_;
        if (!code_.empty()) response.headers.Add("X-ClickHouse-Exception-Code", code_);
        response.body = answer_;
      }
      co_return response;
    });
    Start();
    ClickhouseOptions options;
    options.address = ValueOf(ParseClickhouseAddress(
        "clickhouse://u@127.0.0.1:" + std::to_string(server_->port()) + "/d"));
    options.owner = "me";
    options.answer_bytes_max = 1000;
    options.pause = 0ms;
    engine_ = std::make_unique<ClickhouseServer>(std::move(options), test_.clock, *test_.log);
  }
  Result<std::string> Ask() { return engine_->Run({StatementKind::kQuery, "SELECT 1"}); }

  TestContext test_;
  std::string owner_ = "me\n";
  int status_ = 200;
  std::string code_;
  std::string answer_ = "1\n";
  std::unique_ptr<ClickhouseServer> engine_;
};

TEST_F(Clickhouse, AnswersAndIsCounted) {
  EXPECT_EQ(ValueOf(Ask()), "1\n");
  EXPECT_EQ(engine_->database(), "d");
  EXPECT_TRUE(engine_->counts().is_running);
  EXPECT_EQ(engine_->counts().starts, 1U);
  EXPECT_EQ(engine_->counts().statements, 1U);
}

TEST_F(Clickhouse, SaysItsNumberOfAnError) {
  status_ = 500;
  answer_ = "Code: 60. DB::Exception: Table d.t does not exist. (UNKNOWN_TABLE) (version 26.5)";
  const Fault of_body = FaultOf(Ask().status());
  EXPECT_EQ(of_body.code(), FaultCode::kQueryFailed);
  EXPECT_EQ(of_body.Detail("code"), "60");
  code_ = "241";
  EXPECT_EQ(FaultOf(Ask().status()).Detail("code"), "241");
  EXPECT_EQ(engine_->counts().failures, 2U);
  EXPECT_TRUE(engine_->counts().is_running);
}

TEST_F(Clickhouse, IsToldFromWhatStandsBetween) {
  status_ = 502;
  answer_ = "<html>Bad Gateway</html>";
  EXPECT_THAT(Ask(), FailsWith(FaultCode::kSourceConnectionLost, HasSubstr("502")));
  EXPECT_FALSE(engine_->counts().is_running);
  status_ = 200;
  answer_ = "1\n";
  EXPECT_EQ(ValueOf(Ask()), "1\n");
  EXPECT_EQ(engine_->counts().starts, 2U);
}

TEST_F(Clickhouse, AnAnswerHasALimit) {
  answer_ = std::string(1001, 'x');
  EXPECT_EQ(FaultOf(Ask().status()).Detail("code"), "396");
}

TEST_F(Clickhouse, OfAnotherOwnerIsOfNoUse) {
  owner_ = "you\n";
  EXPECT_THAT(Ask(), FailsWith(FaultCode::kSourceUnsupported, HasSubstr("another data directory")));
}

TEST_F(Clickhouse, IsNotAskedOnceStopped) {
  engine_->Stop();
  EXPECT_THAT(Ask(), FailsWith(FaultCode::kSourceConnectionLost));
}

}  // namespace
}  // namespace levada::services::analytics
