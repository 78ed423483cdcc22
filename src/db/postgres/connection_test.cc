#include "db/postgres/connection.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "base/diagnostic.h"
#include "base/testing.h"
#include "tests/postgres_fixture.h"

namespace levada::pq {
namespace {

using testing::HasSubstr;
using testing::Not;
using tests::PostgresServer;

Result<std::unique_ptr<Connection>> Open(const std::string& dsn) {
  return Connection::Open(Context{}, {Secret(dsn), {}});
}

std::unique_ptr<Connection> Connected() {
  return Open(PostgresServer::Shared().Dsn()).ValueOrDie();
}

/// A port that accepts connections and never says a word.
class SilentServer {
 public:
  SilentServer() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, 4), 0);
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { close(socket_); }
  int port() const { return port_; }
  std::string Dsn() const {
    return "host=127.0.0.1 user=levada sslmode=disable port=" + std::to_string(port_);
  }

 private:
  int socket_;
  int port_ = 0;
};

TEST(ConnectionTest, AnswersWithTextAndNulls) {
  const auto connection = Connected();
  const Rows rows = ValueOf(connection->Query(
      Context{}, "test", "select $1::int + 1, null, '', $2::text", {"41", std::nullopt}));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0], (Row{"42", std::nullopt, "", std::nullopt}));
}

TEST(ConnectionTest, NamesItselfAndSpeaksUtf8) {
  const auto connection = Connected();
  const Rows rows = ValueOf(connection->Query(Context{}, "test",
                                              "select current_setting('application_name'), "
                                              "current_setting('client_encoding')"));
  EXPECT_EQ(rows[0], (Row{"levada", "UTF8"}));
  EXPECT_EQ(connection->Parameter("server_encoding"), "UTF8");
  EXPECT_GE(connection->server_version(), 120000);
  EXPECT_EQ(connection->endpoint().database, "postgres");
  EXPECT_FALSE(connection->uses_tls());
}

TEST(ConnectionTest, SaysWhereItWasAndWhatTheServerSaid) {
  const auto connection = Connected();
  const Status status = connection->Query(Context{}, "cannot count", "select 1 / 0").status();
  ASSERT_FALSE(status.ok());
  const Fault fault = levada::FaultOf(status);
  EXPECT_EQ(fault.code(), FaultCode::kQueryFailed);
  EXPECT_EQ(fault.Detail("sqlstate"), "22012");
  EXPECT_THAT(fault.message(), HasSubstr("cannot count: division by zero"));
  // The session goes on after an error.
  EXPECT_TRUE(connection->Query(Context{}, "test", "select 1").ok());
}

TEST(ConnectionTest, RunsSeveralStatementsAndStopsAtTheFirstThatFails) {
  const auto connection = Connected();
  EXPECT_TRUE(connection->Execute(Context{}, "test", "begin; set local jit = off").ok());
  const Status status = connection->Execute(Context{}, "test", "select 1; select x; select 2");
  EXPECT_EQ(CodeOf(status), FaultCode::kColumnNotFound);
}

TEST(ConnectionTest, RefusesACopyWhereRowsAreExpected) {
  const auto connection = Connected();
  const Status status = connection->Query(Context{}, "test", "copy (select 1) to stdout").status();
  EXPECT_EQ(CodeOf(status), FaultCode::kQueryFailed);
  EXPECT_EQ(CodeOf(connection->Query(Context{}, "test", "select 1").status()),
            FaultCode::kSourceConnectionLost);
}

TEST(ConnectionTest, DescribesAStatementWithoutRunningIt) {
  const auto connection = Connected();
  const auto columns =
      ValueOf(connection->Describe(Context{}, "test",
                                   "select oid, 1/0 as never, 1.5::numeric(7,2) as n "
                                   "from pg_catalog.pg_class"));
  ASSERT_EQ(columns.size(), 3u);
  EXPECT_EQ(columns[0].name, "oid");
  EXPECT_EQ(columns[0].type_oid, 26u);
  EXPECT_EQ(columns[0].table_oid, 1259u);
  EXPECT_EQ(columns[0].table_column, 1);
  EXPECT_EQ(columns[1].table_oid, 0u);
  EXPECT_EQ(columns[2].type_modifier, (7 << 16 | 2) + 4);
  EXPECT_EQ(CodeOf(connection->Describe(Context{}, "test", "select 1; select 2").status()),
            FaultCode::kQueryFailed);
}

