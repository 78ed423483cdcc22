// Against a server that is a script, for what Debian's does not do: newer revisions, packets in
// other orders, packets that are none.

#include "connectors/clickhouse/session.h"

#include <arpa/inet.h>
#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "base/testing.h"
#include "formats/chnative/block_writer.h"

namespace levada::clickhouse {
namespace {

using chnative::AppendLittle;
using chnative::AppendText;
using chnative::AppendVarUInt;
using testing::HasSubstr;
using testing::Not;

/// Takes one connection, says `answers` one after the other, each when bytes have come, and waits
/// for the other side to hang up.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~ScriptedServer() {
    End();
    close(listener_);
  }

  SessionOptions Options() const {
    SessionOptions options;
    options.dsn.host = "127.0.0.1";
    options.dsn.port = std::to_string(port_);
    options.version = "1.2.3";
    options.timeouts = {std::chrono::seconds(20), std::chrono::seconds(20)};
    return options;
  }
  /// All that has come, when the other side has hung up.
  const std::string& Received() {
    End();
    return received_;
  }

 private:
  void End() {
    shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }

  void Serve() {
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    char buffer[4096];
    size_t next = 0;
    while (true) {
      const ssize_t got = recv(client, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      received_.append(buffer, static_cast<size_t>(got));
      if (next == answers_.size()) continue;
      const std::string& answer = answers_[next++];
      for (size_t sent = 0; sent < answer.size(); ++sent) {  // byte by byte
        if (send(client, answer.data() + sent, 1, MSG_NOSIGNAL) != 1) break;
      }
      if (next == answers_.size() && hangs_up_) break;
    }
    close(client);
  }

  const std::vector<std::string> answers_;
  const bool hangs_up_ = !answers_.empty() && answers_.back().empty();
  int listener_ = -1;
  int port_ = 0;
  std::string received_;
  std::thread thread_;
};

std::string Hello(uint64_t revision) {
  std::string out;
  AppendVarUInt(out, 0);
  AppendText(out, "ClickHouse");
  AppendVarUInt(out, 25);
  AppendVarUInt(out, 3);
  AppendVarUInt(out, revision);
  AppendText(out, "UTC");
  AppendText(out, "a server");
  AppendVarUInt(out, 7);
  return out;
}

std::string Packet(ServerPacket kind, const std::string& rest = {}) {
  std::string out;
  AppendVarUInt(out, static_cast<uint64_t>(kind));
  return out + rest;
}

std::string Numbers(ServerPacket kind, const std::string& json, uint64_t revision) {
  std::string out = Packet(kind);
  AppendText(out, "");
  const auto values = ValueOf(arrow::json::ArrayFromJSONString(arrow::int32(), json));
  return out + ValueOf(chnative::WriteBlock({{"x", "Int32", values}}, revision));
}

std::string Varints(std::initializer_list<uint64_t> numbers) {
  std::string out;
  for (const uint64_t number : numbers) AppendVarUInt(out, number);
  return out;
}

std::string Profile(uint64_t rows) {
  return Packet(ServerPacket::kProfileInfo, Varints({rows, 1, 8, 0, 0, 0}));
}

class SessionTest : public testing::Test {
 protected:
  TestContext fixture_;
  Context ctx_ = fixture_.context();
};

TEST_F(SessionTest, TakesEveryPacketOfANewerServer) {
  const uint64_t revision = kOurRevision;
  std::string names;
  AppendText(names, "");
  AppendText(names, "columns");
  std::string zone;
  AppendText(zone, "Europe/Berlin");
  const std::string answer = Packet(ServerPacket::kTableColumns, names) +
                             Packet(ServerPacket::kTimezone, zone) +
                             Numbers(ServerPacket::kData, "[]", revision) +
                             Packet(ServerPacket::kProgress, Varints({2, 8, 3, 0, 0, 99})) +
                             Numbers(ServerPacket::kLog, "[7]", revision) +
                             Numbers(ServerPacket::kData, "[1, 2]", revision) +
                             Numbers(ServerPacket::kProfileEvents, "[8, 9]", revision) +
                             Numbers(ServerPacket::kData, "[3]", revision) +
                             Numbers(ServerPacket::kTotals, "[6]", revision) +
                             Numbers(ServerPacket::kExtremes, "[1, 3]", revision) + Profile(3) +
                             Packet(ServerPacket::kEndOfStream);
  for (const uint64_t theirs : {kOurRevision, uint64_t{54490}}) {
    ScriptedServer server({Hello(theirs), answer});
    auto session = ValueOf(Session::Open(ctx_, server.Options()));
    EXPECT_EQ(session->server().Version(), "25.3.7");
    ASSERT_THAT(session->Begin(ctx_, "cannot read", "SELECT x"), IsOk());
    std::string rows;
    while (auto block = ValueOf(session->Next())) {
      for (const auto& array : block->arrays) rows += array->ToString();
    }
    EXPECT_THAT(rows, HasSubstr("3"));
    EXPECT_EQ(session->rows_sent(), 3);
    EXPECT_FALSE(session->compressed());
  }
}

TEST_F(SessionTest, TakesAServersWordForWhatIsWrong) {
  std::string exception;
  AppendLittle(exception, int32_t{516});
  AppendText(exception, "DB::Exception");
  AppendText(exception, "DB::Exception: levada: Authentication failed");
  AppendText(exception, "");
  exception.push_back(0);
  ScriptedServer server({Packet(ServerPacket::kException, exception)});
  EXPECT_THAT(Session::Open(ctx_, server.Options()),
              FailsWith(FaultCode::kAuthFailed, HasSubstr("levada: Authentication failed")));
}

TEST_F(SessionTest, RefusesWhatIsNoClickHouse) {
  ScriptedServer http({"HTTP/1.0 400 Bad Request\r\n\r\n"});
  const auto refused = Session::Open(ctx_, http.Options());
  EXPECT_THAT(refused, FailsWith(FaultCode::kSourceProtocol, HasSubstr("native protocol")));
  EXPECT_THAT(FaultOf(refused.status()).help(), HasSubstr("9000"));
  ScriptedServer old({Hello(54404)});
  EXPECT_THAT(Session::Open(ctx_, old.Options()), FailsWith(FaultCode::kSourceUnsupported));
}

TEST_F(SessionTest, RefusesPacketsOfUnknownKinds) {
  ScriptedServer server({Hello(kOurRevision), Varints({99})});
  auto session = ValueOf(Session::Open(ctx_, server.Options()));
  ASSERT_THAT(session->Begin(ctx_, "cannot read", "SELECT x"), IsOk());
  EXPECT_THAT(session->Next(), FailsWith(FaultCode::kSourceProtocol, HasSubstr("99")));
}

TEST_F(SessionTest, EndsAWaitAtAStop) {
  std::stop_source stop;
  ctx_.stop = stop.get_token();
  ScriptedServer server({Hello(kOurRevision)});
  auto session = ValueOf(Session::Open(ctx_, server.Options()));
  ASSERT_THAT(session->Begin(ctx_, "cannot read", "SELECT x"), IsOk());
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_THAT(session->Next(), FailsWith(FaultCode::kStopped));
}

TEST_F(SessionTest, DoesNotWaitForeverForWhoSaysNothing) {
  ScriptedServer server({Hello(kOurRevision)});
  SessionOptions options = server.Options();
  options.timeouts.silence = std::chrono::milliseconds(10);
  const auto clock = MakeSystemClock();
  ctx_.clock = clock.get();
  auto session = ValueOf(Session::Open(ctx_, options));
  ASSERT_THAT(session->Begin(ctx_, "cannot read", "SELECT x"), IsOk());
  EXPECT_THAT(session->Next(), FailsWith(FaultCode::kSourceTimeout));
}

TEST_F(SessionTest, KnowsLostConnections) {
  ScriptedServer server({Hello(kOurRevision), ""});
  auto session = ValueOf(Session::Open(ctx_, server.Options()));
  ASSERT_THAT(session->Begin(ctx_, "cannot read", "SELECT x"), IsOk());
  EXPECT_THAT(session->Next(), FailsWith(FaultCode::kSourceConnectionLost));
}

/// What goes to the server with a query of these options.
std::string QueryOf(const Context& ctx, const std::function<void(SessionOptions&)>& change) {
  ScriptedServer server({Hello(kOurRevision), Packet(ServerPacket::kEndOfStream)});
  SessionOptions options = server.Options();
  change(options);
  auto session = ValueOf(Session::Open(ctx, options));
  EXPECT_THAT(session->Begin(ctx, "cannot read", "SELECT x"), IsOk());
  EXPECT_FALSE(ValueOf(session->Next()));
  session.reset();
  return server.Received();
}

std::string SettingBytes(const std::string& name, const std::string& value) {
  std::string out;
  AppendText(out, name);
  AppendVarUInt(out, 0);
  AppendText(out, value);
  return out;
}

TEST_F(SessionTest, AsksThatALimitIsAnError) {
  const std::string asked = QueryOf(ctx_, [](SessionOptions&) {});
  for (const char* mode : {"result_overflow_mode", "timeout_overflow_mode", "read_overflow_mode"}) {
    EXPECT_THAT(asked, HasSubstr(SettingBytes(mode, "throw")));
  }
  const std::string otherwise = QueryOf(
      ctx_, [](SessionOptions& options) { options.settings = {{"read_overflow_mode", "break"}}; });
  EXPECT_THAT(otherwise, HasSubstr(SettingBytes("read_overflow_mode", "break")));
  EXPECT_THAT(otherwise, Not(HasSubstr(SettingBytes("read_overflow_mode", "throw"))));
  EXPECT_THAT(otherwise, HasSubstr(SettingBytes("result_overflow_mode", "throw")));
  const std::string nothing =
      QueryOf(ctx_, [](SessionOptions& options) { options.may_set = false; });
  EXPECT_THAT(nothing, Not(HasSubstr("overflow_mode")));
}

std::string Texts(const std::string& names, const std::string& values) {
  const auto column = [](const std::string& json) {
    return ValueOf(arrow::json::ArrayFromJSONString(arrow::utf8(), json));
  };
  std::string out = Packet(ServerPacket::kData);
  AppendText(out, "");
  return out + ValueOf(chnative::WriteBlock(
                   {{"name", "String", column(names)}, {"value", "String", column(values)}},
                   kOurRevision));
}

TEST_F(SessionTest, RefusesAUserWhoseLimitsCutResults) {
  const std::string names =
      R"(["timeout_overflow_mode", "read_overflow_mode", "result_overflow_mode"])";
  const auto check = [&](const std::string& answer) {
    ScriptedServer server({Hello(kOurRevision), answer + Packet(ServerPacket::kEndOfStream)});
    auto session = ValueOf(Session::Open(ctx_, server.Options()));
    return CheckSettings(ctx_, *session, {{"max_threads", "1"}}, {});
  };
  EXPECT_FALSE(ValueOf(check(Texts(names, R"(["throw", "throw", "throw"])")))) << "no threads";
  const std::string all =
      R"(["max_threads", "timeout_overflow_mode", "read_overflow_mode", "result_overflow_mode"])";
  EXPECT_TRUE(ValueOf(check(Texts(all, R"(["1", "throw", "throw", "throw"])"))));
  EXPECT_FALSE(ValueOf(check(Texts(all, R"(["2", "throw", "throw", "throw"])"))));
  EXPECT_THAT(check(Texts(names, R"(["throw", "throw", "break"])")),
              FailsWith(FaultCode::kSourceUnsupported, HasSubstr("result_overflow_mode")));
  EXPECT_THAT(check(Texts(R"(["result_overflow_mode"])", R"(["throw"])")),
              FailsWith(FaultCode::kSourceUnsupported, HasSubstr("timeout_overflow_mode")))
      << "an answer that was cut itself";
}

}  // namespace
}  // namespace levada::clickhouse
