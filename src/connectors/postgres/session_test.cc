#include "connectors/postgres/session.h"

#include "connectors/postgres/consumer_testing.h"

namespace levada::postgres {
namespace {

using testing::HasSubstr;
using tests::PostgresServer;

class SessionTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { PostgresServer::Shared().NewDatabase("sessions"); }

  Result<std::unique_ptr<pq::Connection>> Begin(const SessionView& view = {}) {
    const std::string dsn = PostgresServer::Shared().Dsn("sessions");
    const ConsumerOptions options = ValueOf(OptionsOf("dsn: '" + dsn + "'\ntable: t"));
    return BeginSession(ctx_, options, view);
  }
  std::string One(pq::Connection& connection, const std::string& sql) {
    const pq::Rows rows = ValueOf(connection.Query(ctx_, "test", sql));
    return rows.empty() ? std::string() : rows[0][0].value_or("");
  }

  TestContext test_;
  Context ctx_ = test_.context();
};

TEST_F(SessionTest, OnesWithASnapshotSeeTheSame) {
  const auto first = ValueOf(Begin());
  const Snapshot snapshot = ValueOf(ExportSnapshot(ctx_, *first));
  PostgresServer::Shared().Execute("create table later(id int)", "sessions");
  constexpr const char* kLook = "select count(*) from pg_class where relname = 'later'";
  EXPECT_EQ(One(*ValueOf(Begin()), kLook), "1");
  EXPECT_EQ(One(*ValueOf(Begin({.snapshot = snapshot})), kLook), "0");
}

TEST_F(SessionTest, ASnapshotOfTheSameNameOnAnotherServerIsNotTaken) {
  const auto first = ValueOf(Begin());
  Snapshot snapshot = ValueOf(ExportSnapshot(ctx_, *first));
  snapshot.server = "2026-01-01 00:00:00.000001+00";
  EXPECT_THAT(Begin({.snapshot = snapshot}),
              FailsWith(FaultCode::kSnapshotLost, HasSubstr("lead to different servers")));
}

TEST_F(SessionTest, APrimaryWaitsForNobody) {
  const auto first = ValueOf(Begin());
  const std::string here = ValueOf(PositionOf(ctx_, *first));
  EXPECT_THAT(here, testing::MatchesRegex("[0-9]+/[0-9A-F]+/[0-9A-F]+"));
  EXPECT_THAT(Begin({.position = here}), IsOk());

  const std::string system = here.substr(0, here.find('/'));
  const auto began = test_.clock.Steady();
  EXPECT_THAT(Begin({.position = system + "/FFFFFFFF/FFFFFFFF"}), IsOk());
  EXPECT_THAT(Begin({.position = "1/FFFFFFFF/FFFFFFFF"}), IsOk()) << "another system's";
  EXPECT_EQ(test_.clock.Steady(), began);
}

TEST_F(SessionTest, APositionThatIsNoneIsRefused) {
  for (const char* position : {"nonsense", "77/zz", "77/16B3748", "77/0/16b3748"}) {
    EXPECT_THAT(Begin({.position = position}), FailsWith(FaultCode::kManifestCorrupt)) << position;
  }
}

TEST_F(SessionTest, APositionThatTheServerCannotReadIsNoReasonToStop) {
  EXPECT_THAT(Begin({.position = "77//"}), IsOk());
}

TEST_F(SessionTest, AnyRoleMayAskForThePosition) {
  PostgresServer::Shared().Execute("create role nobody_special", "sessions");
  const auto session = ValueOf(Begin());
  EXPECT_THAT(session->Execute(ctx_, "test", "set local role nobody_special"), IsOk());
  EXPECT_NE(ValueOf(PositionOf(ctx_, *session)), "");
}

TEST_F(SessionTest, AServerThatDoesNotSayItsPositionHasNone) {
  // Of a transaction that failed: every question is refused.
  const auto session = ValueOf(Begin());
  EXPECT_THAT(session->Execute(ctx_, "test", "select 1/0"), testing::Not(IsOk()));
  EXPECT_EQ(ValueOf(PositionOf(ctx_, *session)), "");
}

}  // namespace
}  // namespace levada::postgres
