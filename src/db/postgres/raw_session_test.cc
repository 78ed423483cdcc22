#include "db/postgres/raw_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <thread>

#include "base/testing.h"
#include "tests/postgres_fixture.h"

namespace levada::pq {
namespace {

using tests::PostgresServer;

std::vector<uint8_t> QueryMessage(const std::string& sql) {
  const auto length = static_cast<uint32_t>(sql.size() + 5);
  std::string message = "Q";
  for (const int shift : {24, 16, 8, 0}) message += static_cast<char>(length >> shift);
  message += sql;
  return {message.data(), message.data() + message.size() + 1};  // with its zero
}

std::unique_ptr<RawSession> Raw(const Context& ctx, const std::string& dsn) {
  auto connection = Connection::Open(ctx, {Secret(dsn), {}}).ValueOrDie();
  // A statement before, so that libpq has had something in its buffer.
  EXPECT_TRUE(connection->Execute(ctx, "test", "begin; set local jit = off").ok());
  return RawSession::Take(ctx, std::move(connection)).ValueOrDie();
}

/// Reads until `last` bytes have come that look like ReadyForQuery inside a transaction.
Result<std::string> ReadAnswer(RawSession& session, size_t buffer_bytes) {
  std::vector<uint8_t> buffer(buffer_bytes);
  std::string answer;
  const std::string ready("Z\0\0\0\5T", 6);
  while (!answer.ends_with(ready)) {
    ARROW_ASSIGN_OR_RAISE(const size_t got, session.Read(buffer));
    if (got == 0) return Status::IOError("closed");
    answer.append(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(got));
  }
  return answer;
}

std::string CopyOf(int rows) {
  return "copy (select g, repeat('x', 500) from generate_series(1, " + std::to_string(rows) +
         ") g) to stdout";
}

TEST(RawSessionTest, ReadsTheSameBytesWhateverTheBuffer) {
  auto& server = PostgresServer::Shared();
  std::string expected;
  for (const std::string& dsn : {server.Dsn(), server.TlsDsn()}) {
    for (const size_t buffer_bytes : {size_t{7}, size_t{4096}, size_t{1} << 20}) {
      const auto session = Raw(Context{}, dsn);
      const int rows = buffer_bytes < 4096 ? 20 : 20000;
      ASSERT_THAT(session->Write(QueryMessage(CopyOf(rows))), IsOk());
      const std::string answer = ValueOf(ReadAnswer(*session, buffer_bytes));
      EXPECT_EQ(std::count(answer.begin(), answer.end(), '\n'), rows);
      if (rows == 20000) {
        if (expected.empty()) expected = answer;
        EXPECT_EQ(answer, expected);
      }
    }
  }
}

TEST(RawSessionTest, SaysWhetherItGoesThroughTls) {
  auto& server = PostgresServer::Shared();
  EXPECT_FALSE(Raw(Context{}, server.Dsn())->uses_tls());
  EXPECT_TRUE(Raw(Context{}, server.TlsDsn())->uses_tls());
}

TEST(RawSessionTest, SendsAStatementLargerThanTheSocketTakes) {
  auto& server = PostgresServer::Shared();
  for (const std::string& dsn : {server.Dsn(), server.TlsDsn()}) {
    const auto session = Raw(Context{}, dsn);
    const std::string large(16 << 20, 'x');
    ASSERT_THAT(session->Write(QueryMessage("copy (select length('" + large + "')) to stdout")),
                IsOk());
    const std::string answer = ValueOf(ReadAnswer(*session, 4096));
    EXPECT_NE(answer.find(std::to_string(large.size())), std::string::npos);
  }
}

TEST(RawSessionTest, StopsWhileItWaits) {
  auto& server = PostgresServer::Shared();
  for (const std::string& dsn : {server.Dsn(), server.TlsDsn()}) {
    std::stop_source stop;
    Context ctx;
    ctx.stop = stop.get_token();
    const auto session = Raw(ctx, dsn);
    ASSERT_THAT(session->Write(QueryMessage("copy (select pg_sleep(600)) to stdout")), IsOk());
    auto read = std::async(std::launch::async, [&] { return ReadAnswer(*session, 4096).status(); });
    stop.request_stop();
    EXPECT_EQ(CodeOf(read.get()), FaultCode::kStopped);
    session->Cancel();
    while (server.Value("select count(*) from pg_stat_activity where query like "
                        "'copy (select pg_sleep%' and state = 'active'") != "0") {
      std::this_thread::yield();
    }
  }
}

TEST(RawSessionTest, EndsAtTheDeadline) {
  const Context ctx = Context{}.Within(std::chrono::milliseconds(200));
  const auto session = Raw(ctx, PostgresServer::Shared().Dsn());
  ASSERT_THAT(session->Write(QueryMessage("copy (select pg_sleep(600)) to stdout")), IsOk());
  EXPECT_EQ(CodeOf(ReadAnswer(*session, 4096).status()), FaultCode::kSourceTimeout);
  session->Cancel();
}

TEST(RawSessionTest, SeesTheEndOfTheConnection) {
  auto& server = PostgresServer::Shared();
  for (const std::string& dsn : {server.Dsn(), server.TlsDsn()}) {
    const auto session = Raw(Context{}, dsn);
    ASSERT_THAT(session->Write(QueryMessage("copy (select pg_sleep(600), 'gone') to stdout")),
                IsOk());
    const std::string find =
        "select pg_terminate_backend(pid) from pg_stat_activity where query like "
        "'copy (select pg_sleep(600), ''gone''%'";
    while (server.Query(find).empty()) std::this_thread::yield();
    const Status status = ReadAnswer(*session, 4096).status();
    // The server says why, then closes.
    EXPECT_TRUE(status.IsIOError() && status.message() == "closed") << status.ToString();
  }
}

TEST(RawSessionTest, RefusesAConnectionThatWasGivenUp) {
  auto connection =
      Connection::Open(Context{}, {Secret(PostgresServer::Shared().Dsn()), {}}).ValueOrDie();
  EXPECT_FALSE(connection->Query(Context{}, "test", "copy (select 1) to stdout").ok());
  EXPECT_EQ(CodeOf(RawSession::Take(Context{}, std::move(connection)).status()),
            FaultCode::kSourceConnectionLost);
}

}  // namespace
}  // namespace levada::pq