TEST(ConnectionTest, GoesThroughTlsAndChecksTheCertificate) {
  auto& server = PostgresServer::Shared();
  const auto connection = ValueOf(Open(server.TlsDsn()));
  EXPECT_TRUE(connection->uses_tls());
  const auto wrong_root =
      Open(server.Dsn() + " sslmode=verify-full sslrootcert=/nonexistent/root.crt");
  EXPECT_EQ(CodeOf(wrong_root.status()), FaultCode::kTlsFailed);
  const auto wrong_name = Open(server.TlsDsn() + " host=localhost");
  EXPECT_EQ(CodeOf(wrong_name.status()), FaultCode::kTlsFailed);
}

TEST(ConnectionTest, TellsAWrongPasswordFromAMissingOne) {
  auto& server = PostgresServer::Shared();
  server.Execute(
      "do $$ begin if not exists (select from pg_roles where rolname = 'scram_user') then "
      "create role scram_user login password 'canary-right'; end if; end $$");
  const std::string dsn = server.Dsn("postgres", "scram_user");
  EXPECT_TRUE(Open(dsn + " password=canary-right").ok());

  const Fault wrong = levada::FaultOf(Open(dsn + " password=canary-wrong").status());
  EXPECT_EQ(wrong.code(), FaultCode::kAuthFailed);
  EXPECT_EQ(wrong.Detail("sqlstate"), "28P01");
  EXPECT_EQ(wrong.Detail("user"), "scram_user");
  EXPECT_THAT(RenderJson(wrong), Not(HasSubstr("canary")));

  const Fault missing = levada::FaultOf(Open(dsn + " passfile=/nonexistent").status());
  EXPECT_EQ(missing.code(), FaultCode::kAuthFailed);
  EXPECT_THAT(missing.message(), HasSubstr("no password supplied"));
  EXPECT_THAT(missing.help(), HasSubstr("into /nonexistent, "));
  EXPECT_THAT(missing.help(), HasSubstr("0600"));
}

TEST(ConnectionTest, TellsWhyTheServerTurnsItAway) {
  auto& server = PostgresServer::Shared();
  EXPECT_EQ(CodeOf(Open(server.Dsn("postgres", "rejected_user")).status()), FaultCode::kAuthFailed);
  EXPECT_EQ(CodeOf(Open(server.Dsn("postgres", "nobody_at_all")).status()), FaultCode::kAuthFailed);
  const Fault fault = levada::FaultOf(Open(server.Dsn("no_such_database")).status());
  EXPECT_EQ(fault.code(), FaultCode::kDatabaseNotFound);
  EXPECT_THAT(fault.message(), HasSubstr("no_such_database"));
  EXPECT_THAT(fault.message(), Not(HasSubstr("LOCATION")));
}

TEST(ConnectionTest, TellsAServerThatIsNotThere) {
  const Fault refused = levada::FaultOf(Open("host=127.0.0.1 port=1 user=x").status());
  EXPECT_EQ(refused.code(), FaultCode::kSourceUnreachable);
  EXPECT_EQ(refused.Detail("port"), "1");
  EXPECT_EQ(CodeOf(Open("host=/nonexistent user=x").status()), FaultCode::kSourceUnreachable);
  EXPECT_EQ(CodeOf(Open("host=no-such-host.invalid user=x").status()),
            FaultCode::kSourceUnreachable);
}

TEST(ConnectionTest, RefusesADsnWithoutRepeatingIt) {
  for (const char* dsn :
       {"host=127.0.0.1 password=canary oops", "postgres://u:canary@127.0.0.1:port/db",
        "host=127.0.0.1 canary=1", "postgres://u:canary@[::1/db", "sslmode=canary host=127.0.0.1",
        "service=canary_service"}) {
    const Status status = Open(dsn).status();
    EXPECT_EQ(CodeOf(status), FaultCode::kBadValue) << dsn;
    EXPECT_THAT(status.ToString(), Not(HasSubstr("canary"))) << dsn;
  }
}

TEST(ConnectionTest, SaysWhereServicesStand) {
  EXPECT_THAT(levada::FaultOf(Open("service=none").status()).help(), HasSubstr("PGSERVICEFILE"));
}

TEST(ConnectionTest, SaysThatAnotherSystemsUrlIsNone) {
  for (const char* dsn : {"mysql://h/db", "localhost"}) {
    const Fault fault = levada::FaultOf(Open(dsn).status());
    EXPECT_EQ(fault.code(), FaultCode::kBadValue) << dsn;
    EXPECT_THAT(fault.message(), HasSubstr("neither a postgres:// URL")) << dsn;
  }
}

TEST(ConnectionTest, SaysHowAValueWithABlankIsWritten) {
  const Fault fault = levada::FaultOf(Open("host=127.0.0.1 password=my secret dbname=x").status());
  EXPECT_EQ(fault.code(), FaultCode::kBadValue);
  EXPECT_THAT(fault.message(), Not(HasSubstr("secret")));
  EXPECT_THAT(fault.help(), HasSubstr("single quotes"));
}

TEST(ConnectionTest, NamesTheParameterThatWasMeant) {
  for (const char* dsn :
       {"postgres://u@127.0.0.1/db?sslmod=require", "host=127.0.0.1 SSLmode=require"}) {
    const Fault fault = levada::FaultOf(Open(dsn).status());
    EXPECT_EQ(fault.code(), FaultCode::kBadValue) << dsn;
    EXPECT_THAT(fault.help(), HasSubstr("\"sslmode\"")) << dsn;
  }
  // A "/" and a "?" in a password that was not encoded: what follows is no parameter.
  const Fault part = levada::FaultOf(Open("postgres://u:pa/ss?canary=1@host/db").status());
  EXPECT_EQ(part.code(), FaultCode::kBadValue);
  EXPECT_THAT(part.message(), Not(HasSubstr("canary")));
  EXPECT_THAT(part.help(), HasSubstr("postgres://user@host"));
  EXPECT_THAT(part.help(), HasSubstr("%3F"));
}

TEST(ConnectionTest, TellsAPasswordThatWasNotEncodedFromAHost) {
  const Fault fault = levada::FaultOf(Open("postgres://u:pa@canary@127.0.0.1/db").status());
  EXPECT_EQ(fault.code(), FaultCode::kBadValue);
  EXPECT_THAT(fault.help(), HasSubstr("%40"));
  EXPECT_THAT(RenderJson(fault), Not(HasSubstr("canary")));
  // In the directory of a Unix socket it is one byte like others.
  EXPECT_EQ(CodeOf(Open("host=/nonexistent@here user=x").status()), FaultCode::kSourceUnreachable);
}

TEST(ConnectionTest, GivesUpOnASilentServerAfterItsTimeout) {
  const SilentServer silent;
  const auto opened =
      Connection::Open(Context{}, {Secret(silent.Dsn()), std::chrono::milliseconds(50)});
  EXPECT_EQ(CodeOf(opened.status()), FaultCode::kSourceUnreachable);
  EXPECT_THAT(opened.status().message(), HasSubstr("50ms"));
  EXPECT_EQ(CodeOf(Open(silent.Dsn() + " connect_timeout=1").status()),
            FaultCode::kSourceUnreachable);
}

TEST(ConnectionTest, GoesOnToTheNextHostAfterASilentOne) {
  auto& server = PostgresServer::Shared();
  const SilentServer silent;
  const std::string hosts = " host=127.0.0.1,127.0.0.1 port=" + std::to_string(silent.port()) +
                            "," + std::to_string(server.port()) + " connect_timeout=1";
  EXPECT_THAT(Open(server.Dsn() + hosts), IsOk());
  const auto opened =
      Connection::Open(Context{}, {Secret(server.Dsn() + hosts), std::chrono::milliseconds(2000)});
  EXPECT_THAT(opened, IsOk());
  EXPECT_EQ((*opened)->endpoint().port, std::to_string(server.port()));
  // The last one's failure is told; a password is not tried on the next.
  const auto failed =
      Open(server.Dsn() + " host=127.0.0.1,127.0.0.1 port=" + std::to_string(server.port()) +
           ",1 user=rejected_user");
  EXPECT_THAT(failed, FailsWith(FaultCode::kAuthFailed));
  const Fault none =
      levada::FaultOf(Open("host=127.0.0.1,localhost port=1,2 user=x sslmode=disable").status());
  EXPECT_EQ(none.code(), FaultCode::kSourceUnreachable);
  EXPECT_THAT(std::string(none.Detail("hosts")),
              HasSubstr("127.0.0.1:1: Connection refused; localhost:2: "));
}

TEST(ConnectionTest, StopsWhileConnecting) {
  const SilentServer silent;
  std::stop_source stop;
  Context ctx;
  ctx.stop = stop.get_token();
  auto opened = std::async(std::launch::async, [&] {
    return Connection::Open(ctx, {Secret(silent.Dsn()), std::chrono::hours(1)}).status();
  });
  stop.request_stop();
  EXPECT_EQ(CodeOf(opened.get()), FaultCode::kStopped);
}

TEST(ConnectionTest, StopsAStatementOnTheServerToo) {
  auto& server = PostgresServer::Shared();
  const auto connection = Connected();
  const Rows pid = ValueOf(connection->Query(Context{}, "test", "select pg_backend_pid()"));
  std::stop_source stop;
  Context ctx;
  ctx.stop = stop.get_token();
  auto answer = std::async(std::launch::async, [&] {
    return connection->Query(ctx, "test", "select pg_sleep(600)").status();
  });
  const std::string is_active =
      "select count(*) from pg_stat_activity where state = 'active' "
      "and pid = " +
      *pid[0][0];
  while (server.Value(is_active) == "0") std::this_thread::yield();
  stop.request_stop();
  EXPECT_EQ(CodeOf(answer.get()), FaultCode::kStopped);
  while (server.Value(is_active) != "0") std::this_thread::yield();
  EXPECT_EQ(CodeOf(connection->Query(Context{}, "test", "select 1").status()),
            FaultCode::kSourceConnectionLost);
}

TEST(ConnectionTest, EndsAStatementAtTheDeadline) {
  const auto connection = Connected();
  const Context ctx = Context{}.Within(std::chrono::milliseconds(30));
  EXPECT_EQ(CodeOf(connection->Query(ctx, "test", "select pg_sleep(600)").status()),
            FaultCode::kSourceTimeout);
}

TEST(ConnectionTest, TellsAStatementTimeout) {
  const auto connection = Connected();
  ASSERT_TRUE(connection->Execute(Context{}, "test", "set statement_timeout = '20ms'").ok());
  const Fault fault =
      levada::FaultOf(connection->Query(Context{}, "test", "select pg_sleep(600)").status());
  EXPECT_EQ(fault.code(), FaultCode::kSourceTimeout);
  EXPECT_EQ(fault.Detail("sqlstate"), "57014");
}

TEST(ConnectionTest, TellsThatTheServerEndedTheSession) {
  auto& server = PostgresServer::Shared();
  const auto connection = Connected();
  const Rows pid = ValueOf(connection->Query(Context{}, "test", "select pg_backend_pid()"));
  server.Execute("select pg_terminate_backend(" + *pid[0][0] + ")");
  const Status status = connection->Query(Context{}, "test", "select pg_sleep(600)").status();
  EXPECT_EQ(CodeOf(status), FaultCode::kSourceConnectionLost);
  EXPECT_TRUE(IsRetryable(status));
}

TEST(ConnectionTest, TellsThatTheServerIsFull) {
  const auto server = PostgresServer::Start(
      {"max_connections = 2", "superuser_reserved_connections = 0", "max_wal_senders = 0"});
  const auto first = Open(server->Dsn());
  const auto second = Open(server->Dsn());
  const Status status = Open(server->Dsn()).status();
  EXPECT_EQ(CodeOf(status), FaultCode::kSourceBusy);
  EXPECT_TRUE(IsRetryable(status));
}

TEST(ConnectionTest, SendsAStatementLargerThanTheSocketTakes) {
  const auto connection = Connected();
  const std::string large(8 << 20, 'x');
  const Rows rows = ValueOf(connection->Query(Context{}, "test", "select length('" + large + "')"));
  EXPECT_EQ(rows[0][0], std::to_string(large.size()));
}

TEST(QuoteTest, QuotesWhatTheServerReadsBackUnchanged) {
  const auto connection = Connected();
  for (const std::string text : {"plain", "it's", "back\\slash", "\"double\"", "", "ä\n%", "\\'"}) {
    for (const char* setting : {"on", "off"}) {
      ASSERT_TRUE(connection
                      ->Execute(Context{}, "test",
                                std::string("set standard_conforming_strings = ") + setting)
                      .ok());
      const Rows rows =
          ValueOf(connection->Query(Context{}, "test", "select " + QuoteLiteral(text)));
      EXPECT_EQ(rows[0][0], text);
    }
    if (text.empty()) continue;
    const auto columns =
        ValueOf(connection->Describe(Context{}, "test", "select 1 as " + QuoteIdentifier(text)));
    EXPECT_EQ(columns[0].name, text);
  }
}

}  // namespace
}  // namespace levada::pq
